//! Mailboxes: making, changing, trash.

mod access;
mod create;
mod export;
mod names;
mod owners;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{
    Address, DomainName, Int, Lifecycle, Mailbox, Page, PageRequest, PrincipalId, Scope, SenderPolicy, ServiceTemplateId, Text,
    Timestamp,
};

use super::listing::{given, listing};
use super::{Confinement, Ctx, Effect, Method, Operation, Spec};

pub use access::{
    CreateAccessLink, CreatedAccessLink, GetMailboxPassword, ListAccessLinks, MailboxPassword, RevokeAccessLink,
    SetMailboxPassword,
};
pub use create::{BatchItem, CreateMailbox, CreateMailboxesBatch, CreatedMailbox};
pub use export::mailboxes_as_csv;
pub use owners::{
    AddUserToSharedMailbox, AssignMailboxToUser, AssignMailboxesToUser, GetSharedMailboxUsers, RemoveUserFromSharedMailbox,
    SetMailboxShared,
};

listing! {
    /// Lists mailboxes, newest first: all but those in the trash and those that only collect, unless a lifecycle is asked for.
    #[derive(Serialize)]
    pub struct ListMailboxes {
        /// Just those of this domain.
        pub domain: Option<DomainName>,
        /// Just those in this state.
        pub lifecycle: Option<Lifecycle>,
        /// Just those whose address or note contains this text.
        pub q: Option<Text<200>>,
        /// Just those that this user owns or is a member of.
        pub user_id: Option<PrincipalId>,
        /// Just those that nobody owns and that are not shared.
        pub unassigned_only: Option<bool>,
        /// Just shared ones.
        pub shared_only: Option<bool>,
        /// Just those that this service template is bound to.
        pub service_template_id: Option<ServiceTemplateId>,
    }
}

impl Operation for ListMailboxes {
    type Output = Page<Mailbox>;
    const SPEC: Spec = Spec {
        name: "list_mailboxes",
        title: "List mailboxes",
        rest: (Method::Get, "/mailboxes"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Page<Mailbox>> {
        let filter = store::mailboxes::Filter {
            domain: self.domain.as_ref(),
            lifecycle: self.lifecycle,
            text: self.q.as_ref().map(Text::as_str).filter(|q| !q.is_empty()),
            user: self.user_id,
            unassigned: self.unassigned_only == Some(true),
            shared: self.shared_only == Some(true),
            service: self.service_template_id,
            reach: ctx.caller.reach().clone(),
            ..Default::default()
        };
        list(ctx, &filter, &self.page()).await
    }
}

async fn list(ctx: &Ctx, filter: &store::mailboxes::Filter<'_>, page: &PageRequest) -> Result<Page<Mailbox>> {
    let mut db = ctx.services.db.acquire().await?;
    let rows = store::mailboxes::list(&mut db, filter, page.after()?, page.fetch(), page.skip()).await?;
    Ok(Page::new(rows, page, |row| row.id))
}

listing! {
    /// Lists the mailboxes in the trash, newest first.
    pub struct ListDeletedMailboxes {}
}

impl Operation for ListDeletedMailboxes {
    type Output = Page<Mailbox>;
    const SPEC: Spec = Spec {
        name: "list_deleted_mailboxes",
        title: "List the trash",
        rest: (Method::Get, "/mailboxes/deleted"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Page<Mailbox>> {
        let filter = store::mailboxes::Filter {
            lifecycle: Some(Lifecycle::Trashed),
            reach: ctx.caller.reach().clone(),
            ..Default::default()
        };
        list(ctx, &filter, &self.page()).await
    }
}

/// Gets a mailbox, in whatever state it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetMailbox {
    /// Its address.
    pub address: Address,
}

impl Operation for GetMailbox {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "get_mailbox",
        title: "Get a mailbox",
        rest: (Method::Get, "/mailboxes/{address}"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let mut db = ctx.services.db.acquire().await?;
        found(&mut db, &self.address).await
    }
}

/// Changes a mailbox. What is not given stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateMailbox {
    /// Its address.
    pub address: Address,
    /// A note for people.
    #[serde(default)]
    pub note: Option<Text<200>>,
    /// `false` makes it refuse mail with 550 5.2.1, `true` makes it receive again.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// From which senders it gives out codes and links; what it withholds is marked as such.
    #[serde(default)]
    pub sender_policy: Option<SenderPolicy>,
    /// From when on it refuses mail; null takes the end away.
    #[serde(default, deserialize_with = "given")]
    pub expires_at: Option<Option<Timestamp>>,
    /// After how many days its messages are removed, counted from their arrival, starred ones spared; null as its domain has it.
    #[serde(default, deserialize_with = "given")]
    pub retention_days: Option<Option<Int<1, 36_500>>>,
}

impl Operation for UpdateMailbox {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "update_mailbox",
        title: "Change a mailbox",
        rest: (Method::Patch, "/mailboxes/{address}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let detail = json!({
            "note": self.note,
            "is_active": self.is_active,
            "expires_at": self.expires_at,
            "retention_days": self.retention_days,
            "sender_policy": self.sender_policy,
        });
        let changes = store::mailboxes::Changes {
            note: self.note.map(|note| note.as_str().to_owned()),
            is_active: self.is_active,
            expires_at: self.expires_at,
            sender_policy: self.sender_policy,
            retention_days: self.retention_days.map(|days| days.map(Int::get)),
        };
        let mut tx = ctx.begin().await?;
        if !store::mailboxes::update(&mut tx, &self.address, &changes).await? {
            let mailbox = found(&mut tx, &self.address).await?;
            return Err(Error::conflict(
                "mailbox_not_usable",
                format!("The mailbox {} is {}; restore or create it first.", self.address, mailbox.lifecycle.as_str()),
            ));
        }
        let mailbox = found(&mut tx, &self.address).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), detail).await?;
        Ok(mailbox)
    }
}

/// Puts a mailbox into the trash. It refuses mail from then on; its messages stay until it is purged.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeleteMailbox {
    /// Its address.
    pub address: Address,
}

impl Operation for DeleteMailbox {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "delete_mailbox",
        title: "Put a mailbox into the trash",
        rest: (Method::Delete, "/mailboxes/{address}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.trash"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let mut tx = ctx.begin().await?;
        if !store::mailboxes::trash(&mut tx, &self.address, ctx.caller.name()).await? {
            found(&mut tx, &self.address).await?;
            return Err(Error::conflict("mailbox_trashed", format!("The mailbox {} is in the trash already.", self.address)));
        }
        let mailbox = found(&mut tx, &self.address).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({})).await?;
        Ok(mailbox)
    }
}

/// Takes a mailbox out of the trash: it receives again.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RestoreMailbox {
    /// Its address.
    pub address: Address,
}

impl Operation for RestoreMailbox {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "restore_mailbox",
        title: "Restore a mailbox",
        rest: (Method::Post, "/mailboxes/{address}/restore"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("mailbox.restore"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let mut tx = ctx.begin().await?;
        if !store::mailboxes::restore(&mut tx, &self.address).await? {
            found(&mut tx, &self.address).await?;
            return Err(Error::conflict("mailbox_not_trashed", format!("The mailbox {} is not in the trash.", self.address)));
        }
        let mailbox = found(&mut tx, &self.address).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({})).await?;
        Ok(mailbox)
    }
}

/// Removes a mailbox and all its messages for good.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PurgeMailbox {
    /// Its address.
    pub address: Address,
    /// Must be true: there is no way back.
    pub permanent: bool,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PurgedMailbox {
    /// The mailbox's address.
    pub address: Address,
    /// How many messages went with it.
    pub deleted_messages: i64,
}

impl Operation for PurgeMailbox {
    type Output = PurgedMailbox;
    const SPEC: Spec = Spec {
        name: "purge_mailbox",
        title: "Remove a mailbox for good",
        rest: (Method::Delete, "/mailboxes/{address}?permanent=true"),
        scope: Scope::MailboxWrite,
        effect: Effect::Destructive,
        audit: Some("mailbox.purge"),
    };

    fn time_limit(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn run(self, ctx: &Ctx) -> Result<PurgedMailbox> {
        if !self.permanent {
            return Err(Error::invalid(
                "permanent",
                "must be true to remove a mailbox for good; delete_mailbox puts it into the trash",
            ));
        }
        purge(ctx, &self.address).await
    }
}

/// Removes a mailbox and all its messages for good, in steps.
pub(super) async fn purge(ctx: &Ctx, address: &Address) -> Result<PurgedMailbox> {
    let mut tx = ctx.begin().await?;
    let mailbox = found(&mut tx, address).await?;
    // No mail comes in meanwhile; and should the removal break off, what is left lies in the trash.
    store::mailboxes::trash(&mut tx, address, ctx.caller.name()).await?;
    store::notify::changes(&mut tx).await?;
    tx.commit().await?;
    ctx.services.forget().await;
    let mut deleted_messages = 0;
    // In steps, so that no transaction grows with the mailbox.
    loop {
        let mut db = ctx.services.db.acquire().await?;
        match store::messages::delete_some_in(&mut db, mailbox.id, 1000).await? {
            0 => break,
            gone => deleted_messages += gone,
        }
    }
    let mut tx = ctx.begin().await?;
    // What a writer committed in between.
    deleted_messages += store::messages::delete_some_in(&mut tx, mailbox.id, i64::from(i32::MAX)).await?;
    store::mailboxes::delete(&mut tx, mailbox.id).await?;
    let detail = json!({ "deleted_messages": deleted_messages });
    ctx.commit_and_forget::<PurgeMailbox>(tx, address.as_str(), detail).await?;
    Ok(PurgedMailbox { address: address.clone(), deleted_messages })
}

pub(super) fn unknown_mailbox(address: &Address) -> Error {
    Error::no_mailbox(address)
}

pub(super) async fn found(db: &mut PgConnection, address: &Address) -> Result<Mailbox> {
    store::mailboxes::find(db, address).await?.ok_or_else(|| unknown_mailbox(address))
}
