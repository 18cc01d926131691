//! The line or two that a list shows of a message.

use crate::mail::extract::visible_text;
use crate::mail::text;

/// Characters of a preview.
const PREVIEW_CHARS: usize = 200;
/// Octets of a text body looked at.
const TEXT_OCTETS: usize = 4 * 1024;
/// Octets of an HTML body looked at, from its `body` tag on.
const HTML_OCTETS: usize = 32 * 1024;

/// A preview of at most 200 characters: of the first text body that says something, else of the first HTML body.
pub(super) fn preview(texts: &[String], htmls: &[String]) -> String {
    let text = texts.iter().map(|text| of_text(text)).find(|preview| !preview.is_empty());
    text.or_else(|| htmls.iter().map(|html| of_text(&html_text(html))).find(|preview| !preview.is_empty())).unwrap_or_default()
}

fn of_text(text: &str) -> String {
    let start = text.get(..floor(text, TEXT_OCTETS)).unwrap_or(text);
    let mut line = text::single_line(start, PREVIEW_CHARS * 2);
    // Invisible padding is how senders keep the rest of the message out of previews.
    line.retain(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{34f}' | '\u{ad}'));
    text::single_line(&line, PREVIEW_CHARS)
}

/// The text of an HTML body as a reader sees it: what is hidden is in no list.
fn html_text(html: &str) -> String {
    let body = memchr::memmem::find(html.as_bytes(), b"<body").unwrap_or_default();
    let html = html.get(body..).unwrap_or(html);
    visible_text(html.get(..floor(html, HTML_OCTETS)).unwrap_or(html))
}

/// The last character boundary at or before an offset.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or_default()
}
