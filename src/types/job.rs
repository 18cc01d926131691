//! A background job as operators see it.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;

/// A background job: what one node at a time does at an interval.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JobState {
    /// Its name, such as `mailboxes.expire`.
    #[schemars(extend("examples" = ["mailboxes.expire"]))]
    pub name: String,
    /// Whether a node is doing it now.
    pub is_running: bool,
    /// Which node does it now; null where none does.
    pub running_on: Option<String>,
    /// When it is due.
    pub next_run_at: Timestamp,
    /// When it last began; null where it never did.
    pub last_started_at: Option<Timestamp>,
    /// When it last ended, done or failed; null where it never did.
    pub last_finished_at: Option<Timestamp>,
    /// Why the last run failed; null where it did not.
    pub last_error: Option<String>,
    /// How many runs failed since the last success.
    pub failures_in_a_row: i32,
    /// What the last success did, in figures by name.
    pub last_result: serde_json::Value,
}
