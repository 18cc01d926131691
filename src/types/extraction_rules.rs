//! What the codes of one service look like.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;

/// The characters that a code consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// 0 to 9 only.
    Digits,
    /// Letters only.
    Letters,
    /// Letters and digits.
    LettersAndDigits,
}

/// What the codes of one service look like, as it is written down and stored with a service template. Everything that
/// is left out allows everything; `crate::mail::extract::Rule::new` checks it and makes it ready to use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExtractionRules {
    /// The sender that the rules are for: an address, or a domain with its subdomains. At most 254 octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// The fewest characters of a code, separators not counted; 1 to 64.
    #[serde(alias = "minLength", skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u8>,
    /// The most characters of a code, separators not counted; 1 to 64.
    #[serde(alias = "maxLength", skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u8>,
    /// The characters that a code consists of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<Alphabet>,
    /// A regular expression over the visible text; its first group, or all of it, is the code. At most 512 octets, and
    /// 64 KB compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

impl ExtractionRules {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
