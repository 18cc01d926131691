//! Content transfer encodings (RFC 2045 section 6), read leniently: what cannot be decoded is kept as it stands.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// 7bit, 8bit, binary, or something unknown.
    Identity,
    /// RFC 2045 section 6.7.
    QuotedPrintable,
    /// RFC 2045 section 6.8.
    Base64,
    /// The encoding of old Usenet software.
    Uuencode,
}

impl Transfer {
    /// From the value of `Content-Transfer-Encoding`.
    pub(super) fn from_value(value: &str) -> Self {
        let token = value.trim().split([';', ' ', '\t', '(', '\r', '\n']).next().unwrap_or_default().trim_matches('"');
        match token.to_ascii_lowercase().as_str() {
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            "x-uuencode" | "uuencode" | "x-uue" => Self::Uuencode,
            _ => Self::Identity,
        }
    }

    /// Decodes a body.
    pub(super) fn decode(self, body: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Identity => Cow::Borrowed(body),
            Self::QuotedPrintable => Cow::Owned(quoted_printable(body)),
            Self::Base64 => Cow::Owned(base64(body)),
            Self::Uuencode => uuencode(body).map_or(Cow::Borrowed(body), Cow::Owned),
        }
    }

    /// Encoded octets that are enough for so many decoded ones; keeps the work on a huge text bounded.
    pub(super) fn enough_for(self, decoded: usize) -> usize {
        match self {
            Self::Identity => decoded,
            // `=XX` and the soft line break of each line.
            Self::QuotedPrintable => decoded.saturating_mul(3).saturating_add(decoded / 8),
            Self::Base64 | Self::Uuencode => decoded.saturating_mul(3) / 2,
        }
    }
}

/// Base64; characters outside the alphabet are passed over, as RFC 2045 section 6.8 demands.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    base64_decode(body).unwrap_or_else(|| {
        let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        let kept: Vec<u8> = body.iter().copied().filter(known).collect();
        base64_decode(&kept).unwrap_or_default()
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Quoted-printable; a `=` that starts nothing stays.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&b| b == b'\n') {
        let (content, end) = split_line_end(line);
        // Spaces at the end of an encoded line were added on the way (RFC 2045 section 6.7, rule 3).
        let content = content.trim_ascii_end();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        hex_pairs(content, &mut plain);
        if !soft {
            plain.extend_from_slice(end);
        }
    }
    plain
}

fn hex_pairs(content: &[u8], plain: &mut Vec<u8>) {
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'=', rest) {
        plain.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest {
            [high, low, tail @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                plain.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest = tail;
            }
            _ => plain.push(b'='),
        }
    }
    plain.extend_from_slice(rest);
}

/// A line without its end, and the end.
pub(super) fn split_line_end(line: &[u8]) -> (&[u8], &[u8]) {
    let content = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
    line.split_at(content.len())
}

fn uuencode(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body.split(|&b| b == b'\n').skip_while(|line| !line.starts_with(b"begin "));
    lines.next()?;
    let mut plain = Vec::with_capacity(body.len() / 4 * 3);
    for line in lines.take_while(|line| !line.starts_with(b"end")) {
        let line = line.trim_ascii_end();
        let Some((&count, data)) = line.split_first() else { continue };
        let wanted = usize::from(count.wrapping_sub(b' ') & 0x3f);
        let bits = |b: &u8| b.wrapping_sub(b' ') & 0x3f;
        let octets = data.chunks(4).flat_map(|chunk| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| chunk.get(i).map_or(0, bits));
            [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
        });
        plain.extend(octets.take(wanted));
    }
    Some(plain)
}
