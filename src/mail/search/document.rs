//! What of a message can be found.

use crate::mail::attachments::Disposition;
use crate::mail::extract;
use crate::mail::parse::{Parsed, parse};
use crate::mail::text::single_line;
use crate::types::{Outcome, Verdicts};

use super::terms::{Field, Pieces};

/// Octets of visible text that are searched and kept for showing where a word stands.
const TEXT_OCTETS: usize = 16 * 1024;
/// A text part that is shorter may only say that there is a page.
const LITTLE_TEXT_OCTETS: usize = 400;
/// Characters of a field that are searched: many recipients are cut.
const FIELD_CHARS: usize = 1000;

/// A message as search sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// In the form in which PostgreSQL reads a `tsvector`; the block is added where it is stored.
    pub tsvector: String,
    /// The beginning of the visible text on one line, at most 16 KB.
    pub text: String,
}

/// What is known of a message besides its octets.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The mailbox it lies in.
    pub mailbox: &'a str,
    /// The address it was sent to.
    pub recipient: &'a str,
    /// The code that was found in it.
    pub code: Option<&'a str>,
    /// The link that was found in it.
    pub link: Option<&'a str>,
    /// What was found out about its sender; `None` where it was not checked.
    pub auth: Option<&'a Verdicts>,
}

impl Document {
    /// Reads a message for the search.
    pub fn new(raw: &[u8], known: Known<'_>) -> Self {
        let parsed = parse(raw);
        let text = visible_text(&parsed);
        let mut pieces = Pieces::default();
        facts(&mut pieces, &parsed, known);
        fields(&mut pieces, &parsed, known.recipient);
        pieces.text(&parsed.subject);
        for header in [&parsed.from].into_iter().flatten().chain(&parsed.to) {
            pieces.text(header.name.as_deref().unwrap_or_default());
            pieces.text(&header.address);
        }
        for attachment in &parsed.attachments {
            pieces.text(&attachment.filename);
        }
        pieces.text(&text);
        Self { tsvector: pieces.into_tsvector(), text }
    }
}

fn facts(pieces: &mut Pieces, parsed: &Parsed, known: Known<'_>) {
    pieces.fact(Field::Mailbox, known.mailbox);
    pieces.fact(Field::Domain, known.mailbox.rsplit_once('@').map_or("", |(_, domain)| domain));
    let has = [
        ("code", known.code.is_some()),
        ("link", known.link.is_some()),
        ("attachment", parsed.attachments.iter().any(|a| a.disposition == Disposition::Attachment)),
        ("inline", parsed.attachments.iter().any(|a| a.disposition == Disposition::Inline)),
    ];
    for (name, _) in has.into_iter().filter(|(_, has)| *has) {
        pieces.fact(Field::Has, name);
    }
    if let Some(code) = known.code {
        pieces.fact(Field::Code, code);
    }
    if let Some(host) = known.link.and_then(host) {
        // Each parent domain too.
        for (at, _) in std::iter::once((0, "")).chain(host.match_indices('.').map(|(at, dot)| (at + 1, dot))) {
            pieces.fact(Field::LinkHost, host.get(at..).unwrap_or_default());
        }
    }
    if let Some(id) = &parsed.message_id {
        pieces.fact(Field::MessageId, id);
    }
    verdicts(pieces, known.auth.unwrap_or(&Verdicts::default()));
}

fn verdicts(pieces: &mut Pieces, found: &Verdicts) {
    pieces.fact(Field::Spf, found.spf.result.as_str());
    pieces.fact(Field::Dmarc, found.dmarc.result.as_str());
    for signature in &found.dkim {
        pieces.fact(Field::Dkim, signature.result.as_str());
    }
    if found.dkim.is_empty() {
        pieces.fact(Field::Dkim, Outcome::None.as_str());
    }
}

fn host(link: &str) -> Option<String> {
    url::Url::parse(link).ok()?.host_str().map(str::to_owned)
}

fn fields(pieces: &mut Pieces, parsed: &Parsed, recipient: &str) {
    let line = |people: &[crate::mail::Correspondent]| -> String {
        let all: Vec<String> =
            people.iter().map(|c| format!("{} {}", c.name.as_deref().unwrap_or_default(), c.address)).collect();
        all.join(", ")
    };
    let from: Vec<_> = parsed.from.iter().cloned().collect();
    let mut to = line(&parsed.to);
    if !to.to_lowercase().contains(recipient) {
        to = format!("{recipient}, {to}");
    }
    let names: Vec<&str> = parsed.attachments.iter().map(|a| a.filename.as_str()).collect();
    let list = parsed.headers.iter().find(|h| h.name.eq_ignore_ascii_case("list-id")).map(|h| h.value.clone());
    let all = [
        (Field::From, line(&from)),
        (Field::To, to),
        (Field::Cc, line(&parsed.cc)),
        (Field::Bcc, line(&parsed.bcc)),
        (Field::ReplyTo, line(&parsed.reply_to)),
        (Field::Subject, parsed.subject.clone()),
        (Field::Filename, names.join(", ")),
        (Field::ListId, list.unwrap_or_default()),
    ];
    for (field, text) in all {
        let cut: String = text.chars().take(FIELD_CHARS).collect();
        if !cut.trim().is_empty() {
            pieces.field(field, &cut);
        }
    }
}

/// What a reader sees, on one line: the text, and the page too where the text says little.
fn visible_text(parsed: &Parsed) -> String {
    let mut seen = parsed.text.clone();
    if seen.iter().map(|text| text.trim().len()).sum::<usize>() < LITTLE_TEXT_OCTETS {
        seen.extend(parsed.html.iter().map(|html| extract::visible_text(html)));
    }
    let mut line = single_line(&seen.join(" "), TEXT_OCTETS);
    while line.len() > TEXT_OCTETS {
        line.pop();
    }
    line.retain(|c| c != '\0');
    line
}
