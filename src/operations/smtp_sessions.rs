//! The ledger of SMTP sessions, and the bans of peers that did too much.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::Network;
use crate::error::{Error, Result};
use crate::store;
use crate::types::{
    Int, Page, Scope, SessionId, SmtpBan, SmtpBanId, SmtpOutcome, SmtpSession, SmtpStored, SmtpTransaction, Text, Timestamp,
};

use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Spec};

listing! {
    /// Lists the sessions of the SMTP listener, newest first: also those that were refused, broke off or never began. A session
    /// appears within a second of its end.
    pub struct ListSmtpSessions {
        /// Just peers with this address, or in this network, such as `192.0.2.0/24`.
        pub address: Option<Text<64>>,
        /// Just sessions that named this recipient.
        pub recipient: Option<Text<320>>,
        /// Just sessions that named this sender.
        pub sender: Option<Text<320>>,
        /// Just sessions with this code as the reply that decided, or as the reply to a sender, a recipient or a message.
        pub reply_code: Option<Int<200, 599>>,
        /// Just sessions with this outcome.
        pub outcome: Option<SmtpOutcome>,
        /// Just sessions that began then or later, in Unix seconds.
        pub start_time: Option<Timestamp>,
        /// Just sessions that began before then, in Unix seconds.
        pub end_time: Option<Timestamp>,
    }
}

/// A text to search by; nothing where it is empty.
fn searched<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<String> {
    let text = text?.as_str().trim_start_matches('<').trim_end_matches('>');
    (!text.is_empty()).then(|| text.to_lowercase())
}

impl Operation for ListSmtpSessions {
    type Output = Page<SmtpSession>;
    const SPEC: Spec = Spec {
        name: "list_smtp_sessions",
        title: "List SMTP sessions",
        rest: (Method::Get, "/smtp-sessions"),
        scope: Scope::AuditRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<SmtpSession>> {
        let page = self.page();
        let network = match searched(self.address.as_ref()) {
            Some(text) => Some(text.parse::<Network>().map_err(|error| Error::invalid("address", error.to_string()))?),
            None => None,
        };
        let filter = store::smtp_sessions::Filter {
            addresses: network.map(|network| (network.first(), network.last())),
            sender: searched(self.sender.as_ref()),
            recipient: searched(self.recipient.as_ref()),
            reply_code: self.reply_code.and_then(|code| i16::try_from(code.get()).ok()),
            outcome: self.outcome.map(SmtpOutcome::as_str),
            since: self.start_time,
            until: self.end_time,
        };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::smtp_sessions::list(&mut db, &filter, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Gets a session of the SMTP listener: what was said in each transaction, and the messages that it stored.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetSmtpSession {
    /// The session's id.
    pub id: SessionId,
}

/// A session in full.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SmtpSessionDetail {
    /// As in lists.
    #[serde(flatten)]
    pub session: SmtpSession,
    /// What was said in each transaction; the first ones, where there were many.
    pub transactions: Vec<SmtpTransaction>,
    /// The messages that it stored and that are still there.
    pub stored: Vec<SmtpStored>,
}

impl Operation for GetSmtpSession {
    type Output = SmtpSessionDetail;
    const SPEC: Spec = Spec {
        name: "get_smtp_session",
        title: "Get an SMTP session",
        rest: (Method::Get, "/smtp-sessions/{id}"),
        scope: Scope::AuditRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<SmtpSessionDetail> {
        let mut db = ctx.services.db.acquire().await?;
        let found = store::smtp_sessions::find(&mut db, self.id).await?;
        let (session, transactions) = found.ok_or_else(|| {
            Error::not_found(
                "smtp_session",
                format!("There is no SMTP session {}; it runs yet, or is older than is kept.", self.id),
            )
        })?;
        let stored = if session.messages > 0 { store::smtp_sessions::stored(&mut db, self.id).await? } else { Vec::new() };
        Ok(SmtpSessionDetail { session, transactions, stored })
    }
}

listing! {
    /// Lists the peers that the SMTP listener turns away for a while, newest first.
    pub struct ListSmtpBans {
    }
}

impl Operation for ListSmtpBans {
    type Output = Page<SmtpBan>;
    const SPEC: Spec = Spec {
        name: "list_smtp_bans",
        title: "List banned SMTP peers",
        rest: (Method::Get, "/smtp-bans"),
        scope: Scope::AuditRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<SmtpBan>> {
        let page = self.page();
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::smtp_bans::list(&mut db, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Lifts a ban: from now on the peer may connect again, on every node. What it does too often bans it anew.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LiftSmtpBan {
    /// The ban's id.
    pub id: SmtpBanId,
}

/// A ban that was lifted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LiftedSmtpBan {
    /// The address or network that it held for.
    pub network: String,
}

impl Operation for LiftSmtpBan {
    type Output = LiftedSmtpBan;
    const SPEC: Spec = Spec {
        name: "lift_smtp_ban",
        title: "Lift the ban of an SMTP peer",
        rest: (Method::Delete, "/smtp-bans/{id}"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Destructive,
        audit: Some("smtp_ban.lift"),
    };

    async fn run(self, ctx: &Ctx) -> Result<LiftedSmtpBan> {
        let mut tx = ctx.begin().await?;
        let network = store::smtp_bans::delete(&mut tx, self.id).await?;
        let network = network.ok_or_else(|| Error::not_found("smtp_ban", "There is no such ban; it may be over."))?;
        ctx.commit_and_forget::<Self>(tx, &network, json!({})).await?;
        Ok(LiftedSmtpBan { network })
    }
}
