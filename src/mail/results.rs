//! `Authentication-Results` fields that a message brings along (RFC 8601). Those that claim to be ours are forged.

use std::borrow::Cow;

/// Whether a field is `Authentication-Results` with this authserv-id, however it is written.
pub fn are_of(name: &[u8], value: &[u8], id: &str) -> bool {
    name.trim_ascii().eq_ignore_ascii_case(b"Authentication-Results") && authserv_id(value).eq_ignore_ascii_case(id.as_bytes())
}

/// The octets of a message without the fields that claim to be ours (RFC 8601 section 5); everything else is as it was.
pub fn without_forged<'a>(octets: &'a [u8], id: &str) -> Cow<'a, [u8]> {
    let mut kept: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(field) = next_field(octets.get(at..).unwrap_or_default()) {
        let end = at + field.len();
        let colon = memchr::memchr(b':', field).unwrap_or(0);
        let (name, value) = field.split_at_checked(colon).unwrap_or((field, &[]));
        if are_of(name, value.get(1..).unwrap_or_default(), id) {
            kept.get_or_insert_with(|| octets.get(..at).unwrap_or_default().to_vec());
        } else if let Some(kept) = &mut kept {
            kept.extend_from_slice(field);
        }
        at = end;
    }
    match kept {
        Some(mut kept) => {
            kept.extend_from_slice(octets.get(at..).unwrap_or_default());
            Cow::Owned(kept)
        }
        None => Cow::Borrowed(octets),
    }
}

/// A field with the lines that continue it; `None` at the end of the header section.
fn next_field(rest: &[u8]) -> Option<&[u8]> {
    let mut end = line_end(rest)?;
    if rest.get(..end)?.trim_ascii().is_empty() {
        return None;
    }
    while matches!(rest.get(end), Some(b' ' | b'\t')) {
        end += line_end(rest.get(end..)?)?;
    }
    rest.get(..end)
}

fn line_end(rest: &[u8]) -> Option<usize> {
    (!rest.is_empty()).then(|| memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1))
}

/// The first word of the value, after comments and white space, without quotes.
fn authserv_id(value: &[u8]) -> &[u8] {
    let mut depth = 0_usize;
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        match first {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ if depth > 0 => {}
            b'"' => return tail.split(|octet| *octet == b'"').next().unwrap_or_default(),
            _ => {
                let end = rest.iter().position(|octet| b" \t\r\n;(/".contains(octet)).unwrap_or(rest.len());
                return rest.get(..end).unwrap_or_default();
            }
        }
        rest = tail;
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "mx.example.org";

    #[test]
    fn fields_that_claim_to_be_ours_are_recognised() {
        for (value, expected) in [
            (" mx.example.org; spf=pass", true),
            ("mx.example.org;spf=pass", true),
            (" MX.Example.ORG 1; none", true),
            ("\r\n\tmx.example.org;\r\n\tspf=pass", true),
            (" (a (nested) comment) mx.example.org; none", true),
            (" \"mx.example.org\"; none", true),
            (" mx.example.org", true),
            (" mx.example.org(comment); none", true),
            (" mx.example.net; spf=pass", false),
            (" xmx.example.org; spf=pass", false),
            (" mx.example.org.evil.example; spf=pass", false),
            ("", false),
        ] {
            assert_eq!(are_of(b"authentication-results", value.as_bytes(), ID), expected, "{value:?}");
        }
        assert!(!are_of(b"X-Authentication-Results", b" mx.example.org; none", ID));
    }

    #[test]
    fn only_they_are_taken_away() {
        let message = b"From: a\r\nAuthentication-Results: mx.example.org;\r\n\tspf=pass\r\nAuthentication-Results: other.example; none\r\n\
            Subject: x\r\n\r\nAuthentication-Results: mx.example.org; none\r\n";
        let expected = b"From: a\r\nAuthentication-Results: other.example; none\r\nSubject: x\r\n\r\n\
            Authentication-Results: mx.example.org; none\r\n";
        assert_eq!(without_forged(message, ID), expected.as_slice());
        assert!(matches!(without_forged(expected, ID), Cow::Borrowed(_)));
        for odd in [&b""[..], b"\r\n", b"no colon", b"Authentication-Results", b"a: b\r\n c", b":\n\n"] {
            assert_eq!(without_forged(odd, ID), odd);
        }
    }
}
