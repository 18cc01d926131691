//! A domain that mail is received for.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::domain_name::{NameForms, in_both_forms};
use super::{Address, AuthPolicy, DomainId, DomainName, MtaSts, Postmaster, Timestamp};

/// A domain that mail is received for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Domain {
    /// Identifies it.
    pub id: DomainId,
    /// The name.
    #[serde(flatten, serialize_with = "in_both_forms")]
    #[schemars(with = "NameForms<'static>")]
    pub name: DomainName,
    /// Whether it is the domain of addresses that are given without one.
    pub is_default: bool,
    /// What happens to mail for addresses that nobody made.
    pub unknown: UnknownRecipients,
    /// What happens to mail that the author's domain disowns.
    pub auth_policy: AuthPolicy,
    /// Whether mail for an address of any of its subdomains is mail for the same address here.
    pub takes_subdomains: bool,
    /// Where mail for postmaster and abuse lands while they have no mailbox or alias of their own.
    pub postmaster: Postmaster,
    /// What senders are told about encryption on the way here (MTA-STS).
    pub mta_sts: MtaSts,
    /// How many mailboxes it has, those in the trash included.
    pub mailbox_count: i64,
    /// After how many days the messages of its mailboxes are removed, starred ones spared; null as the installation has it.
    pub retention_days: Option<i32>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What happens to mail for addresses of a domain that nobody made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UnknownRecipients {
    /// Refused at RCPT with 550 5.1.1.
    #[default]
    Reject,
    /// Kept until somebody makes a mailbox of the address, which then has it.
    Collect,
    /// Put into this mailbox.
    Deliver(Address),
}

impl JsonSchema for UnknownRecipients {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UnknownRecipients".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`reject`, `collect`, or the address of the mailbox that gets them.",
            "examples": ["reject", "collect", "catchall@example.org"],
        })
    }
}

impl FromStr for UnknownRecipients {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "reject" => Ok(Self::Reject),
            "collect" => Ok(Self::Collect),
            address => address.parse().map(Self::Deliver).map_err(|_| "must be reject, collect or a mailbox address".to_owned()),
        }
    }
}

impl TryFrom<String> for UnknownRecipients {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for UnknownRecipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reject => f.write_str("reject"),
            Self::Collect => f.write_str("collect"),
            Self::Deliver(address) => address.fmt(f),
        }
    }
}

impl From<UnknownRecipients> for String {
    fn from(rule: UnknownRecipients) -> Self {
        rule.to_string()
    }
}
