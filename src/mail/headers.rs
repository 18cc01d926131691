//! Header sections (RFC 5322 section 2.2): splitting them into fields, and fields into something people can read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mail::charset;
use crate::mail::limits::{Defects, Limits};
use crate::mail::text;
use crate::mail::transfer::split_line_end;
use crate::mail::words;

/// A header field as it stands in the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The name, spelled as the sender spelled it.
    pub name: String,
    /// The value for people: unfolded, encoded words decoded, control characters removed. At most 8192 characters.
    pub value: String,
    /// The value as sent, with its folds and encoded words; octets beyond UTF-8 are read as what they look like.
    pub raw: String,
}

/// A field of a header section, as slices of the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// The name.
    pub(super) name: &'a [u8],
    /// What stands after the colon, folds included, without the last line end.
    pub(super) value: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether this is the field of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The field for people.
    pub(super) fn to_header(self, limits: &Limits) -> Header {
        let raw = charset::header(self.value.trim_ascii());
        Header {
            name: String::from_utf8_lossy(self.name).into_owned(),
            value: text::single_line(&words::decode(&raw), limits.value_chars),
            raw: text::cut(&charset::without_nul(raw.into_owned()), limits.value_chars).to_owned(),
        }
    }

    /// Splits a line into name and value, where it is the first line of a field.
    fn from_line(line: &'a [u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (line.get(..colon)?.trim_ascii_end(), line.get(colon + 1..)?);
        // RFC 5322 section 2.2; space before the colon is the obsolete form of section 4.5.
        let valid = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        valid.then_some(Self { name, value })
    }
}

/// A header section.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The fields, in order, duplicates included.
    pub(super) fields: Vec<Field<'a>>,
    /// Where the body begins in the octets given.
    pub(super) body: usize,
}

impl<'a> Section<'a> {
    /// The first field of a name.
    pub(super) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// All fields of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.is(name)).map(|field| field.value)
    }

    /// Reads the header section that starts at an offset.
    pub(super) fn read(raw: &'a [u8], start: usize, limits: &Limits, defects: &mut Defects) -> Self {
        Reader { raw, start, at: start, limits, defects, fields: Vec::new() }.read()
    }
}

struct Reader<'a, 'd> {
    raw: &'a [u8],
    start: usize,
    at: usize,
    limits: &'d Limits,
    defects: &'d mut Defects,
    fields: Vec<Field<'a>>,
}

impl<'a> Reader<'a, '_> {
    fn read(mut self) -> Section<'a> {
        let mut value_start = None;
        while let Some(line) = self.line(self.at) {
            let next = self.at + line.len();
            let (content, _) = split_line_end(line);
            if content.is_empty() {
                self.at = next;
                break;
            }
            if matches!(content.first(), Some(b' ' | b'\t')) {
                self.extend(value_start, self.at + content.len());
            } else if self.is_full() {
                value_start = None;
                self.defects.note("The header section is too large; its end was left out.");
            } else if let Some(field) = Field::from_line(content) {
                value_start = Some(self.at + content.len() - field.value.len());
                self.fields.push(field);
            } else if self.is_separator(content) {
                value_start = None;
            } else if self.goes_on_after(content, next) {
                value_start = None;
                self.defects.note("A line of the header section is not a header field.");
            } else {
                self.defects.note("The header section ends without an empty line.");
                break;
            }
            self.at = next;
        }
        Section { fields: self.fields, body: self.at }
    }

    fn is_full(&self) -> bool {
        self.fields.len() >= self.limits.fields || self.at - self.start >= self.limits.header_octets
    }

    fn line(&self, at: usize) -> Option<&'a [u8]> {
        let rest = self.raw.get(at..).filter(|rest| !rest.is_empty())?;
        rest.get(..memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1))
    }

    /// Adds a folded line to the field before it.
    fn extend(&mut self, value_start: Option<usize>, end: usize) {
        let value = value_start.and_then(|from| self.raw.get(from..end));
        match (self.fields.last_mut(), value) {
            (Some(field), Some(value)) if end - self.start <= self.limits.header_octets => field.value = value,
            (Some(_), Some(_)) => self.defects.note("The header section is too large; its end was left out."),
            _ => {}
        }
    }

    /// The line that mbox files put before a message.
    fn is_separator(&self, line: &[u8]) -> bool {
        self.at == self.start && (line.starts_with(b"From ") || line.starts_with(b">From "))
    }

    /// Whether a line that is no field stands between fields: then it is skipped, otherwise the body starts with it.
    fn goes_on_after(&self, line: &[u8], next: usize) -> bool {
        !self.fields.is_empty()
            && !line.starts_with(b"--")
            && self
                .line(next)
                .is_some_and(|line| Field::from_line(split_line_end(line).0).is_some_and(|f| !f.name.contains(&b'/')))
    }
}
