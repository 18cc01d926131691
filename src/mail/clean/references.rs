//! Character references in attribute values.

use std::borrow::Cow;

/// Longest name of a reference looked for.
const MAX_NAME: usize = 12;

/// Decodes the references that can hide something in a URL or a style. Others stay as they stand, and are text then.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        match numeric(tail).or_else(|| named(tail)) {
            Some((c, length)) => {
                out.push(c);
                rest = tail.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
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
    let code = u32::from_str_radix(digits.get(..length).filter(|d| !d.is_empty())?, radix);
    let c = code.ok().and_then(char::from_u32).filter(|&c| c != '\0').unwrap_or('\u{fffd}');
    let semicolon = usize::from(digits.get(length..).is_some_and(|rest| rest.starts_with(';')));
    Some((c, prefix + length + semicolon))
}

fn named(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(MAX_NAME).position(|b| b == b';')?;
    let c = match text.get(1..end)? {
        "amp" | "AMP" => '&',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "nbsp" => '\u{a0}',
        "Tab" => '\t',
        "NewLine" => '\n',
        "colon" => ':',
        "semi" => ';',
        "lpar" => '(',
        "rpar" => ')',
        "sol" => '/',
        "bsol" => '\\',
        "num" => '#',
        "period" => '.',
        "comma" => ',',
        "equals" => '=',
        "excl" => '!',
        "quest" => '?',
        "commat" => '@',
        "lowbar" => '_',
        _ => return None,
    };
    Some((c, end + 1))
}
