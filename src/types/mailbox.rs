//! A mailbox: where the mail of an address is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{AddressForms, in_both_forms};
use super::{Address, DomainName, MailboxId, PrincipalId, SenderPolicy, Timestamp};

/// Where the mail of an address is kept.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Mailbox {
    /// Identifies it.
    pub id: MailboxId,
    /// The address that it receives at.
    #[serde(flatten, serialize_with = "in_both_forms")]
    #[schemars(with = "AddressForms<'static>")]
    pub address: Address,
    /// The address's domain.
    pub domain: DomainName,
    /// Whether it receives.
    pub lifecycle: Lifecycle,
    /// A note for people.
    pub note: String,
    /// From which senders it gives out codes and links.
    pub sender_policy: SenderPolicy,
    /// How many messages it holds.
    pub message_count: i64,
    /// How many of them are unread.
    pub unread_count: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it refuses mail; null means never.
    pub expires_at: Option<Timestamp>,
    /// When it was put into the trash; null where it was not.
    pub trashed_at: Option<Timestamp>,
    /// Who put it there.
    pub trashed_by: Option<String>,
    /// The user who owns it; null where nobody does, and where it is shared.
    pub user_id: Option<PrincipalId>,
    /// Whether it is shared: its members see it, and nobody owns it.
    pub is_shared: bool,
    /// When somebody last signed in with its password; null where nobody did.
    pub last_login_at: Option<Timestamp>,
    /// After how many days its messages are removed, starred ones spared; null as its domain has it.
    pub retention_days: Option<i32>,
}

/// Whether a mailbox receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// It receives.
    Active,
    /// Its mail is refused with 550 5.2.1 until it is enabled again.
    Disabled,
    /// Its time is over: mail is refused with 550 5.2.1.
    Expired,
    /// It is in the trash: mail is refused with 550 5.2.1.
    Trashed,
    /// Nobody made it: mail for an unknown address of a collecting domain lies here.
    Collected,
}

impl Lifecycle {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Trashed => "trashed",
            Self::Collected => "collected",
        }
    }
}

impl TryFrom<String> for Lifecycle {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        [Self::Active, Self::Disabled, Self::Expired, Self::Trashed, Self::Collected]
            .into_iter()
            .find(|l| l.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a lifecycle"))
    }
}
