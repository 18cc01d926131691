//! A row of the audit log.

use schemars::JsonSchema;
use serde::Serialize;

use super::{AuditId, Timestamp};

/// Who did what, when and from where.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Identifies it.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// `admin`, `user`, `api_key`, `mailbox` (its password), `access_link`, `operator` (the command line), `job` or `nobody`.
    pub actor_kind: String,
    /// The account or key; null for the operator.
    pub actor_id: Option<String>,
    /// Its name at the time.
    pub actor_name: String,
    /// The door: `panel`, `rest`, `mcp`, `cli`, `job`.
    pub surface: String,
    /// What was done, as in `mailbox.create`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// `done`, `denied` or `failed`.
    pub outcome: String,
    /// The caller's network address.
    pub remote_address: Option<String>,
    /// The request's id, as in the log and in error bodies.
    pub request_id: Option<String>,
    /// More about it; never a secret.
    pub detail: serde_json::Value,
}
