//! Making mailboxes, one or many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::crypto::{hash_generated, random_text};
use crate::error::{Error, Result};
use crate::operations::domains::unknown_domain;
use crate::operations::{Confinement, Ctx, Effect, Method, Operation, Spec, reach};
use crate::store;
use crate::types::{Address, DomainName, Int, Mailbox, Scope, Text, Timestamp};

use super::names;

/// Without those that are easily taken for each other.
pub(super) const UNAMBIGUOUS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
pub(super) const PASSWORD_CHARACTERS: usize = 12;

/// Creates a mailbox. From then on, mail that arrives for the address is kept in it; mail that was collected for it is in it
/// at once.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateMailbox {
    /// The address to receive at, on a domain of this server. Without one, a readable one is drawn on the default domain.
    #[serde(default)]
    pub address: Option<Address>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<200>,
    /// From when on it refuses mail; without, never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A mailbox that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedMailbox {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Its password, for signing in to it.
    pub password: String,
}

impl Operation for CreateMailbox {
    type Output = CreatedMailbox;
    const SPEC: Spec = Spec {
        name: "create_mailbox",
        title: "Create a mailbox",
        rest: (Method::Post, "/mailboxes"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.create"),
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<CreatedMailbox> {
        // Before the transaction: it may need a connection of its own.
        let keep = ctx.services.settings().await?.keep_readable_passwords;
        let mut tx = ctx.begin().await?;
        let address = match self.address {
            Some(address) => address,
            None => names::draw(1, &default_domain(&mut tx).await?)?.pop().ok_or_else(no_names)?,
        };
        reach::address(ctx.caller.reach(), &address)?;
        let (batch, mut passwords) = rows(ctx, std::slice::from_ref(&address), &self.note, self.expires_at, keep)?;
        if store::mailboxes::insert(&mut tx, &batch).await?.is_empty() {
            return Err(why_not(&mut tx, &address).await?);
        }
        let mailbox = super::found(&mut tx, &address).await?;
        ctx.commit_and_forget::<Self>(tx, address.as_str(), json!({ "expires_at": self.expires_at })).await?;
        Ok(CreatedMailbox { mailbox, password: passwords.pop().unwrap_or_default() })
    }
}

/// Creates many mailboxes. Each has its own result: one that cannot be made keeps no other from being made.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateMailboxesBatch {
    /// The addresses to make, at most 1000.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub addresses: Option<Vec<String>>,
    /// How many readable addresses to draw, where none are given.
    #[serde(default)]
    pub count: Option<Int<1, 1000>>,
    /// The domain of drawn addresses; without, the default domain.
    #[serde(default)]
    pub domain: Option<DomainName>,
    /// A note for people, the same for all.
    #[serde(default)]
    pub note: Text<200>,
    /// From when on they refuse mail; without, never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// What became of one address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchItem {
    /// The address, as it was given where it could not be read.
    pub address: String,
    /// The mailbox's password; null where it was not made.
    pub password: Option<String>,
    /// Whether the mailbox was made.
    pub created: bool,
    /// Why not, for programs: `mailbox_exists`, `domain_not_found`, `invalid_input`.
    pub code: Option<String>,
    /// Why not, for people.
    pub error: Option<String>,
}

impl Operation for CreateMailboxesBatch {
    type Output = Vec<BatchItem>;
    const SPEC: Spec = Spec {
        name: "create_mailboxes_batch",
        title: "Create many mailboxes",
        rest: (Method::Post, "/mailboxes/batch"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.create_batch"),
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Vec<BatchItem>> {
        // Before the transaction: it may need a connection of its own.
        let keep = ctx.services.settings().await?.keep_readable_passwords;
        let mut tx = ctx.begin().await?;
        let wanted = self.wanted(&mut tx).await?;
        let addresses: Vec<Address> = {
            let mut seen = std::collections::HashSet::new();
            wanted
                .iter()
                .filter_map(|w| w.parse::<Address>().ok())
                .filter(|a| seen.insert(a.clone()) && ctx.caller.reach().has_mailbox(a))
                .collect()
        };
        let (batch, passwords) = rows(ctx, &addresses, &self.note, self.expires_at, keep)?;
        let made = store::mailboxes::insert(&mut tx, &batch).await?;
        let mut passwords: std::collections::HashMap<String, String> =
            batch.addresses.into_iter().zip(passwords).filter(|(address, _)| made.contains(address)).collect();
        let mut items = Vec::with_capacity(wanted.len());
        for text in wanted {
            items.push(match text.parse::<Address>() {
                Err(reason) => failed(text, &Error::invalid("addresses", reason.to_string())),
                Ok(address) if !ctx.caller.reach().has_mailbox(&address) => {
                    failed(address.to_string(), &unknown_domain(&address.domain()))
                }
                // Taken out, so that an address that was given twice is made once and reported once.
                Ok(address) => match passwords.remove(address.as_str()) {
                    Some(password) => {
                        BatchItem { address: address.into(), password: Some(password), created: true, code: None, error: None }
                    }
                    None => failed(address.to_string(), &why_not(&mut tx, &address).await?),
                },
            });
        }
        let detail = json!({ "created": made.len(), "asked": items.len() });
        ctx.commit_and_forget::<Self>(tx, &format!("{} mailboxes", made.len()), detail).await?;
        Ok(items)
    }
}

impl CreateMailboxesBatch {
    async fn wanted(&self, db: &mut PgConnection) -> Result<Vec<String>> {
        match (&self.addresses, self.count) {
            (Some(_), Some(_)) => Err(Error::invalid("count", "cannot be given together with addresses")),
            (Some(addresses), None) if !addresses.is_empty() => Ok(addresses.clone()),
            (_, None) => Err(Error::invalid("addresses", "is empty; give addresses, or a count of addresses to draw")),
            (None, Some(count)) => {
                let domain = match &self.domain {
                    Some(domain) => domain.clone(),
                    None => default_domain(db).await?,
                };
                let drawn = names::draw(usize::try_from(count.get()).unwrap_or(1), &domain)?;
                Ok(drawn.into_iter().map(String::from).collect())
            }
        }
    }
}

fn failed(address: String, error: &Error) -> BatchItem {
    BatchItem { address, password: None, created: false, code: Some(error.code().into_owned()), error: Some(error.to_string()) }
}

async fn default_domain(db: &mut PgConnection) -> Result<DomainName> {
    store::domains::default(db).await?.ok_or_else(|| Error::conflict("no_domain", "There is no domain yet; add one first."))
}

fn no_names() -> Error {
    Error::Internal(anyhow::anyhow!("no address could be drawn"))
}

/// The rows of new mailboxes with drawn passwords, and the passwords.
fn rows(
    ctx: &Ctx,
    addresses: &[Address],
    note: &Text<200>,
    expires_at: Option<Timestamp>,
    keep: bool,
) -> Result<(store::mailboxes::New, Vec<String>)> {
    let mut new = store::mailboxes::New {
        note: note.as_str().to_owned(),
        created_by: ctx.caller.name().to_owned(),
        expires_at,
        ..store::mailboxes::New::default()
    };
    let mut passwords = Vec::with_capacity(addresses.len());
    for address in addresses {
        let password = random_text(UNAMBIGUOUS, PASSWORD_CHARACTERS);
        new.addresses.push(address.as_str().to_owned());
        new.domains.push(address.domain_str().to_owned());
        new.password_hashes.push(hash_generated(&password));
        let sealed = || ctx.services.sealer.seal("mailbox_password", address.as_str(), &password);
        new.sealed_passwords.push(keep.then(sealed).transpose()?);
        passwords.push(password);
    }
    Ok((new, passwords))
}

/// Why a mailbox was not made.
async fn why_not(db: &mut PgConnection, address: &Address) -> Result<Error> {
    if store::mailboxes::find(db, address).await?.is_some() {
        return Ok(Error::conflict("mailbox_exists", format!("There is a mailbox {address} already, perhaps in the trash.")));
    }
    if store::aliases::find(db, address).await?.is_some() {
        return Ok(Error::conflict(
            "alias_exists",
            format!("There is an alias {address}; a mailbox cannot have the same address."),
        ));
    }
    Ok(unknown_domain(&address.domain()))
}
