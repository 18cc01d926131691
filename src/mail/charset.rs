//! Octets to text, whatever their character set is called and whether or not the label tells the truth.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use mail_parser::decoders::charsets::map::charset_decoder;

/// Octets looked at to guess an unlabelled character set.
const GUESS_OCTETS: usize = 16 * 1024;

/// Text without NUL, which PostgreSQL cannot store.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// Decodes a body. The answer's flag is true where the label was absent or wrong for octets beyond ASCII.
pub(super) fn decode(octets: &[u8], label: Option<&str>) -> (String, bool) {
    let label =
        label.map(|l| l.trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'')).filter(|l| !l.is_empty());
    let (text, doubtful) = decode_labelled(octets, label);
    (without_nul(text), doubtful)
}

fn decode_labelled(octets: &[u8], label: Option<&str>) -> (String, bool) {
    let name = label.unwrap_or("us-ascii").to_ascii_lowercase();
    match name.as_str() {
        "iso-2022-kr" | "csiso2022kr" => return (shifted(octets, "euc-kr"), false),
        jis if jis.starts_with("iso-2022-jp") || jis == "csiso2022jp" => {
            return (by_label("iso-2022-jp", &without_idle_escapes(octets)), false);
        }
        "hz-gb-2312" | "hz" => return (hz(octets), false),
        "utf-7" | "unicode-1-1-utf-7" | "utf-16" | "utf-16le" | "utf-16be" => return (by_label(&name, octets), false),
        _ => {}
    }
    let utf8 = std::str::from_utf8(octets);
    if octets.is_ascii() {
        // Only a set that switches by escape sequences means anything but ASCII here.
        let text = if name.contains("2022") { by_label(&name, octets) } else { utf8.unwrap_or_default().to_owned() };
        return (text, false);
    }
    if matches!(name.as_str(), "utf-8" | "utf8") {
        return match utf8 {
            Ok(text) => (strip_bom(text).to_owned(), false),
            Err(_) => (mostly_utf8(octets).unwrap_or_else(|| guess(octets)), true),
        };
    }
    let claims_ascii =
        matches!(name.as_str(), "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "default");
    if claims_ascii || !is_known(&name) {
        return (utf8.map_or_else(|_| guess(octets), |text| strip_bom(text).to_owned()), true);
    }
    // Text in another set is hardly ever valid UTF-8 by accident, UTF-8 under another label is common.
    if let Ok(text) = utf8
        && (is_single_byte(&name) || by_label(&name, octets).contains('\u{fffd}'))
    {
        return (strip_bom(text).to_owned(), true);
    }
    (by_label(&name, octets), false)
}

fn strip_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn is_known(name: &str) -> bool {
    charset_decoder(name.as_bytes()).is_some() || Encoding::for_label(name.as_bytes()).is_some()
}

fn is_single_byte(name: &str) -> bool {
    Encoding::for_label(name.as_bytes()).is_none_or(Encoding::is_single_byte)
}

fn by_label(name: &str, octets: &[u8]) -> String {
    // GB 2312 and GBK are subsets of GB 18030, Shift_JIS and the rest as browsers read them.
    if let Some(encoding) = Encoding::for_label_no_replacement(name.as_bytes()) {
        return encoding.decode_without_bom_handling(octets).0.into_owned();
    }
    charset_decoder(name.as_bytes()).map_or_else(|| guess(octets), |decoder| decoder(octets))
}

/// UTF-8 with a few broken octets, such as a character cut at the end: read as UTF-8 rather than as something else.
fn mostly_utf8(octets: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(octets);
    let broken = text.chars().filter(|&c| c == '\u{fffd}').count();
    let good = text.chars().filter(|c| !c.is_ascii()).count() - broken;
    (good > broken).then(|| text.into_owned())
}

/// Octets without a usable label.
pub(super) fn guess(octets: &[u8]) -> String {
    if let Some(text) = mostly_utf8(octets) {
        return text;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(octets.get(..GUESS_OCTETS).unwrap_or(octets), true);
    let encoding = detector.guess(None, Utf8Detection::Allow);
    encoding.decode_without_bom_handling(octets).0.into_owned()
}

/// A header value: UTF-8 (RFC 6532), else what it looks like.
pub(super) fn header(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(guess(octets)),
    }
}

/// ISO-2022-JP without escape sequences that another one follows at once. They arise where encoded words are put
/// together, and the decoder takes them for errors.
fn without_idle_escapes(octets: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&octet, tail)) = rest.split_first() {
        if octet == 0x1b && tail.get(2) == Some(&0x1b) {
            rest = tail.get(2..).unwrap_or_default();
        } else {
            kept.push(octet);
            rest = tail;
        }
    }
    kept
}

/// ISO-2022-KR (RFC 1557): between SO and SI the octets are those of EUC-KR without their high bit.
fn shifted(octets: &[u8], wide: &str) -> String {
    let mut plain = Vec::with_capacity(octets.len());
    let mut shifted = false;
    let mut rest = octets;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        match octet {
            0x0e => shifted = true,
            0x0f => shifted = false,
            0x1b if tail.starts_with(b"$)C") => rest = tail.get(3..).unwrap_or_default(),
            0x21..=0x7e if shifted => plain.push(octet | 0x80),
            _ => plain.push(octet),
        }
    }
    by_label(wide, &plain)
}

/// HZ-GB-2312 (RFC 1843): between `~{` and `~}` the octets are those of GB 2312 without their high bit.
fn hz(octets: &[u8]) -> String {
    let mut plain = Vec::with_capacity(octets.len());
    let mut wide = false;
    let mut rest = octets;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        match (octet, tail.first()) {
            (b'~', Some(b'{')) if !wide => (wide, rest) = (true, tail.get(1..).unwrap_or_default()),
            (b'~', Some(b'}')) if wide => (wide, rest) = (false, tail.get(1..).unwrap_or_default()),
            (b'~', Some(b'~')) if !wide => {
                plain.push(b'~');
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'~', Some(b'\n')) if !wide => rest = tail.get(1..).unwrap_or_default(),
            (b'\n', _) => {
                // A line ends the wide mode, so that one broken line does not spoil the rest.
                wide = false;
                plain.push(octet);
            }
            (0x21..=0x7e, _) if wide => plain.push(octet | 0x80),
            _ => plain.push(octet),
        }
    }
    by_label("gbk", &plain)
}
