//! Aliases: other addresses of mailboxes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{Address, Alias, DomainName, Lifecycle, MailboxId, Page, Scope, Text};

use super::domains::unknown_domain;
use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Spec};

/// The most mailboxes of one alias; each gets a copy.
const MOST_MAILBOXES: usize = 100;

listing! {
    /// Lists aliases, by address.
    pub struct ListAliases {
        /// Only those of this domain.
        pub domain: Option<DomainName>,
        /// Only those that deliver to this mailbox.
        pub mailbox: Option<Address>,
    }
}

impl Operation for ListAliases {
    type Output = Page<Alias>;
    const SPEC: Spec = Spec {
        name: "list_aliases",
        title: "List aliases",
        rest: (Method::Get, "/aliases"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<Alias>> {
        let page = self.page();
        let after: Option<String> = page.after()?;
        let filter = store::aliases::Filter { address: None, domain: self.domain.as_ref(), mailbox: self.mailbox.as_ref() };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::aliases::list(&mut db, &filter, after.as_deref(), page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.address.to_string()))
    }
}

/// Creates an alias: mail for its address is put into the mailboxes that it names.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateAlias {
    /// The address, on a domain of this server; one that no mailbox has.
    pub address: Address,
    /// The mailboxes that get its mail, from 1 to 100, of any domain of this server.
    pub mailboxes: Vec<Address>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<200>,
}

impl Operation for CreateAlias {
    type Output = Alias;
    const SPEC: Spec = Spec {
        name: "create_alias",
        title: "Create an alias",
        rest: (Method::Post, "/aliases"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("alias.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Alias> {
        let mut tx = ctx.begin().await?;
        if !store::aliases::insert(&mut tx, &self.address, self.note.as_str(), ctx.caller.name()).await? {
            return Err(unknown_domain(&self.address.domain()));
        }
        let taken = store::mailboxes::find(&mut tx, &self.address).await?;
        if taken.is_some_and(|mailbox| mailbox.lifecycle != Lifecycle::Collected) {
            let detail = format!("There is a mailbox {}; an alias cannot have the same address.", self.address);
            return Err(Error::conflict("mailbox_exists", detail));
        }
        let mailboxes = ids(&mut tx, &self.mailboxes).await?;
        store::aliases::set_mailboxes(&mut tx, &self.address, &mailboxes).await?;
        let alias = found(&mut tx, &self.address).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({ "mailboxes": alias.mailboxes })).await?;
        Ok(alias)
    }
}

/// Gets an alias.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetAlias {
    /// Its address.
    pub address: Address,
}

impl Operation for GetAlias {
    type Output = Alias;
    const SPEC: Spec = Spec {
        name: "get_alias",
        title: "Get an alias",
        rest: (Method::Get, "/aliases/{address}"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Alias> {
        found(&mut *ctx.services.db.acquire().await?, &self.address).await
    }
}

/// Changes an alias. What is not given stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateAlias {
    /// Its address.
    pub address: Address,
    /// The mailboxes that get its mail from now on, from 1 to 100.
    #[serde(default)]
    pub mailboxes: Option<Vec<Address>>,
    /// A note for people.
    #[serde(default)]
    pub note: Option<Text<200>>,
}

impl Operation for UpdateAlias {
    type Output = Alias;
    const SPEC: Spec = Spec {
        name: "update_alias",
        title: "Change an alias",
        rest: (Method::Patch, "/aliases/{address}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("alias.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Alias> {
        let mut tx = ctx.begin().await?;
        found(&mut tx, &self.address).await?;
        if let Some(mailboxes) = &self.mailboxes {
            let mailboxes = ids(&mut tx, mailboxes).await?;
            store::aliases::set_mailboxes(&mut tx, &self.address, &mailboxes).await?;
        }
        if let Some(note) = &self.note {
            store::aliases::set_note(&mut tx, &self.address, note.as_str()).await?;
        }
        let alias = found(&mut tx, &self.address).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({ "mailboxes": self.mailboxes, "note": self.note }))
            .await?;
        Ok(alias)
    }
}

/// Removes an alias. The mail that came by it stays in its mailboxes.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteAlias {
    /// Its address.
    pub address: Address,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedAlias {
    /// The alias's address.
    pub address: Address,
    /// Always true.
    pub deleted: bool,
}

impl Operation for DeleteAlias {
    type Output = DeletedAlias;
    const SPEC: Spec = Spec {
        name: "delete_alias",
        title: "Remove an alias",
        rest: (Method::Delete, "/aliases/{address}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Destructive,
        audit: Some("alias.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedAlias> {
        let mut tx = ctx.begin().await?;
        if !store::aliases::delete(&mut tx, &self.address).await? {
            return Err(unknown(&self.address));
        }
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({})).await?;
        Ok(DeletedAlias { address: self.address, deleted: true })
    }
}

fn unknown(address: &Address) -> Error {
    Error::not_found("alias", format!("There is no alias {address}."))
}

async fn found(db: &mut PgConnection, address: &Address) -> Result<Alias> {
    store::aliases::find(db, address).await?.ok_or_else(|| unknown(address))
}

/// The mailboxes that an alias is to deliver to; each must be there, and none in the trash.
async fn ids(db: &mut PgConnection, addresses: &[Address]) -> Result<Vec<MailboxId>> {
    if addresses.is_empty() || addresses.len() > MOST_MAILBOXES {
        return Err(Error::invalid("mailboxes", format!("must name from 1 to {MOST_MAILBOXES} mailboxes")));
    }
    let mut ids = Vec::with_capacity(addresses.len());
    for address in addresses {
        let id = store::mailboxes::readable_id(db, address).await?;
        let missing = || Error::invalid("mailboxes", format!("names {address}, which is not a mailbox; make it first"));
        ids.push(id.ok_or_else(missing)?);
    }
    Ok(ids)
}
