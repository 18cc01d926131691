//! A message as lists show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, MessageId, SenderTrust, Timestamp};

/// A message as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "marks, each on or off by itself")]
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
    /// The verification code in it; null where there is none, or it is withheld.
    pub code: Option<String>,
    /// How sure the code is, from 0 to 1.
    pub code_confidence: Option<f64>,
    /// The verification link in it; null where there is none, or it is withheld. Never fetched by this server.
    pub link: Option<String>,
    /// Whether the author's domain stands for the message.
    pub sender_trust: SenderTrust,
    /// Whether a code or link is kept back, since the mailbox gives out none of such senders.
    pub withheld: bool,
    /// Whether it is kept apart, since the author's domain disowns it.
    pub is_quarantined: bool,
    /// Whether somebody read it.
    pub is_read: bool,
    /// Whether somebody starred it.
    pub is_starred: bool,
}
