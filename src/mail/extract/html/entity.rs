//! Character references in text and attribute values.

use std::borrow::Cow;

/// Decodes the character references of a text; what is none stays as it is.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        decoded.push_str(before);
        match reference(from) {
            Some((character, length)) => {
                decoded.push(character);
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                decoded.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The character of the reference at the start of a text that begins with `&`, and the octets that it takes.
fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.get(1..)?;
    if let Some(number) = body.strip_prefix('#') {
        return numeric(number).map(|(character, length)| (character, length + 2));
    }
    let length = body.bytes().take(32).take_while(u8::is_ascii_alphanumeric).count();
    let name = body.get(..length)?;
    let closed = body.as_bytes().get(length) == Some(&b';');
    if closed {
        return named(name).map(|character| (character, length + 2));
    }
    // Without a semicolon only the oldest names count, and not before `=` or a letter (as in a link's query).
    let next = body.as_bytes().get(length);
    let old = ["amp", "lt", "gt", "quot", "nbsp", "copy", "reg"].contains(&name);
    (old && next != Some(&b'=')).then(|| named(name)).flatten().map(|character| (character, length + 1))
}

fn numeric(text: &str) -> Option<(char, usize)> {
    let (digits, radix, skipped) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits.bytes().take(8).take_while(|b| char::from(*b).is_digit(radix)).count();
    let code = u32::from_str_radix(digits.get(..length)?, radix).ok()?;
    let closed = usize::from(digits.as_bytes().get(length) == Some(&b';'));
    let character = match code {
        0 => '\u{fffd}',
        0x80..=0x9f => windows_1252(code),
        _ => char::from_u32(code).unwrap_or('\u{fffd}'),
    };
    Some((character, skipped + length + closed))
}

/// HTML reads 0x80 to 0x9f as windows-1252.
fn windows_1252(code: u32) -> char {
    const TABLE: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“',
        '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    usize::try_from(code - 0x80).ok().and_then(|at| TABLE.get(at)).copied().unwrap_or('\u{fffd}')
}

fn named(name: &str) -> Option<char> {
    let at = NAMES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    NAMES.get(at).map(|(_, character)| *character)
}

/// The names of HTML 4 and the punctuation of HTML 5, sorted.
#[rustfmt::skip]
const NAMES: &[(&str, char)] = &[
    ("AElig", 'Æ'), ("AMP", '&'), ("Aacute", 'Á'), ("Acirc", 'Â'), ("Agrave", 'À'), ("Alpha", 'Α'), ("Aring", 'Å'),
    ("Atilde", 'Ã'), ("Auml", 'Ä'), ("Beta", 'Β'), ("COPY", '©'), ("Ccedil", 'Ç'), ("Chi", 'Χ'), ("Dagger", '‡'),
    ("Delta", 'Δ'), ("ETH", 'Ð'), ("Eacute", 'É'), ("Ecirc", 'Ê'), ("Egrave", 'È'), ("Epsilon", 'Ε'), ("Eta", 'Η'),
    ("Euml", 'Ë'), ("GT", '>'), ("Gamma", 'Γ'), ("Iacute", 'Í'), ("Icirc", 'Î'), ("Igrave", 'Ì'), ("Iota", 'Ι'),
    ("Iuml", 'Ï'), ("Kappa", 'Κ'), ("LT", '<'), ("Lambda", 'Λ'), ("Mu", 'Μ'), ("NewLine", '\u{a}'),
    ("NoBreak", '\u{2060}'), ("NonBreakingSpace", '\u{a0}'), ("Ntilde", 'Ñ'), ("Nu", 'Ν'), ("OElig", 'Œ'),
    ("Oacute", 'Ó'), ("Ocirc", 'Ô'), ("Ograve", 'Ò'), ("Omega", 'Ω'), ("Omicron", 'Ο'), ("Oslash", 'Ø'),
    ("Otilde", 'Õ'), ("Ouml", 'Ö'), ("Phi", 'Φ'), ("Pi", 'Π'), ("Prime", '″'), ("Psi", 'Ψ'), ("QUOT", '"'),
    ("REG", '®'), ("Rho", 'Ρ'), ("Scaron", 'Š'), ("Sigma", 'Σ'), ("THORN", 'Þ'), ("Tab", '\u{9}'), ("Tau", 'Τ'),
    ("Theta", 'Θ'), ("ThinSpace", '\u{2009}'), ("Uacute", 'Ú'), ("Ucirc", 'Û'), ("Ugrave", 'Ù'), ("Upsilon", 'Υ'),
    ("Uuml", 'Ü'), ("Xi", 'Ξ'), ("Yacute", 'Ý'), ("Yuml", 'Ÿ'), ("ZeroWidthSpace", '\u{200b}'), ("Zeta", 'Ζ'),
    ("aacute", 'á'), ("acirc", 'â'), ("acute", '´'), ("aelig", 'æ'), ("agrave", 'à'), ("alefsym", 'ℵ'),
    ("alpha", 'α'), ("amp", '&'), ("and", '∧'), ("ang", '∠'), ("apos", '\''), ("aring", 'å'), ("ast", '*'),
    ("asymp", '≈'), ("atilde", 'ã'), ("auml", 'ä'), ("bdquo", '„'), ("beta", 'β'), ("brvbar", '¦'), ("bsol", '\\'),
    ("bull", '•'), ("cap", '∩'), ("ccedil", 'ç'), ("cedil", '¸'), ("cent", '¢'), ("centerdot", '·'), ("check", '✓'),
    ("checkmark", '✓'), ("chi", 'χ'), ("circ", 'ˆ'), ("clubs", '♣'), ("colon", ':'), ("comma", ','), ("commat", '@'),
    ("cong", '≅'), ("copy", '©'), ("copysr", '℗'), ("crarr", '↵'), ("cross", '✗'), ("cup", '∪'), ("curren", '¤'),
    ("dArr", '⇓'), ("dagger", '†'), ("darr", '↓'), ("dash", '‐'), ("deg", '°'), ("delta", 'δ'), ("diams", '♦'),
    ("divide", '÷'), ("dollar", '$'), ("eacute", 'é'), ("ecirc", 'ê'), ("egrave", 'è'), ("empty", '∅'),
    ("emsp", '\u{2003}'), ("emsp13", '\u{2004}'), ("emsp14", '\u{2005}'), ("ensp", '\u{2002}'), ("epsilon", 'ε'),
    ("equals", '='), ("equiv", '≡'), ("eta", 'η'), ("eth", 'ð'), ("euml", 'ë'), ("euro", '€'), ("excl", '!'),
    ("exist", '∃'), ("fnof", 'ƒ'), ("forall", '∀'), ("frac12", '½'), ("frac14", '¼'), ("frac34", '¾'), ("frasl", '⁄'),
    ("gamma", 'γ'), ("ge", '≥'), ("grave", '`'), ("gt", '>'), ("hArr", '⇔'), ("hairsp", '\u{200a}'), ("harr", '↔'),
    ("hearts", '♥'), ("hellip", '…'), ("horbar", '―'), ("hyphen", '‐'), ("iacute", 'í'), ("icirc", 'î'),
    ("iexcl", '¡'), ("igrave", 'ì'), ("image", 'ℑ'), ("infin", '∞'), ("int", '∫'), ("iota", 'ι'), ("iquest", '¿'),
    ("isin", '∈'), ("iuml", 'ï'), ("kappa", 'κ'), ("lArr", '⇐'), ("lambda", 'λ'), ("lang", '⟨'), ("laquo", '«'),
    ("larr", '←'), ("lbrace", '{'), ("lbrack", '['), ("lceil", '⌈'), ("lcub", '{'), ("ldquo", '“'), ("le", '≤'),
    ("lfloor", '⌊'), ("lowast", '∗'), ("lowbar", '_'), ("loz", '◊'), ("lpar", '('), ("lrm", '\u{200e}'),
    ("lsaquo", '‹'), ("lsqb", '['), ("lsquo", '‘'), ("lt", '<'), ("macr", '¯'), ("mdash", '—'), ("micro", 'µ'),
    ("middot", '·'), ("minus", '−'), ("mu", 'μ'), ("nabla", '∇'), ("nbsp", '\u{a0}'), ("ndash", '–'), ("ne", '≠'),
    ("ni", '∋'), ("not", '¬'), ("notin", '∉'), ("nsub", '⊄'), ("ntilde", 'ñ'), ("nu", 'ν'), ("num", '#'),
    ("numsp", '\u{2007}'), ("oacute", 'ó'), ("ocirc", 'ô'), ("oelig", 'œ'), ("ograve", 'ò'), ("oline", '‾'),
    ("omega", 'ω'), ("omicron", 'ο'), ("oplus", '⊕'), ("or", '∨'), ("ordf", 'ª'), ("ordm", 'º'), ("oslash", 'ø'),
    ("otilde", 'õ'), ("otimes", '⊗'), ("ouml", 'ö'), ("para", '¶'), ("part", '∂'), ("percnt", '%'), ("period", '.'),
    ("permil", '‰'), ("perp", '⊥'), ("phi", 'φ'), ("pi", 'π'), ("piv", 'ϖ'), ("plus", '+'), ("plusmn", '±'),
    ("pound", '£'), ("prime", '′'), ("prod", '∏'), ("prop", '∝'), ("psi", 'ψ'), ("puncsp", '\u{2008}'),
    ("quest", '?'), ("quot", '"'), ("rArr", '⇒'), ("radic", '√'), ("rang", '⟩'), ("raquo", '»'), ("rarr", '→'),
    ("rbrace", '}'), ("rbrack", ']'), ("rceil", '⌉'), ("rcub", '}'), ("rdquo", '”'), ("real", 'ℜ'), ("reg", '®'),
    ("rfloor", '⌋'), ("rho", 'ρ'), ("rlm", '\u{200f}'), ("rpar", ')'), ("rsaquo", '›'), ("rsqb", ']'), ("rsquo", '’'),
    ("sbquo", '‚'), ("scaron", 'š'), ("sdot", '⋅'), ("sect", '§'), ("semi", ';'), ("shy", '\u{ad}'), ("sigma", 'σ'),
    ("sigmaf", 'ς'), ("sim", '∼'), ("sol", '/'), ("spades", '♠'), ("star", '☆'), ("starf", '★'), ("sub", '⊂'),
    ("sube", '⊆'), ("sum", '∑'), ("sup", '⊃'), ("sup1", '¹'), ("sup2", '²'), ("sup3", '³'), ("supe", '⊇'),
    ("szlig", 'ß'), ("tau", 'τ'), ("there4", '∴'), ("theta", 'θ'), ("thetasym", 'ϑ'), ("thinsp", '\u{2009}'),
    ("thorn", 'þ'), ("tilde", '˜'), ("times", '×'), ("trade", '™'), ("uArr", '⇑'), ("uacute", 'ú'), ("uarr", '↑'),
    ("ucirc", 'û'), ("ugrave", 'ù'), ("uml", '¨'), ("upsih", 'ϒ'), ("upsilon", 'υ'), ("uuml", 'ü'), ("vert", '|'),
    ("weierp", '℘'), ("xi", 'ξ'), ("yacute", 'ý'), ("yen", '¥'), ("yuml", 'ÿ'), ("zeta", 'ζ'), ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_and_lookalikes_kept() {
        let table = [
            ("a&nbsp;b&amp;c", "a\u{a0}b&c"),
            ("&#52;&#x38;2", "482"),
            ("?a=1&amp;b=2&copy=3", "?a=1&b=2&copy=3"),
            ("&eacute;&zwnj;&unknown; & &#x110000;", "é\u{200c}&unknown; & \u{fffd}"),
            ("&#150;", "–"),
        ];
        for (given, expected) in table {
            assert_eq!(decode(given), expected);
        }
    }

    #[test]
    fn the_names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
    }
}
