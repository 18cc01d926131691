//! A session of the SMTP listener as the ledger has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Address, ContentId, MessageId, SessionId, SmtpBanId, Timestamp};

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpOutcome {
    /// At least one message was stored.
    Accepted,
    /// No message was stored: the last one, or its recipient, was refused for good.
    Refused,
    /// No message was stored: the sender was asked to come back.
    Deferred,
    /// The peer went away in the midst of it.
    Aborted,
    /// The TLS handshake failed.
    TlsFailed,
    /// The peer took too long.
    TimedOut,
    /// It was not let in: a ban, or too many connections.
    TurnedAway,
    /// The peer left in an orderly way without a message.
    NoMail,
}

impl SmtpOutcome {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Refused,
        Self::Deferred,
        Self::Aborted,
        Self::TlsFailed,
        Self::TimedOut,
        Self::TurnedAway,
        Self::NoMail,
    ];

    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
            Self::Aborted => "aborted",
            Self::TlsFailed => "tls_failed",
            Self::TimedOut => "timed_out",
            Self::TurnedAway => "turned_away",
            Self::NoMail => "no_mail",
        }
    }

    /// The outcome of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// A session as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SmtpSession {
    /// Identifies it; the log has it too. Sessions sort by it in the order in which they began.
    pub id: SessionId,
    /// When the peer connected.
    pub began_at: Timestamp,
    /// When the connection ended.
    pub ended_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The peer's address.
    pub address: String,
    /// The proxy that it came through; null where there was none.
    pub proxy: Option<String>,
    /// The name of the address in DNS; null where it is not known.
    pub reverse_name: Option<String>,
    /// The name that the peer gave in EHLO or HELO; empty where it gave none.
    pub helo: String,
    /// TLS version and cipher suite; null where it was not encrypted.
    pub tls: Option<String>,
    /// How far it came: connect, greeting, hello, starttls, mail, rcpt, data or stored.
    pub stage: String,
    /// What became of it: accepted, refused, deferred, aborted, tls_failed, timed_out, turned_away or no_mail.
    pub outcome: String,
    /// Why it ended: quit, closed, broken, timed_out, too_slow, tls_failed, shutting_down, banned, busy, connection_rate,
    /// command_rate, errors, unknown_recipients, junk, messages, http, proxy or refused.
    pub reason: String,
    /// The code of the reply that decided: to the last message where one was stored, to what was refused where all was, and
    /// otherwise the last one; 0 where there was none.
    pub reply_code: i16,
    /// The text of that reply.
    pub reply_text: String,
    /// Octets that came.
    pub octets_in: i64,
    /// Octets that were sent.
    pub octets_out: i64,
    /// How many commands came.
    pub commands: i32,
    /// How many of them failed.
    pub errors: i32,
    /// How many messages were stored.
    pub messages: i32,
    /// How many recipients were named, taken or not.
    pub recipients_named: i32,
    /// The senders that were named; some of them, where there were many.
    pub senders: Vec<String>,
    /// The recipients that were named; some of them, where there were many.
    pub recipients: Vec<String>,
}

/// A transaction of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SmtpTransaction {
    /// The reverse-path; empty for the null path.
    pub sender: String,
    /// The recipients, each with the reply that it got; some of them, where there were many.
    pub recipients: Vec<SmtpRecipient>,
    /// The code of the last reply to the message, or to MAIL where no message came.
    pub code: u16,
    /// The text of that reply.
    pub text: String,
    /// The size of the message, where it was stored.
    #[serde(default)]
    pub size_octets: Option<i64>,
    /// What the message was stored as; null where it was not.
    #[serde(default)]
    pub content_id: Option<ContentId>,
}

/// A recipient of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SmtpRecipient {
    /// The address as the peer wrote it.
    pub address: String,
    /// The reply's code.
    pub code: u16,
    /// The reply's text.
    pub text: String,
}

/// A message that a session stored, in one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SmtpStored {
    /// The message.
    pub message_id: MessageId,
    /// What it was stored as, shared by the recipients of one transaction.
    pub content_id: ContentId,
    /// The mailbox that it lies in.
    pub mailbox: Address,
}

/// A peer that is turned away for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SmtpBan {
    /// Identifies it.
    pub id: SmtpBanId,
    /// The address or network, such as `192.0.2.1` or `2001:db8::/64`.
    pub network: String,
    /// What it did too often: `errors` or `unknown_recipients`.
    pub reason: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}
