//! Encoded words in header fields (RFC 2047).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mail::charset;
use crate::mail::transfer;

/// Decodes the encoded words of an unstructured value. White space between two of them disappears (section 6.2).
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    rewrite(value, |decoded, out| out.push_str(decoded))
}

/// Makes one encoded word in UTF-8 of each run of encoded words, for a parser that takes them one by one: senders
/// do split words inside a character.
pub(super) fn join(value: &str) -> Cow<'_, str> {
    rewrite(value, |decoded, out| {
        out.push_str("=?utf-8?B?");
        STANDARD.encode_string(decoded, out);
        out.push_str("?=");
    })
}

fn rewrite(value: &str, mut put: impl FnMut(&str, &mut String)) -> Cow<'_, str> {
    // Where no encoded word ends any more, looking for beginnings would only cost time.
    let (true, Some(last_end)) = (value.contains("=?"), value.rfind("?=")) else {
        return Cow::Borrowed(value);
    };
    let mut out = String::with_capacity(value.len());
    let mut run = Run::default();
    let mut rest = value;
    while let Some(at) = rest.find("=?") {
        let (before, tail) = rest.split_at(at);
        if value.len() - tail.len() > last_end {
            break;
        }
        let Some((word, after)) = Word::read(tail) else {
            run.end(&mut out, &mut put);
            out.push_str(before);
            out.push_str("=?");
            rest = tail.get(2..).unwrap_or_default();
            continue;
        };
        if !(run.is_open() && before.chars().all(char::is_whitespace)) {
            run.end(&mut out, &mut put);
            out.push_str(before);
        }
        run.add(&word);
        rest = after;
    }
    run.end(&mut out, &mut put);
    out.push_str(rest);
    Cow::Owned(out)
}

struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
}

impl<'a> Word<'a> {
    /// Reads the encoded word that a text starts with; also gives what follows it.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.get(2..)?;
        let charset_end = memchr::memchr(b'?', rest.as_bytes().get(..64).unwrap_or(rest.as_bytes()))?;
        let charset = rest.get(..charset_end).filter(|charset| is_charset(charset))?;
        let (base64, rest) = match rest.as_bytes().get(charset_end..charset_end + 3)? {
            b"?b?" | b"?B?" => (true, rest.get(charset_end + 3..)?),
            b"?q?" | b"?Q?" => (false, rest.get(charset_end + 3..)?),
            _ => return None,
        };
        let (data, after) = rest.split_once("?=")?;
        let octets = if base64 {
            transfer::base64(data.as_bytes())
        } else {
            transfer::quoted_printable(data.replace('_', "=20").as_bytes())
        };
        // RFC 2231 section 5: a language may follow the character set.
        let charset = charset.split('*').next().unwrap_or(charset);
        Some((Self { charset, octets }, after))
    }
}

fn is_charset(text: &str) -> bool {
    (2..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
}

/// Neighbouring encoded words; those of one character set are put together before they are decoded.
#[derive(Default)]
struct Run<'a> {
    decoded: String,
    charset: &'a str,
    octets: Vec<u8>,
    open: bool,
}

impl<'a> Run<'a> {
    fn is_open(&self) -> bool {
        self.open
    }

    fn add(&mut self, word: &Word<'a>) {
        // ISO-2022 texts start each word in ASCII mode, so they join only at their own ends.
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush();
            self.charset = word.charset;
        }
        self.octets.extend_from_slice(&word.octets);
        self.open = true;
    }

    fn flush(&mut self) {
        if !self.octets.is_empty() {
            self.decoded.push_str(&charset::decode(&self.octets, Some(self.charset)).0);
            self.octets.clear();
        }
    }

    fn end(&mut self, out: &mut String, put: &mut impl FnMut(&str, &mut String)) {
        if self.open {
            self.flush();
            put(&self.decoded, out);
            *self = Self::default();
        }
    }
}
