//! Doors for the fuzz targets. Each takes any octets, and fails where a promise does not hold.

#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic: that is what each is for")]

use crate::mail::Limits;
use crate::mail::clean::{CleanOptions, clean_html};
use crate::mail::parse::{parse, summary};
use crate::mail::reading;

/// A whole message.
pub fn mime(octets: &[u8]) {
    let (parsed, summary) = (parse(octets), summary(octets));
    let limits = Limits::DEFAULT;
    assert!(parsed.headers.len() <= limits.fields && parsed.attachments.len() <= limits.parts);
    assert!(parsed.defects.len() <= limits.defects);
    assert!(parsed.attachments.iter().all(|a| !a.filename.is_empty() && !a.filename.contains(['/', '\\', '\0'])));
    assert!(is_one_line(&parsed.subject) && summary.preview.chars().count() <= 200);
    assert_eq!((&parsed.subject, &parsed.from, &parsed.text), (&summary.subject, &summary.from, &summary.text));
    assert_eq!(parsed.attachments.len(), summary.attachments);
    // PostgreSQL takes no NUL in a text.
    let texts = parsed.text.iter().chain(&parsed.html).chain([&parsed.subject, &summary.preview]);
    assert!(texts.into_iter().all(|text| !text.contains('\0')));
    let _ = reading::read(octets, &[]);
}

/// The value of the fields that are read for people.
pub fn header(octets: &[u8]) {
    let value: Vec<u8> = octets.iter().copied().filter(|octet| !b"\r\n".contains(octet)).collect();
    for name in ["From", "To", "Subject", "Date", "Message-ID", "References", "Content-Type", "Content-Disposition"] {
        let parsed = parse(&[name.as_bytes(), b": ", value.as_slice(), b"\r\n\r\nx\r\n"].concat());
        assert!(is_one_line(&parsed.subject));
        let correspondents = parsed.from.iter().chain(&parsed.to);
        assert!(correspondents.into_iter().all(|c| is_one_line(&c.address) && c.name.as_deref().is_none_or(is_one_line)));
        assert!(parsed.message_id.as_deref().is_none_or(is_one_line));
    }
}

fn is_one_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// HTML of a message.
pub fn html(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let cleaned = clean_html(&text, &CleanOptions::default()).html;
    let lower = cleaned.to_ascii_lowercase();
    for active in ["<script", "<iframe", "<form", "<object", "<embed", "<meta", "<base", "<link", "<svg", "<math", "<style"] {
        assert!(!lower.contains(active), "{active} in {cleaned}");
    }
    assert_eq!(clean_html(&cleaned, &CleanOptions::default()).html, cleaned, "cleaning again changes nothing");
}
