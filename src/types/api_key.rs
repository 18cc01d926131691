//! An API key as lists show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, ApiKeyId, DomainName, Scope, Timestamp};

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApiKey {
    /// Identifies it.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// The start of the key, by which its holder recognises it.
    pub prefix: String,
    /// What it may do; null means everything.
    pub scopes: Option<Vec<Scope>>,
    /// The domains that it sees with all their mailboxes; null, together with `mailboxes`, means that it sees everything.
    pub domains: Option<Vec<DomainName>>,
    /// The mailboxes that it sees besides those of its domains.
    pub mailboxes: Option<Vec<Address>>,
    /// How many reads it has a minute, on each node; null means the default, 600.
    pub reads_per_minute: Option<i32>,
    /// How many writes it has a minute, on each node; null means the default, 120.
    pub writes_per_minute: Option<i32>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; null means never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null where it never was.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked; null where it was not.
    pub revoked_at: Option<Timestamp>,
}
