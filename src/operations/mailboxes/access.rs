//! Ways into one mailbox: its password, and links that open it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::crypto::{Password, digest, hash_generated, random_text, random_token};
use crate::error::{Error, Result};
use crate::operations::{Ctx, Effect, Method, Operation, Spec};
use crate::store;
use crate::types::{AccessLink, AccessLinkId, Address, Int, Scope, Text};

use super::create::{PASSWORD_CHARACTERS, UNAMBIGUOUS};
use super::{found, unknown_mailbox};

const FEWEST_CHARACTERS: usize = 8;
const MOST_CHARACTERS: usize = 200;

/// Sets the password of a mailbox, or draws one. Whoever signed in with the old one is signed out.
#[derive(Deserialize, JsonSchema)]
pub struct SetMailboxPassword {
    /// The mailbox's address.
    pub address: Address,
    /// The password, 8 to 200 characters; without one, 12 characters are drawn.
    #[serde(default)]
    #[schemars(length(min = 8, max = 200))]
    pub password: Option<String>,
}

impl std::fmt::Debug for SetMailboxPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetMailboxPassword").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The password of a mailbox.
#[derive(Serialize, JsonSchema)]
pub struct MailboxPassword {
    /// The password; null where there is none, or none that can be shown.
    pub password: Option<String>,
    /// Whether the mailbox has a password, shown or not.
    pub is_set: bool,
}

impl std::fmt::Debug for MailboxPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailboxPassword").field("is_set", &self.is_set).finish_non_exhaustive()
    }
}

impl Operation for SetMailboxPassword {
    type Output = MailboxPassword;
    const SPEC: Spec = Spec {
        name: "set_mailbox_password",
        title: "Set a mailbox's password",
        rest: (Method::Put, "/mailboxes/{address}/password"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.set_password"),
    };

    async fn run(self, ctx: &Ctx) -> Result<MailboxPassword> {
        let (password, hash) = match self.password {
            Some(chosen) => {
                let password = Password::new(chosen.clone());
                if !(FEWEST_CHARACTERS..=MOST_CHARACTERS).contains(&password.characters()) {
                    return Err(Error::invalid("password", "must have 8 to 200 characters"));
                }
                (chosen, password.hash().await?)
            }
            None => {
                let drawn = random_text(UNAMBIGUOUS, PASSWORD_CHARACTERS);
                let hash = hash_generated(&drawn);
                (drawn, hash)
            }
        };
        let sealed = if ctx.services.settings().await?.keep_readable_passwords {
            Some(ctx.services.sealer.seal("mailbox_password", self.address.as_str(), &password)?)
        } else {
            None
        };
        let mut tx = ctx.begin().await?;
        let mailbox = found(&mut tx, &self.address).await?;
        if mailbox.trashed_at.is_some() {
            return Err(Error::conflict("mailbox_not_usable", format!("The mailbox {} is in the trash.", self.address)));
        }
        store::portal::set_mailbox_password(&mut tx, mailbox.id, &hash, sealed.as_deref()).await?;
        store::portal::delete_mailbox_sessions(&mut tx, mailbox.id).await?;
        ctx.commit::<Self>(tx, self.address.as_str(), json!({})).await?;
        Ok(MailboxPassword { password: Some(password), is_set: true })
    }
}

/// Shows the password of a mailbox, where the installation keeps readable passwords. Each time is written down.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetMailboxPassword {
    /// The mailbox's address.
    pub address: Address,
}

impl Operation for GetMailboxPassword {
    type Output = MailboxPassword;
    const SPEC: Spec = Spec {
        name: "get_mailbox_password",
        title: "Show a mailbox's password",
        rest: (Method::Get, "/mailboxes/{address}/password"),
        scope: Scope::CredentialsRead,
        effect: Effect::Reveal,
        audit: Some("mailbox.reveal_password"),
    };

    async fn run(self, ctx: &Ctx) -> Result<MailboxPassword> {
        let keep = ctx.services.settings().await?.keep_readable_passwords;
        let mut tx = ctx.begin().await?;
        let kept = store::portal::kept_password(&mut tx, &self.address).await?;
        let kept = kept.ok_or_else(|| unknown_mailbox(&self.address))?;
        let password = match kept.sealed.filter(|_| keep) {
            Some(sealed) => Some(ctx.services.sealer.open("mailbox_password", self.address.as_str(), &sealed)?),
            None => None,
        };
        ctx.commit::<Self>(tx, self.address.as_str(), json!({ "shown": password.is_some() })).await?;
        Ok(MailboxPassword { password, is_set: kept.is_set })
    }
}

/// Makes a link that lets whoever has it read one mailbox, without a password. The answer shows it once.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateAccessLink {
    /// The mailbox's address.
    pub address: Address,
    /// A note for people.
    #[serde(default)]
    pub note: Text<200>,
    /// After how many hours it is refused; 168 (a week) by default, null for never.
    #[serde(default = "a_week")]
    #[schemars(extend("default" = 168))]
    pub expires_in_hours: Option<Int<1, 87_600>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the default of a field that can be null")]
fn a_week() -> Option<Int<1, 87_600>> {
    Some(Int::constant(168))
}

/// A link that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedAccessLink {
    /// The link. It is not shown again.
    #[schemars(extend("examples" = ["https://mail.example/?link=0b9pXQ…"]))]
    pub url: String,
    /// What lists show of it.
    pub access_link: AccessLink,
}

impl Operation for CreateAccessLink {
    type Output = CreatedAccessLink;
    const SPEC: Spec = Spec {
        name: "create_access_link",
        title: "Make a link to a mailbox",
        rest: (Method::Post, "/mailboxes/{address}/access-links"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("access_link.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<CreatedAccessLink> {
        let token = random_token();
        let mut tx = ctx.begin().await?;
        let mailbox = found(&mut tx, &self.address).await?;
        if mailbox.trashed_at.is_some() {
            return Err(Error::conflict("mailbox_not_usable", format!("The mailbox {} is in the trash.", self.address)));
        }
        let hours = self.expires_in_hours.map(Int::get);
        let by = ctx.caller.name();
        let id = store::access_links::insert(&mut tx, mailbox.id, &digest(&token), self.note.as_str(), by, hours).await?;
        let access_link = store::access_links::list(&mut tx, mailbox.id, Some(id)).await?.pop();
        let access_link =
            access_link.ok_or_else(|| Error::Internal(anyhow::anyhow!("a link that was just made is not there")))?;
        ctx.commit::<Self>(tx, self.address.as_str(), json!({ "id": id, "expires_at": access_link.expires_at })).await?;
        Ok(CreatedAccessLink { url: ctx.services.config.link(&format!("/?link={token}")), access_link })
    }
}

/// Lists the access links of a mailbox, newest first; at most 200.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ListAccessLinks {
    /// The mailbox's address.
    pub address: Address,
}

impl Operation for ListAccessLinks {
    type Output = Vec<AccessLink>;
    const SPEC: Spec = Spec {
        name: "list_access_links",
        title: "List the links to a mailbox",
        rest: (Method::Get, "/mailboxes/{address}/access-links"),
        scope: Scope::MailboxWrite,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<AccessLink>> {
        let mut db = ctx.services.db.acquire().await?;
        let mailbox = found(&mut db, &self.address).await?;
        store::access_links::list(&mut db, mailbox.id, None).await
    }
}

/// Revokes an access link. It is refused at once, and whoever came in by it is signed out.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeAccessLink {
    /// The mailbox's address.
    pub address: Address,
    /// The link's id.
    pub id: AccessLinkId,
}

impl Operation for RevokeAccessLink {
    type Output = AccessLink;
    const SPEC: Spec = Spec {
        name: "revoke_access_link",
        title: "Revoke a link to a mailbox",
        rest: (Method::Delete, "/mailboxes/{address}/access-links/{id}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Destructive,
        audit: Some("access_link.revoke"),
    };

    async fn run(self, ctx: &Ctx) -> Result<AccessLink> {
        let mut tx = ctx.begin().await?;
        let mailbox = found(&mut tx, &self.address).await?;
        store::access_links::revoke(&mut tx, mailbox.id, self.id).await?;
        let link = store::access_links::list(&mut tx, mailbox.id, Some(self.id)).await?.pop();
        let link = link.ok_or_else(|| Error::not_found("access_link", format!("There is no access link {}.", self.id)))?;
        ctx.commit::<Self>(tx, self.address.as_str(), json!({ "id": self.id })).await?;
        Ok(link)
    }
}
