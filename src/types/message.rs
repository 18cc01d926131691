//! A message as lists show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, MessageId, Timestamp};

/// A message as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MessageSummary {
    /// Identifies it.
    pub id: MessageId,
    /// The mailbox that it lies in.
    pub mailbox: Address,
    /// The address that it was sent to; another than the mailbox's for sub-addresses and catch-alls.
    pub recipient: Address,
    /// The author's address from the header; empty where there is none.
    pub from_address: String,
    /// The author's name from the header; empty where there is none.
    pub from_name: String,
    /// Decoded, on one line.
    pub subject: String,
    /// The first 200 characters of what a reader sees.
    pub preview: String,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// Its size as sent, in octets.
    pub size_octets: i64,
    /// How many attachments it has.
    pub attachment_count: i32,
    /// The verification code in it; null where there is none.
    pub code: Option<String>,
    /// How sure the code is, from 0 to 1.
    pub code_confidence: Option<f64>,
    /// The verification link in it; null where there is none. Never fetched by this server.
    pub link: Option<String>,
    /// Whether somebody read it.
    pub is_read: bool,
    /// Whether somebody starred it.
    pub is_starred: bool,
}
