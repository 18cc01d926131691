//! Structured header fields: addresses, dates, message ids, content types.

use std::borrow::Cow;

use chrono::DateTime;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, ContentType, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mail::charset;
use crate::mail::limits::Limits;
use crate::mail::text;
use crate::mail::words;
use crate::types::Timestamp;

/// Someone named in an address field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Correspondent {
    /// The display name, decoded, on one line; null where there is none.
    pub name: Option<String>,
    /// The address as written, which need not be valid; empty where only a name is given.
    pub address: String,
}

/// A value ready for the parsers of fields: UTF-8, encoded words put together, ended as they want it.
fn prepared(value: &[u8]) -> String {
    let text = charset::header(value);
    let mut line = words::join(&text).into_owned();
    line.retain(|c| c != '\0');
    line.push('\n');
    line
}

/// The correspondents of an address field, groups dissolved.
pub(super) fn addresses(value: &[u8], limits: &Limits) -> Vec<Correspondent> {
    let line = prepared(value);
    let HeaderValue::Address(address) = MessageStream::new(line.as_bytes()).parse_address() else {
        return Vec::new();
    };
    let to_correspondent = |addr: &Addr<'_>| correspondent(addr, limits);
    match &address {
        Address::List(list) => list.iter().filter_map(to_correspondent).take(limits.addresses).collect(),
        Address::Group(groups) => {
            groups.iter().flat_map(|group| &group.addresses).filter_map(to_correspondent).take(limits.addresses).collect()
        }
    }
}

fn correspondent(addr: &Addr<'_>, limits: &Limits) -> Option<Correspondent> {
    let clean = |text: &Option<Cow<'_, str>>| text::single_line(text.as_deref().unwrap_or_default(), limits.line_chars);
    let (mut name, mut address) = (clean(&addr.name), clean(&addr.address));
    // The parser takes a quoted local part for a name where no angle brackets stand around the address.
    if address.starts_with('@') && !name.is_empty() {
        address = format!("\"{}\"{address}", name.replace('\\', "\\\\").replace('"', "\\\""));
        name.clear();
    }
    (!name.is_empty() || !address.is_empty()).then(|| Correspondent { name: Some(name).filter(|name| !name.is_empty()), address })
}

/// The point in time of a date field (RFC 5322 section 3.3); none where it is not one of the years 1970 to 9999.
pub(super) fn date(value: &[u8]) -> Option<Timestamp> {
    let line = prepared(value);
    let seconds = match MessageStream::new(line.as_bytes()).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => date.to_timestamp(),
        // Dates without seconds but with a named zone.
        _ => DateTime::parse_from_rfc2822(text::cut(line.trim(), 100)).ok()?.timestamp(),
    };
    Some(seconds).filter(|seconds| (0..=253_402_300_799).contains(seconds)).and_then(Timestamp::from_unix)
}

/// The message ids of a field, without their angle brackets; a value without brackets counts as one.
pub(super) fn message_ids(value: &[u8], limits: &Limits) -> Vec<String> {
    let text = charset::header(value);
    let clean = |id: &str| {
        text::cut(&id.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect::<String>(), limits.line_chars).to_owned()
    };
    let mut ids: Vec<String> = text
        .split('<')
        .skip(1)
        .filter_map(|piece| piece.split_once('>').map(|(id, _)| clean(id)))
        .filter(|id| !id.is_empty())
        .take(limits.references)
        .collect();
    if ids.is_empty() {
        ids = text.split_whitespace().map(clean).filter(|id| id.contains('@')).take(limits.references).collect();
    }
    ids
}

/// A `Content-Type` or `Content-Disposition` field (RFC 2045, RFC 2183), parameters of RFC 2231 put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameterised {
    /// The value before the parameters, in lower case, such as `text/plain` or `attachment`; empty where unreadable.
    pub(super) value: String,
    parameters: Vec<(String, String)>,
}

impl Parameterised {
    /// Parses the value of such a field.
    pub(super) fn parse(value: &[u8]) -> Self {
        let line = prepared(value);
        let HeaderValue::ContentType(parsed) = MessageStream::new(line.as_bytes()).parse_content_type() else {
            return Self::default();
        };
        Self::from_parsed(&parsed)
    }

    fn from_parsed(parsed: &ContentType<'_>) -> Self {
        let mut value = parsed.ctype().trim().to_ascii_lowercase();
        if let Some(subtype) = parsed.subtype() {
            value = format!("{value}/{}", subtype.trim().to_ascii_lowercase());
        }
        value.retain(|c| c.is_ascii_graphic());
        let parameters = parsed.attributes().unwrap_or_default().iter();
        Self {
            value: text::cut(&value, 100).to_owned(),
            parameters: parameters.map(|a| (a.name.to_ascii_lowercase(), charset::without_nul(a.value.to_string()))).collect(),
        }
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
