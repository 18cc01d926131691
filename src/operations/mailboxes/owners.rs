//! Who sees a mailbox: its owner, or the members of a shared one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Result};
use crate::operations::users;
use crate::operations::{Ctx, Effect, Method, Operation, Spec};
use crate::store;
use crate::types::{Address, Mailbox, Member, PrincipalId, Scope};

use super::found;

/// Gives a mailbox an owner, or takes it. A shared mailbox has members in place of an owner.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AssignMailboxToUser {
    /// The mailbox's address.
    pub address: Address,
    /// The user's id; null or absent leaves the mailbox without an owner.
    #[serde(default)]
    pub user_id: Option<PrincipalId>,
}

impl Operation for AssignMailboxToUser {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "assign_mailbox_to_user",
        title: "Give a mailbox an owner",
        rest: (Method::Put, "/mailboxes/{address}/owner"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("mailbox.assign"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let mut tx = ctx.begin().await?;
        if let Some(user) = self.user_id {
            users::found(&mut tx, user).await?;
        }
        let done = store::users::assign(&mut tx, &[self.address.to_string()], self.user_id).await?;
        let mailbox = found(&mut tx, &self.address).await?;
        if done.is_empty() {
            return Err(if mailbox.is_shared { is_shared(&self.address) } else { not_usable(&mailbox) });
        }
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({ "user_id": self.user_id })).await?;
        Ok(mailbox)
    }
}

fn is_shared(address: &Address) -> Error {
    Error::conflict("mailbox_is_shared", format!("The mailbox {address} is shared; add a member, or make it private first."))
}

fn not_usable(mailbox: &Mailbox) -> Error {
    let (address, state) = (&mailbox.address, mailbox.lifecycle.as_str());
    Error::conflict("mailbox_not_usable", format!("The mailbox {address} is {state}; restore or create it first."))
}

/// Gives many mailboxes the same owner. Each has its own result.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AssignMailboxesToUser {
    /// The mailboxes' addresses, at most 1000.
    #[schemars(length(min = 1, max = 1000))]
    pub addresses: Vec<Address>,
    /// The user's id; null or absent leaves the mailboxes without an owner.
    #[serde(default)]
    pub user_id: Option<PrincipalId>,
}

/// What became of one mailbox.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AssignedItem {
    /// The mailbox's address.
    pub address: Address,
    /// Whether it has the owner now.
    pub assigned: bool,
    /// Why not: `mailbox_not_assignable` where it is unknown, shared or in the trash; null where it has.
    pub code: Option<String>,
}

impl Operation for AssignMailboxesToUser {
    type Output = Vec<AssignedItem>;
    const SPEC: Spec = Spec {
        name: "assign_mailboxes_to_user",
        title: "Give many mailboxes an owner",
        rest: (Method::Post, "/mailboxes/assign"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("mailbox.assign_batch"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<AssignedItem>> {
        let mut tx = ctx.begin().await?;
        if let Some(user) = self.user_id {
            users::found(&mut tx, user).await?;
        }
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let done: std::collections::HashSet<String> =
            store::users::assign(&mut tx, &addresses, self.user_id).await?.into_iter().collect();
        let target = self.user_id.map(|id| id.to_string()).unwrap_or_default();
        let detail = json!({ "assigned": done.len(), "of": self.addresses.len() });
        ctx.commit_and_forget::<Self>(tx, &target, detail).await?;
        let item = |address: Address| {
            let assigned = done.contains(address.as_str());
            let code = (!assigned).then(|| "mailbox_not_assignable".to_owned());
            AssignedItem { address, assigned, code }
        };
        Ok(self.addresses.into_iter().map(item).collect())
    }
}

/// Makes a mailbox shared, or private again. Sharing makes its owner a member. Of a shared mailbox with several members, say who
/// owns it when it becomes private: nobody loses it unasked.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SetMailboxShared {
    /// The mailbox's address.
    pub address: Address,
    /// Whether it is shared.
    pub is_shared: bool,
    /// The user who owns it when it becomes private; needed where it has more than one member.
    #[serde(default)]
    pub owner_id: Option<PrincipalId>,
}

impl Operation for SetMailboxShared {
    type Output = Mailbox;
    const SPEC: Spec = Spec {
        name: "set_mailbox_shared",
        title: "Share a mailbox, or make it private",
        rest: (Method::Put, "/mailboxes/{address}/shared"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("mailbox.set_shared"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Mailbox> {
        let mut tx = ctx.begin().await?;
        let before = found(&mut tx, &self.address).await?;
        match (before.is_shared, self.is_shared) {
            (false, true) => store::users::share(&mut tx, before.id).await?,
            (true, false) => {
                let members = store::users::members(&mut tx, before.id).await?;
                let owner = match (self.owner_id, members.as_slice()) {
                    (Some(owner), _) => Some(users::found(&mut tx, owner).await?.id),
                    (None, []) => None,
                    (None, [only]) => Some(only.user_id),
                    (None, several) => {
                        let detail = format!("The mailbox has {} members; say with owner_id who keeps it.", several.len());
                        return Err(Error::conflict("several_members", detail));
                    }
                };
                store::users::unshare(&mut tx, before.id, owner).await?;
            }
            (true, true) | (false, false) => {}
        }
        let mailbox = found(&mut tx, &self.address).await?;
        let detail = json!({ "is_shared": self.is_shared, "owner_id": mailbox.user_id });
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), detail).await?;
        Ok(mailbox)
    }
}

/// Lets a user see a shared mailbox.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AddUserToSharedMailbox {
    /// The mailbox's address.
    pub address: Address,
    /// The user's id.
    pub user_id: PrincipalId,
}

impl Operation for AddUserToSharedMailbox {
    type Output = Vec<Member>;
    const SPEC: Spec = Spec {
        name: "add_user_to_shared_mailbox",
        title: "Add a member to a shared mailbox",
        rest: (Method::Put, "/mailboxes/{address}/members/{user_id}"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("mailbox.add_member"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<Member>> {
        let mut tx = ctx.begin().await?;
        let mailbox = found(&mut tx, &self.address).await?;
        if !mailbox.is_shared {
            let detail = format!("The mailbox {} is not shared; share it first.", self.address);
            return Err(Error::conflict("mailbox_not_shared", detail));
        }
        users::found(&mut tx, self.user_id).await?;
        store::users::add_member(&mut tx, mailbox.id, self.user_id).await?;
        let members = store::users::members(&mut tx, mailbox.id).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({ "user_id": self.user_id })).await?;
        Ok(members)
    }
}

/// Takes a shared mailbox from a user, who sees it no longer.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RemoveUserFromSharedMailbox {
    /// The mailbox's address.
    pub address: Address,
    /// The user's id.
    pub user_id: PrincipalId,
}

impl Operation for RemoveUserFromSharedMailbox {
    type Output = Vec<Member>;
    const SPEC: Spec = Spec {
        name: "remove_user_from_shared_mailbox",
        title: "Remove a member of a shared mailbox",
        rest: (Method::Delete, "/mailboxes/{address}/members/{user_id}"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("mailbox.remove_member"),
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<Member>> {
        let mut tx = ctx.begin().await?;
        let mailbox = found(&mut tx, &self.address).await?;
        if !store::users::remove_member(&mut tx, mailbox.id, self.user_id).await? {
            return Err(Error::not_found("member", format!("The user {} is no member of {}.", self.user_id, self.address)));
        }
        let members = store::users::members(&mut tx, mailbox.id).await?;
        ctx.commit_and_forget::<Self>(tx, self.address.as_str(), json!({ "user_id": self.user_id })).await?;
        Ok(members)
    }
}

/// Lists who sees a shared mailbox, the longest there first; at most 1000.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetSharedMailboxUsers {
    /// The mailbox's address.
    pub address: Address,
}

impl Operation for GetSharedMailboxUsers {
    type Output = Vec<Member>;
    const SPEC: Spec = Spec {
        name: "get_shared_mailbox_users",
        title: "List the members of a shared mailbox",
        rest: (Method::Get, "/mailboxes/{address}/members"),
        scope: Scope::UsersAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<Member>> {
        let mut db = ctx.services.db.acquire().await?;
        let mailbox = found(&mut db, &self.address).await?;
        store::users::members(&mut db, mailbox.id).await
    }
}
