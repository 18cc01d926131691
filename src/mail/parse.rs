//! A message as bytes to a message that people and programs can read.
//!
//! Nothing here fails: what cannot be read is left out and named among the defects, so that every message that was
//! accepted can be listed and shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mail::attachments::{self, Attachment};
use crate::mail::charset;
use crate::mail::fields;
use crate::mail::fields::Correspondent;
use crate::mail::headers::{Header, Section};
use crate::mail::limits::{Defects, Limits};
use crate::mail::preview;
use crate::mail::text;
use crate::mail::tree;
use crate::mail::tree::{Leaf, Tree};
use crate::mail::words;
use crate::types::Timestamp;

/// A message, read in full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parsed {
    /// The subject: decoded, one line, at most 998 characters; empty where there is none.
    pub subject: String,
    /// The first author (RFC 5322 section 3.6.2), which is a claim of the sender.
    pub from: Option<Correspondent>,
    /// Who sent it for the author, where that is someone else.
    pub sender: Option<Correspondent>,
    /// Where answers should go.
    pub reply_to: Vec<Correspondent>,
    /// The recipients named in `To`, at most 200.
    pub to: Vec<Correspondent>,
    /// The recipients named in `Cc`, at most 200.
    pub cc: Vec<Correspondent>,
    /// The recipients named in `Bcc`, which arrives only from careless senders.
    pub bcc: Vec<Correspondent>,
    /// When the sender says that it was written.
    pub date: Option<Timestamp>,
    /// The message id without angle brackets.
    pub message_id: Option<String>,
    /// The ids of the messages that this one answers.
    pub in_reply_to: Vec<String>,
    /// The ids of the conversation, oldest first, at most 100.
    pub references: Vec<String>,
    /// The header fields in order, duplicates included, at most 1000.
    pub headers: Vec<Header>,
    /// All plain text bodies, decoded; together at most 4 MiB before decoding of character sets.
    pub text: Vec<String>,
    /// All HTML bodies as sent, decoded but not cleaned; limited with the text bodies.
    pub html: Vec<String>,
    /// The attachments, images within the HTML among them.
    pub attachments: Vec<Attachment>,
    /// What is wrong with the message, a sentence each.
    pub defects: Vec<String>,
}

/// What lists and the search for codes need of a message; costs a fraction of [`Parsed`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The subject: decoded, one line, at most 998 characters; empty where there is none.
    pub subject: String,
    /// The first author, which is a claim of the sender.
    pub from: Option<Correspondent>,
    /// When the sender says that it was written.
    pub date: Option<Timestamp>,
    /// The message id without angle brackets.
    pub message_id: Option<String>,
    /// All plain text bodies, decoded.
    pub text: Vec<String>,
    /// All HTML bodies as sent, decoded but not cleaned.
    pub html: Vec<String>,
    /// How many attachments there are, images within the HTML among them.
    pub attachments: usize,
    /// The beginning of the text, at most 200 characters on one line.
    pub preview: String,
    /// What is wrong with the message, a sentence each.
    pub defects: Vec<String>,
}

/// Reads a message in full. Always succeeds; what cannot be read is empty, with a defect that says so.
pub fn parse(raw: &[u8]) -> Parsed {
    parse_within(raw, &Limits::DEFAULT)
}

/// As [`parse`], within other limits.
pub fn parse_within(raw: &[u8], limits: &Limits) -> Parsed {
    let mut defects = Defects::default();
    let tree = tree::walk(raw, limits, &mut defects);
    let header = &tree.header;
    check(raw, header, &mut defects);
    let (text, html) = bodies(&tree, limits, &mut defects);
    let list = |name: &str| -> Vec<Correspondent> {
        header.all(name).flat_map(|value| fields::addresses(value, limits)).take(limits.addresses).collect()
    };
    let ids = |name: &str| header.first(name).map(|value| fields::message_ids(value, limits)).unwrap_or_default();
    Parsed {
        subject: subject(header, limits),
        from: from(header, limits),
        sender: list("sender").into_iter().next(),
        reply_to: list("reply-to"),
        to: list("to"),
        cc: list("cc"),
        bcc: list("bcc"),
        date: date(header, &mut defects),
        message_id: ids("message-id").into_iter().next(),
        in_reply_to: ids("in-reply-to"),
        references: ids("references"),
        headers: header.fields.iter().map(|field| field.to_header(limits)).collect(),
        text,
        html,
        attachments: tree::attachments(&tree.leaves)
            .enumerate()
            .map(|(index, leaf)| attachments::describe(leaf, index, &leaf.transfer.decode(leaf.body)))
            .collect(),
        defects: defects.into_vec(),
    }
}

/// Reads what lists and the search for codes need. Always succeeds.
pub fn summary(raw: &[u8]) -> Summary {
    summary_within(raw, &Limits::DEFAULT)
}

/// As [`summary`], within other limits.
pub fn summary_within(raw: &[u8], limits: &Limits) -> Summary {
    let mut defects = Defects::default();
    let tree = tree::walk(raw, limits, &mut defects);
    let header = &tree.header;
    check(raw, header, &mut defects);
    let (text, html) = bodies(&tree, limits, &mut defects);
    let message_id = header.first("message-id").map(|value| fields::message_ids(value, limits)).unwrap_or_default();
    Summary {
        subject: subject(header, limits),
        from: from(header, limits),
        date: date(header, &mut defects),
        message_id: message_id.into_iter().next(),
        attachments: tree::attachments(&tree.leaves).count(),
        preview: preview::preview(&text, &html),
        text,
        html,
        defects: defects.into_vec(),
    }
}

/// Notes what is wrong with the message as a whole.
fn check(raw: &[u8], header: &Section<'_>, defects: &mut Defects) {
    if header.fields.is_empty() {
        defects.note(if raw.is_empty() { "The message is empty." } else { "The message has no header section." });
        return;
    }
    match header.all("from").count() {
        0 => defects.note("There is no From field."),
        1 => {}
        _ => defects.note("There is more than one From field; the first readable one is shown."),
    }
    if header.all("subject").nth(1).is_some() {
        defects.note("There is more than one Subject field; the first one is shown.");
    }
    if memchr::memchr(0, raw).is_some() {
        defects.note("The message contains NUL octets.");
    }
}

fn subject(header: &Section<'_>, limits: &Limits) -> String {
    let value = header.first("subject").unwrap_or_default();
    text::single_line(&words::decode(&charset::header(value)), limits.line_chars)
}

fn from(header: &Section<'_>, limits: &Limits) -> Option<Correspondent> {
    let mut all = header.all("from").flat_map(|value| fields::addresses(value, limits));
    let first = all.next()?;
    if first.address.is_empty() { Some(all.find(|c| !c.address.is_empty()).unwrap_or(first)) } else { Some(first) }
}

fn date(header: &Section<'_>, defects: &mut Defects) -> Option<Timestamp> {
    let value = header.first("date")?;
    let date = fields::date(value);
    if date.is_none() {
        defects.note("The Date field is not a date.");
    }
    date
}

/// The texts and the HTML bodies.
fn bodies(tree: &Tree<'_>, limits: &Limits, defects: &mut Defects) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut htmls) = (Vec::new(), Vec::new());
    let mut budget = limits.text_octets;
    for leaf in tree::bodies(&tree.leaves) {
        let text = body(leaf, &mut budget, defects);
        if leaf.is_html() {
            htmls.push(text);
        } else if leaf.typed || !text.trim().is_empty() {
            texts.push(text);
        }
    }
    (texts, htmls)
}

fn body(leaf: &Leaf<'_>, budget: &mut usize, defects: &mut Defects) -> String {
    let enough = leaf.transfer.enough_for(*budget);
    let octets = leaf.transfer.decode(leaf.body.get(..enough).unwrap_or(leaf.body));
    if leaf.body.len() > enough || octets.len() > *budget {
        defects.note("The text is very long; its end was left out.");
    }
    let octets = octets.get(..*budget).unwrap_or(&octets);
    *budget -= octets.len();
    let label = leaf.media.parameter("charset").map(str::to_owned);
    let label = label.or_else(|| if leaf.is_html() { html_label(octets) } else { None });
    let (text, doubtful) = charset::decode(octets, label.as_deref());
    if doubtful {
        defects.note("A text does not name its character set, or not the one it is in.");
    }
    text
}

/// The character set that an HTML document names for itself near its beginning.
fn html_label(octets: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(octets.get(..2048).unwrap_or(octets)).to_ascii_lowercase();
    let (_, value) = head.split_once("charset=")?;
    let label: String = value
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c))
        .collect();
    (!label.is_empty()).then_some(label)
}
