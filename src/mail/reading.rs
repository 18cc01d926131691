//! One reading of a message at arrival: what lists show of it, and the codes and links in it.

use crate::mail::extract::{Extraction, Input, Rule, extract};
use crate::mail::limits::Limits;
use crate::mail::parse::{Summary, summary_within};

/// What was read of a message at arrival.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What lists show.
    pub summary: Summary,
    /// Codes and links, with their evidence.
    pub extraction: Extraction,
}

/// Reads a message. Never fails: of what cannot be parsed there is little to show, and it is kept all the same.
pub fn read(raw: &[u8], rules: &[Rule]) -> Reading {
    read_within(raw, rules, &Limits::DEFAULT)
}

/// As [`read`], within other limits.
pub fn read_within(raw: &[u8], rules: &[Rule], limits: &Limits) -> Reading {
    let summary = summary_within(raw, limits);
    let text: Vec<&str> = summary.text.iter().map(String::as_str).collect();
    let html: Vec<&str> = summary.html.iter().map(String::as_str).collect();
    let from = summary.from.as_ref();
    let extraction = extract(&Input {
        subject: &summary.subject,
        from_address: from.map(|from| from.address.as_str()),
        from_name: from.and_then(|from| from.name.as_deref()),
        text: &text,
        html: &html,
        rules,
    });
    Reading { summary, extraction }
}
