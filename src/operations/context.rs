//! Who asks, through which door, with what.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::error::{Error, Result};
use crate::store;
use crate::types::{
    AccessLinkId, Address, ApiKeyId, AuditEntry, AuditId, MailboxId, PrincipalId, Reach, Scope, Scopes, SessionId, Timestamp,
};

use super::portal;
use super::rates::Pace;
use super::{Confinement, Effect, Operation, Services, Spec, reach, registry};

/// Gives up where the database keeps silent. What was not committed by then is rolled back.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(Error::Unavailable { detail: "The database is not answering at the moment.".into() }))
}

/// A request on its way to an operation.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// What operations work with.
    pub services: Services,
    /// Who asks.
    pub caller: Caller,
    /// Through which door.
    pub surface: Surface,
    /// The request's id, as in logs and error bodies.
    pub request_id: String,
    /// The caller's network address.
    pub remote: Option<IpAddr>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody: somebody who tries to sign in, or opens the setup link.
    Nobody,
    /// Somebody at the command line of the server's machine.
    Operator,
    /// A signed-in administrator.
    Admin {
        /// The account.
        id: PrincipalId,
        /// Its name.
        username: String,
        /// The browser's session.
        session: SessionId,
    },
    /// A user, signed in or by its token: sees the mailboxes that it owns or is a member of.
    User {
        /// The account.
        id: PrincipalId,
        /// What people call it.
        name: String,
        /// The browser's session; `None` for a program with the user's token.
        session: Option<SessionId>,
        /// Its mailboxes.
        reach: Arc<Reach>,
    },
    /// Somebody who signed in with the password of a mailbox, and sees that one.
    Mailbox {
        /// The mailbox.
        id: MailboxId,
        /// Its address.
        address: Address,
        /// The browser's session.
        session: SessionId,
        /// The same mailbox.
        reach: Arc<Reach>,
    },
    /// Somebody who came by an access link, and reads its mailbox.
    Link {
        /// The link.
        id: AccessLinkId,
        /// The address of its mailbox.
        address: Address,
        /// The browser's session.
        session: SessionId,
        /// The same mailbox.
        reach: Arc<Reach>,
    },
    /// A background job of this server.
    Job(&'static str),
    /// A program with a key.
    Key {
        /// The key.
        id: ApiKeyId,
        /// What people call it.
        name: String,
        /// What it may do.
        scopes: Scopes,
        /// The part of the installation that it sees.
        reach: Arc<Reach>,
        /// How often it may ask.
        pace: Pace,
    },
}

/// A door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Surface {
    Panel,
    Rest,
    Mcp,
    Cli,
    Job,
}

impl Surface {
    /// The name, as in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panel => "panel",
            Self::Rest => "rest",
            Self::Mcp => "mcp",
            Self::Cli => "cli",
            Self::Job => "job",
        }
    }
}

impl Caller {
    /// Whether the caller has a permission.
    pub fn may(&self, scope: Scope) -> bool {
        match self {
            Self::Nobody => false,
            Self::Operator | Self::Admin { .. } | Self::Job(_) => true,
            Self::User { .. } => portal::USER_SCOPES.contains(&scope),
            Self::Mailbox { .. } => portal::MAILBOX_SCOPES.contains(&scope),
            Self::Link { .. } => portal::LINK_SCOPES.contains(&scope),
            Self::Key { scopes, .. } => scopes.allow(scope),
        }
    }

    /// The part of the installation that the caller sees.
    pub fn reach(&self) -> &Reach {
        match self {
            Self::Key { reach, .. } | Self::User { reach, .. } | Self::Mailbox { reach, .. } | Self::Link { reach, .. } => reach,
            Self::Nobody | Self::Operator | Self::Admin { .. } | Self::Job(_) => &Reach::All,
        }
    }

    /// The name that is written down as the author of things.
    pub fn name(&self) -> &str {
        match self {
            Self::Nobody => "nobody",
            Self::Operator => "operator",
            Self::Admin { username, .. } => username,
            Self::User { name, .. } | Self::Key { name, .. } => name,
            Self::Mailbox { address, .. } | Self::Link { address, .. } => address.as_str(),
            Self::Job(name) => name,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Operator => "operator",
            Self::Admin { .. } => "admin",
            Self::User { .. } => "user",
            Self::Mailbox { .. } => "mailbox",
            Self::Link { .. } => "access_link",
            Self::Job(_) => "job",
            Self::Key { .. } => "api_key",
        }
    }

    fn id(&self) -> Option<String> {
        match self {
            Self::Nobody | Self::Operator | Self::Job(_) => None,
            Self::Admin { id, .. } | Self::User { id, .. } => Some(id.to_string()),
            Self::Mailbox { id, .. } => Some(id.to_string()),
            Self::Link { id, .. } => Some(id.to_string()),
            Self::Key { id, .. } => Some(id.to_string()),
        }
    }
}

impl Ctx {
    /// A request from the command line.
    pub fn operator(services: Services) -> Self {
        let request_id = uuid::Uuid::now_v7().simple().to_string();
        Self { services, caller: Caller::Operator, surface: Surface::Cli, request_id, remote: None }
    }

    /// A background job's request.
    pub(super) fn job(services: Services, name: &'static str) -> Self {
        Self { caller: Caller::Job(name), surface: Surface::Job, ..Self::operator(services) }
    }

    /// Runs an operation for a caller that sees everything: checks the scope, logs a fault of ours once. Others are refused, unless
    /// the operation looks at what they see itself; they ask with [`Ctx::call_within`].
    pub async fn call<O: Operation>(&self, operation: O) -> Result<O::Output> {
        if !self.caller.reach().is_all() && O::CONFINEMENT == Confinement::Inputs {
            return Err(Error::OutOfReach);
        }
        self.run(operation).await
    }

    /// Runs an operation for whoever asks: what its input names outside the part that the caller sees is, to the caller, not there.
    pub async fn call_within<O: Operation + Serialize>(&self, operation: O) -> Result<O::Output> {
        self.check_scope(&O::SPEC).await?;
        if !self.caller.reach().is_all() {
            let entry = registry::find(O::SPEC.name).ok_or(Error::OutOfReach)?;
            let input = serde_json::to_value(&operation).map_err(|cause| Error::Internal(cause.into()))?;
            reach::check(self, entry, &input).await?;
        }
        self.run(operation).await
    }

    /// Runs an operation whose input was checked against what the caller sees.
    pub(super) async fn run<O: Operation>(&self, operation: O) -> Result<O::Output> {
        self.check_scope(&O::SPEC).await?;
        let limit = operation.time_limit();
        let result = within(limit, operation.run(self)).await;
        if let Err(Error::Internal(cause)) = &result {
            tracing::error!(request.id = self.request_id, operation = O::SPEC.name, "{cause:#}");
        }
        result
    }

    /// Refuses a caller without the operation's scope, and writes down that it tried to change something.
    pub(super) async fn check_scope(&self, spec: &Spec) -> Result<()> {
        if self.caller.may(spec.scope) {
            return Ok(());
        }
        if let (Some(action), true) = (spec.audit, spec.effect != Effect::Read) {
            let mut db = self.services.db.acquire().await?;
            self.audit_outcome(&mut db, action, "", "denied", json!({ "missing_scope": spec.scope })).await?;
        }
        Err(Error::Forbidden(spec.scope.as_str()))
    }

    /// Begins a transaction, to be ended with [`Ctx::commit`].
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.services.db.begin().await?)
    }

    /// Commits what an operation changed, together with its row in the audit log.
    pub async fn commit<O: Operation>(
        &self,
        mut tx: Transaction<'static, Postgres>,
        target: &str,
        detail: serde_json::Value,
    ) -> Result<()> {
        if let Some(action) = O::SPEC.audit {
            self.audit(&mut tx, action, target, detail).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Like [`Ctx::commit`], for changes after which nodes must forget what they remember of mailboxes, domains and keys.
    pub async fn commit_and_forget<O: Operation>(
        &self,
        mut tx: Transaction<'static, Postgres>,
        target: &str,
        detail: serde_json::Value,
    ) -> Result<()> {
        store::notify::changes(&mut tx).await?;
        self.commit::<O>(tx, target, detail).await?;
        self.services.forget().await;
        Ok(())
    }

    /// Writes down something that was done.
    pub async fn audit(&self, db: &mut PgConnection, action: &str, target: &str, detail: serde_json::Value) -> Result<()> {
        self.audit_outcome(db, action, target, "done", detail).await
    }

    /// Writes a row of the audit log.
    pub async fn audit_outcome(
        &self,
        db: &mut PgConnection,
        action: &str,
        target: &str,
        outcome: &str,
        detail: serde_json::Value,
    ) -> Result<()> {
        store::audit::insert(db, &self.entry(action, target, outcome, detail)).await
    }

    fn entry(&self, action: &str, target: &str, outcome: &str, detail: serde_json::Value) -> AuditEntry {
        AuditEntry {
            id: AuditId::generate(),
            at: Timestamp::now(),
            actor_kind: self.caller.kind().to_owned(),
            actor_id: self.caller.id(),
            actor_name: self.caller.name().to_owned(),
            surface: self.surface.as_str().to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome: outcome.to_owned(),
            remote_address: self.remote.map(|ip| ip.to_string()),
            request_id: Some(self.request_id.clone()),
            detail,
        }
    }
}
