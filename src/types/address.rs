//! Mailbox addresses (RFC 5321 section 4.1.2, RFC 6531).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::DomainName;

/// A mailbox address in the form in which it is stored and compared: local part in lower case and NFC, domain in A-labels.
///
/// A quoted local part that needs no quotes loses them, since both forms name the same mailbox (RFC 5321 section 4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "email", "examples" = ["alice@example.org"]))]
#[sqlx(transparent)]
pub struct Address(String);

/// Why a text is not a mailbox address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// There is no `@`.
    #[error("has no @; an address looks like name@example.org")]
    NoAt,
    /// Nothing before the `@`.
    #[error("has nothing before the @")]
    EmptyLocalPart,
    /// More than 64 octets before the `@` (RFC 5321 section 4.5.3.1.1).
    #[error("has more than 64 octets before the @")]
    LocalPartTooLong,
    /// Characters, dots or quotes that a local part cannot have.
    #[error("has a part before the @ that is not allowed: {0}")]
    LocalPart(&'static str),
    /// The part after the `@`.
    #[error("has a domain that {0}")]
    Domain(#[from] super::InvalidDomainName),
}

impl Address {
    /// Puts an address together from its parts; `local_part` unquoted, as people type it.
    pub fn new(local_part: &str, domain: &DomainName) -> Result<Self, InvalidAddress> {
        Ok(Self(format!("{}@{domain}", canonical_local_part(local_part)?)))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the last `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain, in A-labels.
    pub fn domain(&self) -> DomainName {
        // The constructor parsed it; only the text after the last `@` can be the domain.
        self.domain_str().parse().unwrap_or_else(|_| unreachable!("a stored address has a valid domain"))
    }

    /// The domain as text, in A-labels.
    pub fn domain_str(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address with U-labels, for people.
    pub fn to_unicode(&self) -> String {
        format!("{}@{}", self.local_part(), idna::domain_to_unicode(self.domain_str()).0)
    }

    /// The base address and the detail, where the local part has a sub-address (RFC 5233): `a+b@x` gives `a@x` and `b`.
    pub fn split_detail(&self) -> Option<(Address, &str)> {
        let (base, detail) = self.local_part().split_once('+')?;
        (!base.is_empty() && !base.starts_with('"')).then(|| (Self(format!("{base}@{}", self.domain_str())), detail))
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress::NoAt)?;
        // The name is checked first: `a@@b` and `a@b@c` are faults of the local part.
        let local = canonical_local_part(local)?;
        let domain: DomainName = domain.parse()?;
        Ok(Self(format!("{local}@{domain}")))
    }
}

/// How an address stands in JSON where people may read it too.
#[derive(Serialize, JsonSchema)]
pub(super) struct AddressForms<'a> {
    /// The address, its domain in A-labels: the form in which addresses are compared.
    address: &'a Address,
    /// The same with the domain in U-labels, for people. Every input takes both forms.
    display_address: String,
}

/// Writes an address in both forms.
pub(super) fn in_both_forms<S: serde::Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    AddressForms { address, display_address: address.to_unicode() }.serialize(serializer)
}

/// The stored form of a local part: unquoted where it can be, NFC, lower case.
fn canonical_local_part(given: &str) -> Result<String, InvalidAddress> {
    if given.is_empty() {
        return Err(InvalidAddress::EmptyLocalPart);
    }
    let (content, quoted) = match given.strip_prefix('"') {
        Some(rest) => (unquote(rest)?, true),
        None => (given.to_owned(), false),
    };
    let content: String = content.nfc().flat_map(char::to_lowercase).nfc().collect();
    let canonical = if is_dot_string(&content) {
        content
    } else if quoted {
        quote(&content)?
    } else {
        return Err(InvalidAddress::LocalPart(
            "use letters, digits and . _ - + and the like, no spaces, no dot at an end or doubled",
        ));
    };
    if canonical.len() > 64 {
        return Err(InvalidAddress::LocalPartTooLong);
    }
    Ok(canonical)
}

/// The content of a quoted string whose opening quote is gone.
fn unquote(rest: &str) -> Result<String, InvalidAddress> {
    let mut content = String::with_capacity(rest.len());
    let mut chars = rest.chars();
    loop {
        match chars.next() {
            Some('"') if chars.as_str().is_empty() && !content.is_empty() => return Ok(content),
            Some('"') | None => return Err(InvalidAddress::LocalPart("the quotes do not enclose it")),
            Some('\\') => match chars.next() {
                Some(c) if c == ' ' || c.is_ascii_graphic() => content.push(c),
                _ => return Err(InvalidAddress::LocalPart("a backslash must stand before a printable character")),
            },
            Some(c) => content.push(c),
        }
    }
}

/// A quoted string with only the backslashes that it needs.
fn quote(content: &str) -> Result<String, InvalidAddress> {
    let mut quoted = String::from("\"");
    for c in content.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => return Err(InvalidAddress::LocalPart("control characters cannot stand in it")),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// Whether a text is a Dot-string (RFC 5321 section 4.1.2), with the UTF-8 atoms of RFC 6531 section 3.3.
fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "!#$%&'*+-/=?^_`{|}~".contains(c)
                    || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
            })
    })
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_addresses_have_one_form() {
        for (given, stored) in [
            ("Alice@Example.ORG", "alice@example.org"),
            (r#""alice"@example.org"#, "alice@example.org"),
            (r#""al\ice"@example.org"#, "alice@example.org"),
            (r#""a b"@example.org"#, r#""a b"@example.org"#),
            (r#""a@b"@example.org"#, r#""a@b"@example.org"#),
            ("a+Tag@example.org", "a+tag@example.org"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
            ("JOSE\u{301}@example.org", "josé@example.org"),
        ] {
            assert_eq!(given.parse::<Address>().map(String::from), Ok(stored.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in [
            "alice",
            "@example.org",
            "a@",
            "a b@example.org",
            ".a@example.org",
            "a..b@example.org",
            "a@b@example.org",
            "a@@example.org",
            r#""a@example.org"#,
            "\"a\u{7}\"@example.org",
            "a\0@example.org",
            r#"""@example.org"#,
            "a@[127.0.0.1]",
        ] {
            assert!(given.parse::<Address>().is_err(), "{given:?}");
        }
        assert!(format!("{}@example.org", "a".repeat(64)).parse::<Address>().is_ok());
        assert_eq!(format!("{}@example.org", "a".repeat(65)).parse::<Address>(), Err(InvalidAddress::LocalPartTooLong));
    }

    #[test]
    fn a_sub_address_names_its_base_and_detail() {
        let address: Address = "alice+news+x@example.org".parse().expect("valid");
        let (base, detail) = address.split_detail().expect("has a detail");
        assert_eq!((base.as_str(), detail), ("alice@example.org", "news+x"));
        assert_eq!("alice@example.org".parse::<Address>().expect("valid").split_detail(), None);
    }
}
