//! Where mail for the two addresses lands that every domain answers.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Address;

/// Where mail for postmaster (RFC 5321 section 4.5.1) and abuse (RFC 2142) lands while they have no mailbox or alias.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Postmaster {
    /// Kept under the address until somebody makes its mailbox, which then has it.
    #[default]
    Collect,
    /// Put into this mailbox.
    Deliver(Address),
}

impl JsonSchema for Postmaster {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Postmaster".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`collect`, or the address of the mailbox that gets mail for postmaster and abuse.",
            "examples": ["collect", "admin@example.org"],
        })
    }
}

impl FromStr for Postmaster {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "collect" => Ok(Self::Collect),
            address => address.parse().map(Self::Deliver).map_err(|_| "must be collect or a mailbox address".to_owned()),
        }
    }
}

impl TryFrom<String> for Postmaster {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Postmaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collect => f.write_str("collect"),
            Self::Deliver(address) => address.fmt(f),
        }
    }
}

impl From<Postmaster> for String {
    fn from(rule: Postmaster) -> Self {
        rule.to_string()
    }
}
