//! An API key as lists show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ApiKeyId, Scope, Timestamp};

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
