//! A link that lets its holder read one mailbox.

use schemars::JsonSchema;
use serde::Serialize;

use super::{AccessLinkId, Address, Timestamp};

/// A link that lets whoever has it read one mailbox, as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccessLink {
    /// Identifies it.
    pub id: AccessLinkId,
    /// The mailbox that it opens.
    pub mailbox: Address,
    /// A note for people.
    pub note: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; null means never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; null where it was not.
    pub revoked_at: Option<Timestamp>,
    /// When it last began a session; null where it never did.
    pub last_used_at: Option<Timestamp>,
}
