//! A user: somebody who reads the mailboxes that an administrator gave them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{PrincipalId, Timestamp};

/// Somebody who reads the mailboxes that an administrator gave them, and signs in with a token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct User {
    /// Identifies it.
    pub id: PrincipalId,
    /// What people call it.
    pub name: String,
    /// A note for people.
    pub note: String,
    /// Whether it may sign in.
    pub is_active: bool,
    /// How many mailboxes it sees outside the trash: its own and those shared with it.
    pub mailbox_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed in; null where it never did.
    pub last_login_at: Option<Timestamp>,
    /// When its present token was made.
    pub token_made_at: Option<Timestamp>,
    /// From when on its token is refused; null means never.
    pub token_expires_at: Option<Timestamp>,
}

/// Somebody who sees a shared mailbox.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Member {
    /// The user's id.
    pub user_id: PrincipalId,
    /// What people call the user.
    pub name: String,
    /// The mailbox's address.
    pub mailbox: super::Address,
    /// Since when.
    pub assigned_at: Timestamp,
}
