//! Domains that mail is received for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{AuthPolicy, Domain, DomainName, Int, MtaSts, Page, Postmaster, Scope, UnknownRecipients};

use super::listing::{given, listing};
use super::{Confinement, Ctx, Effect, Method, Operation, Spec};

listing! {
    /// Lists the domains that mail is received for, by name.
    pub struct ListDomains {}
}

impl Operation for ListDomains {
    type Output = Page<Domain>;
    const SPEC: Spec = Spec {
        name: "list_domains",
        title: "List domains",
        rest: (Method::Get, "/domains"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Page<Domain>> {
        let page = self.page();
        let after: Option<String> = page.after()?;
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::domains::list(&mut db, None, ctx.caller.reach(), after.as_deref(), page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.name.to_string()))
    }
}

/// Adds a domain. From then on mail for its mailboxes is accepted; its MX record has to point here.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateDomain {
    /// The domain's name; letters of any language.
    pub name: DomainName,
    /// Whether it becomes the domain of addresses that are given without one. The first domain is, unasked.
    #[serde(default)]
    pub is_default: bool,
    /// What happens to mail for addresses that nobody made.
    #[serde(default)]
    pub unknown: UnknownRecipients,
    /// What happens to mail that its author's domain disowns (DMARC).
    #[serde(default)]
    pub auth_policy: AuthPolicy,
    /// Whether mail for an address of any of its subdomains is mail for the same address here.
    #[serde(default)]
    pub takes_subdomains: bool,
    /// Where mail for postmaster and abuse lands while they have no mailbox or alias of their own.
    #[serde(default)]
    pub postmaster: Postmaster,
}

impl CreateDomain {
    /// A domain that refuses mail for unknown addresses; everything else as it comes.
    pub fn plain(name: DomainName) -> Self {
        Self {
            name,
            is_default: false,
            unknown: UnknownRecipients::Reject,
            takes_subdomains: false,
            postmaster: Postmaster::Collect,
            auth_policy: AuthPolicy::Accept,
        }
    }
}

impl Operation for CreateDomain {
    type Output = Domain;
    const SPEC: Spec = Spec {
        name: "create_domain",
        title: "Add a domain",
        rest: (Method::Post, "/domains"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Write,
        audit: Some("domain.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Domain> {
        let mut tx = ctx.begin().await?;
        store::domains::insert(&mut tx, &self.name).await?;
        if self.is_default {
            store::domains::make_default(&mut tx, &self.name).await?;
        }
        set_unknown(&mut tx, &self.name, &self.unknown).await?;
        store::domains::set_auth_policy(&mut tx, &self.name, self.auth_policy).await?;
        store::domains::set_takes_subdomains(&mut tx, &self.name, self.takes_subdomains).await?;
        set_postmaster(&mut tx, &self.name, &self.postmaster).await?;
        let domain = found(&mut tx, &self.name).await?;
        ctx.commit_and_forget::<Self>(
            tx,
            self.name.as_str(),
            json!({ "unknown": self.unknown, "takes_subdomains": self.takes_subdomains, "postmaster": self.postmaster,
                "auth_policy": self.auth_policy }),
        )
        .await?;
        Ok(domain)
    }
}

/// Changes a domain. What is not given stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateDomain {
    /// The domain's name.
    pub name: DomainName,
    /// `true` makes it the default domain in place of the present one.
    #[serde(default)]
    pub is_default: Option<bool>,
    /// What happens to mail for addresses that nobody made.
    #[serde(default)]
    pub unknown: Option<UnknownRecipients>,
    /// What happens to mail that its author's domain disowns (DMARC).
    #[serde(default)]
    pub auth_policy: Option<AuthPolicy>,
    /// After how many days the messages of its mailboxes are removed, counted from their arrival, starred ones spared; null as
    /// the installation has it. A mailbox may have its own.
    #[serde(default, deserialize_with = "given")]
    pub retention_days: Option<Option<Int<1, 36_500>>>,
    /// Whether mail for an address of any of its subdomains is mail for the same address here.
    #[serde(default)]
    pub takes_subdomains: Option<bool>,
    /// Where mail for postmaster and abuse lands while they have no mailbox or alias of their own.
    #[serde(default)]
    pub postmaster: Option<Postmaster>,
    /// What senders are told about encryption on the way here (MTA-STS): `none`, `testing` or `enforce`. Its DNS records and a
    /// certificate for the policy's host are needed too; `check_domain` says which.
    #[serde(default)]
    pub mta_sts: Option<MtaSts>,
}

impl UpdateDomain {
    /// Changes nothing yet.
    pub fn nothing(name: DomainName) -> Self {
        Self {
            name,
            is_default: None,
            unknown: None,
            takes_subdomains: None,
            postmaster: None,
            mta_sts: None,
            retention_days: None,
            auth_policy: None,
        }
    }
}

impl Operation for UpdateDomain {
    type Output = Domain;
    const SPEC: Spec = Spec {
        name: "update_domain",
        title: "Change a domain",
        rest: (Method::Patch, "/domains/{name}"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Write,
        audit: Some("domain.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Domain> {
        let mut tx = ctx.begin().await?;
        let before = found(&mut tx, &self.name).await?;
        match self.is_default {
            Some(true) => store::domains::make_default(&mut tx, &self.name).await?,
            Some(false) if before.is_default => {
                return Err(Error::invalid("is_default", "cannot be taken away; make another domain the default instead"));
            }
            Some(false) | None => {}
        }
        if let Some(unknown) = &self.unknown {
            set_unknown(&mut tx, &self.name, unknown).await?;
        }
        if let Some(policy) = self.auth_policy {
            store::domains::set_auth_policy(&mut tx, &self.name, policy).await?;
        }
        if let Some(takes) = self.takes_subdomains {
            store::domains::set_takes_subdomains(&mut tx, &self.name, takes).await?;
        }
        if let Some(postmaster) = &self.postmaster {
            set_postmaster(&mut tx, &self.name, postmaster).await?;
        }
        if let Some(mode) = self.mta_sts {
            store::domains::set_mta_sts(&mut tx, &self.name, mode).await?;
        }
        if let Some(days) = self.retention_days {
            store::domains::set_retention(&mut tx, &self.name, days.map(Int::get)).await?;
        }
        let domain = found(&mut tx, &self.name).await?;
        let detail = json!({ "is_default": self.is_default, "unknown": self.unknown, "takes_subdomains": self.takes_subdomains,
            "postmaster": self.postmaster, "mta_sts": self.mta_sts, "retention_days": self.retention_days,
            "auth_policy": self.auth_policy });
        ctx.commit_and_forget::<Self>(tx, self.name.as_str(), detail).await?;
        Ok(domain)
    }
}

/// Removes a domain. It must not have mailboxes any more, the trash included, nor aliases.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteDomain {
    /// The domain's name.
    pub name: DomainName,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedDomain {
    /// The domain's name.
    pub name: DomainName,
    /// Always true.
    pub deleted: bool,
}

impl Operation for DeleteDomain {
    type Output = DeletedDomain;
    const SPEC: Spec = Spec {
        name: "delete_domain",
        title: "Remove a domain",
        rest: (Method::Delete, "/domains/{name}"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Destructive,
        audit: Some("domain.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedDomain> {
        let mut tx = ctx.begin().await?;
        if !store::domains::delete(&mut tx, &self.name).await? {
            return Err(unknown_domain(&self.name));
        }
        ctx.commit_and_forget::<Self>(tx, self.name.as_str(), json!({})).await?;
        Ok(DeletedDomain { name: self.name, deleted: true })
    }
}

pub(super) fn unknown_domain(name: &DomainName) -> Error {
    Error::not_found("domain", format!("There is no domain {name}."))
}

pub(super) async fn found(db: &mut PgConnection, name: &DomainName) -> Result<Domain> {
    store::domains::find(db, name).await?.ok_or_else(|| unknown_domain(name))
}

async fn set_unknown(db: &mut PgConnection, name: &DomainName, rule: &UnknownRecipients) -> Result<()> {
    let (policy, mailbox) = match rule {
        UnknownRecipients::Reject => ("reject", None),
        UnknownRecipients::Collect => ("collect", None),
        UnknownRecipients::Deliver(address) => {
            let id = store::mailboxes::readable_id(db, address).await?;
            let id =
                id.ok_or_else(|| Error::invalid("unknown", format!("names {address}, which is not a mailbox; make it first")))?;
            ("deliver", Some(id))
        }
    };
    store::domains::set_unknown(db, name, policy, mailbox).await
}

async fn set_postmaster(db: &mut PgConnection, name: &DomainName, rule: &Postmaster) -> Result<()> {
    let mailbox = match rule {
        Postmaster::Collect => None,
        Postmaster::Deliver(address) => {
            let id = store::mailboxes::readable_id(db, address).await?;
            let missing = || Error::invalid("postmaster", format!("names {address}, which is not a mailbox; make it first"));
            Some(id.ok_or_else(missing)?)
        }
    };
    store::domains::set_postmaster(db, name, mailbox).await
}
