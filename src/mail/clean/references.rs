//! Character references.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use mail_parser::decoders::html::add_html_token;

/// Octets of the longest reference looked for.
const MAX_REFERENCE: usize = 34;

/// Names that are also known without a semicolon, as careless senders write them.
const LEGACY: &[(&str, char)] =
    &[("nbsp", '\u{a0}'), ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("copy", '©'), ("reg", '®')];

/// Decodes the references in an attribute value. Unknown ones stay as they stand, and are text then.
pub(super) fn in_attribute(value: &str) -> Cow<'_, str> {
    decode(value, |tail| numeric(tail).or_else(|| named(tail)))
}

/// Decodes the references in text.
pub(super) fn in_text(text: &str) -> Cow<'_, str> {
    decode(text, |tail| numeric(tail).or_else(|| named(tail)).or_else(|| legacy(tail)))
}

fn decode(value: &str, read: impl Fn(&str) -> Option<(char, usize)>) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let (c, length) = read(tail).unwrap_or(('&', 1));
        out.push(c);
        rest = tail.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn numeric(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("&#")?;
    let (digits, radix, prefix) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 3),
        None => (digits, 10, 2),
    };
    let length = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    let code = u32::from_str_radix(digits.get(..length).filter(|d| !d.is_empty())?, radix).unwrap_or_default();
    let semicolon = usize::from(digits.get(length..).is_some_and(|rest| rest.starts_with(';')));
    Some((character(code), prefix + length + semicolon))
}

fn character(code: u32) -> char {
    match u8::try_from(code) {
        Ok(0) => '\u{fffd}',
        // These numbers are meant as octets of Windows-1252 (HTML, section 13.2.5.80).
        Ok(octet @ 0x80..=0x9f) => WINDOWS_1252.decode_without_bom_handling(&[octet]).0.chars().next().unwrap_or('\u{fffd}'),
        _ => char::from_u32(code).unwrap_or('\u{fffd}'),
    }
}

fn named(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let end = bytes.iter().take(MAX_REFERENCE).skip(1).position(|b| !b.is_ascii_alphanumeric())? + 1;
    let reference = text.get(..=end).filter(|reference| reference.ends_with(';'))?;
    let mut decoded = String::new();
    add_html_token(&mut decoded, reference.as_bytes(), false);
    let mut chars = decoded.chars();
    // An unknown name comes back as it is.
    chars.next().filter(|_| chars.next().is_none()).map(|c| (c, end + 1))
}

fn legacy(text: &str) -> Option<(char, usize)> {
    let after = text.get(1..)?;
    let known = LEGACY.iter().find(|(name, _)| after.starts_with(name))?;
    Some((known.1, known.0.len() + 1))
}
