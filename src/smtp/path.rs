//! Paths: what stands between the angle brackets of MAIL and RCPT (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
//!
//! The `smtp-proto` crate has a reader for paths too, but it undoes quotes before the parts are told apart, cannot tell
//! `<Postmaster>` from `<>`, and refuses address literals.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest Local-part in octets (RFC 5321 section 4.5.3.1.1); quotes and backslashes may double it.
const LONGEST_LOCAL_PART: usize = 64;
/// The longest domain in octets (RFC 5321 section 4.5.3.1.2).
const LONGEST_DOMAIN: usize = 255;

/// A path without its brackets and source route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// `<>`.
    Null,
    /// `<Postmaster>`, the one name that needs no domain.
    Postmaster,
    /// An address, as the peer wrote it.
    Mailbox {
        /// All of it.
        address: &'a str,
        /// What stands after the `@`.
        domain: &'a str,
    },
}

impl<'a> Path<'a> {
    /// Reads a path at the start of a text; returns it with what follows. `None` where there is none, or it is malformed.
    pub(super) fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.strip_prefix('<')?;
        if let Some(rest) = rest.strip_prefix('>') {
            return Some((Self::Null, rest));
        }
        let address = without_route(rest)?;
        let after_local = local_part(address)?;
        if let Some(rest) = after_local.strip_prefix('>') {
            let name = address.get(..address.len() - after_local.len())?;
            return name.eq_ignore_ascii_case("postmaster").then_some((Self::Postmaster, rest));
        }
        let (domain, rest) = after_local.strip_prefix('@')?.split_once('>')?;
        let address = address.get(..address.len() - rest.len() - 1)?;
        is_domain_or_literal(domain).then_some((Self::Mailbox { address, domain }, rest))
    }

    /// As stored and shown: the address, or nothing for the null path.
    pub(super) fn text(&self) -> &'a str {
        match self {
            Self::Null => "",
            Self::Postmaster => "postmaster",
            Self::Mailbox { address, .. } => address,
        }
    }

    /// Whether the domain is an address in brackets, which is never one of ours.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Mailbox { domain, .. } if domain.starts_with('['))
    }
}

/// Source routes are read and ignored (RFC 5321 section 4.1.1.3 and appendix C).
fn without_route(text: &str) -> Option<&str> {
    if !text.starts_with('@') {
        return Some(text);
    }
    let (route, address) = text.split_once(':')?;
    route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(is_domain)).then_some(address)
}

/// Reads a Local-part; returns what follows it.
fn local_part(text: &str) -> Option<&str> {
    if let Some(content) = text.strip_prefix('"') {
        let rest = after_quoted_string(content)?;
        return (text.len() - rest.len() <= 2 * LONGEST_LOCAL_PART + 2).then_some(rest);
    }
    let end = text.find(['@', '>'])?;
    let (local, rest) = text.split_at_checked(end)?;
    let valid = local.len() <= LONGEST_LOCAL_PART && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    valid.then_some(rest)
}

/// Reads the content of a Quoted-string; returns what follows the closing quote. It may not be empty.
fn after_quoted_string(content: &str) -> Option<&str> {
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return (chars.as_str().len() + 1 < content.len()).then_some(chars.as_str()),
            '\\' => {
                chars.next().filter(|c| (' '..='~').contains(c))?;
            }
            c if c.is_control() => return None,
            _ => {}
        }
    }
    None
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_utf8_non_ascii(c)
}

fn is_utf8_non_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

fn is_domain_or_literal(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(literal) => literal.strip_suffix(']').is_some_and(is_literal_content),
        None => is_domain(text),
    }
}

/// Labels joined by dots. An underscore is let through, since hosts with one do send mail.
pub(super) fn is_domain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_DOMAIN
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63 * 4
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || is_utf8_non_ascii(c))
        })
}

/// What may stand between the brackets of an address literal (RFC 5321 section 4.1.3).
pub(super) fn is_literal_content(text: &str) -> bool {
    if text.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("IPv6:")) {
        return text.get(5..).is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    match text.split_once(':') {
        Some((tag, content)) => {
            let tag_ok = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            tag_ok && !content.is_empty() && content.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-_".contains(&b))
        }
        None => text.parse::<Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(&str, &str)> {
        Path::read(text).map(|(path, rest)| (path.text(), rest))
    }

    #[test]
    fn paths_are_read_with_what_follows() {
        for (text, address, rest) in [
            ("<>", "", ""),
            ("<> SIZE=10", "", " SIZE=10"),
            ("<a@example.org>", "a@example.org", ""),
            ("<a@example.org>SIZE=1", "a@example.org", "SIZE=1"),
            ("<A.b+c@Example.ORG> X", "A.b+c@Example.ORG", " X"),
            ("<\"a b\"@example.org>", "\"a b\"@example.org", ""),
            ("<\"a>@\\\"b\"@example.org>", "\"a>@\\\"b\"@example.org", ""),
            ("<@one.example,@two.example:a@example.org>", "a@example.org", ""),
            ("<a@[192.0.2.1]>", "a@[192.0.2.1]", ""),
            ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", ""),
            ("<a%b@example.org>", "a%b@example.org", ""),
            ("<x!a@example.org>", "x!a@example.org", ""),
            ("<a@localhost>", "a@localhost", ""),
            ("<用户@例え.テスト>", "用户@例え.テスト", ""),
            ("<PostMaster>", "postmaster", ""),
        ] {
            assert_eq!(read(text), Some((address, rest)), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "<",
            "a@example.org",
            "<a@example.org",
            "a@example.org>",
            "< a@example.org>",
            "<a@example.org >",
            "<a>",
            "<@>",
            "<a@>",
            "<@example.org>",
            "<a@@example.org>",
            "<a@b@example.org>",
            "<.a@example.org>",
            "<a.@example.org>",
            "<a..b@example.org>",
            "<a b@example.org>",
            "<\"a@example.org>",
            "<\"a\"b@example.org>",
            "<\"\"@example.org>",
            "<a@.example.org>",
            "<a@example.org.>",
            "<a@example..org>",
            "<a@-example.org>",
            "<a@exam ple.org>",
            "<a@[192.0.2]>",
            "<a@[192.0.2.1>",
            "<a@[IPv6:xyz]>",
            "<a@[]>",
            "<a,b@example.org>",
            "<a:b@example.org>",
            "<(a)@example.org>",
            "<<a@example.org>>",
            "<@one.example a@example.org>",
            "<@one.example:>",
            "<@:a@example.org>",
            "<=?utf-8?q?a@example.org?=@example.net>",
            "<\"a\u{7}\"@example.org>",
            "<\"a\\\u{e9}\"@example.org>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_the_standard_are_taken() {
        let local = "l".repeat(64);
        let domain = format!("{}.{}.{}.org", "d".repeat(60), "d".repeat(60), "d".repeat(63));
        assert_eq!(local.len() + domain.len() + 3, 256, "the longest path of RFC 5321 section 4.5.3.1.3");
        assert!(read(&format!("<{local}@{domain}>")).is_some());
        assert!(read(&format!("<{local}l@example.org>")).is_none());
        assert!(read(&format!("<\"{}\"@example.org>", "l".repeat(129))).is_none());
        assert!(read(&format!("<a@{}.org>", "d.".repeat(130))).is_none());
    }

    proptest! {
        #[test]
        fn reading_never_fails_and_never_lets_a_line_end_through(text in "[<>@\"\\\\a.:,\\[\\]\r\n\0 é-]{0,40}") {
            if let Some((path, rest)) = Path::read(&text) {
                prop_assert!(text.ends_with(rest));
                prop_assert!(!path.text().chars().any(char::is_control));
            }
        }
    }
}
