//! Domain names (RFC 5321 section 4.1.2, RFC 5890).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A domain name in the form in which it is stored and compared: lower case, A-labels, no trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "hostname", "examples" = ["example.org"]))]
#[sqlx(transparent)]
pub struct DomainName(String);

/// Why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDomainName {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// More than 253 octets in A-label form.
    #[error("has more than 253 characters")]
    TooLong,
    /// A single label, such as `localhost`.
    #[error("has a single label; a domain for mail needs at least two, as in example.org")]
    SingleLabel,
    /// Not valid by IDNA or by the rules for host names.
    #[error("is not a valid domain name: letters, digits and hyphens in labels of 1 to 63, joined by dots")]
    Malformed,
}

impl DomainName {
    /// The name in A-labels, as it stands in DNS.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with U-labels, for people.
    pub fn to_unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }
}

/// How the name of a domain stands in JSON where people may read it too.
#[derive(Serialize, JsonSchema)]
pub(super) struct NameForms<'a> {
    /// The name in A-labels, as it stands in DNS.
    name: &'a DomainName,
    /// The name in U-labels, for people. Every input takes both forms.
    display_name: String,
}

/// Writes a name in both forms.
pub(super) fn in_both_forms<S: serde::Serializer>(name: &DomainName, serializer: S) -> Result<S::Ok, S::Error> {
    NameForms { name, display_name: name.to_unicode() }.serialize(serializer)
}

impl FromStr for DomainName {
    type Err = InvalidDomainName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(InvalidDomainName::Empty);
        }
        if text.len() > 1000 {
            return Err(InvalidDomainName::TooLong);
        }
        let ascii = if text.is_ascii() && !text.to_ascii_lowercase().contains("xn--") {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii_strict(text).map_err(|_| InvalidDomainName::Malformed)?
        };
        if ascii.len() > 253 {
            return Err(InvalidDomainName::TooLong);
        }
        if !ascii.split('.').all(is_label) || ascii.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit())) {
            return Err(InvalidDomainName::Malformed);
        }
        if !ascii.contains('.') {
            return Err(InvalidDomainName::SingleLabel);
        }
        Ok(Self(ascii))
    }
}

/// A label of a host name: letters, digits and inner hyphens, 1 to 63 octets (RFC 1123 section 2.1).
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl TryFrom<String> for DomainName {
    type Error = InvalidDomainName;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_a_labels_without_a_trailing_dot() {
        for (given, stored) in [
            ("Example.ORG", "example.org"),
            ("example.org.", "example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("a-b.c1.example", "a-b.c1.example"),
        ] {
            assert_eq!(given.parse::<DomainName>().map(String::from), Ok(stored.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_with_its_reason() {
        for given in ["", ".", "localhost", "-a.example", "a..b", "a_b.example", "1.2.3.4", "a b.example", "exa\0mple.org"] {
            assert!(given.parse::<DomainName>().is_err(), "{given:?}");
        }
        assert_eq!(format!("{}.example", "a".repeat(64)).parse::<DomainName>(), Err(InvalidDomainName::Malformed));
        assert_eq!("localhost".parse::<DomainName>(), Err(InvalidDomainName::SingleLabel));
    }
}
