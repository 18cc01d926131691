//! Finds verification codes and links in a message.
//!
//! Every token that has the form of a code is weighed on what the message says about it: the names before and
//! after it, the wording that asks for it, its place, its form, what the message is about. What it is by its own
//! nature (a date, money, a phone number) counts against it, not what stands near it. Links likewise. Pure, linear
//! in the size of the message, and without recursion. `docs/extraction.md` has the method and the score.

mod attach;
mod codes;
mod evidence;
mod expiry;
mod fold;
mod html;
mod judge;
mod link_measures;
mod link_weights;
mod links;
mod measures;
mod mood;
mod nature;
mod page;
mod rule;
mod score;
mod sender;
mod token;
mod types;
mod url;
mod weights;
mod wording;

#[cfg(test)]
mod fit;
#[cfg(test)]
mod tests;

pub use rule::InvalidRule;
pub use rule::Rule;
pub use types::CodeCandidate;
pub use types::CodeKind;
pub use types::Extraction;
pub use types::Input;
pub use types::LinkCandidate;
pub use types::LinkKind;
pub use types::Source;
pub use types::Span;

use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
use crate::mail::extract::token::Token;
use crate::mail::extract::wording::Wording;

/// The version of the engine and its wording; goes up when answers may change.
pub const VERSION: u32 = 3;
/// The most candidates of each sort that an extraction holds.
pub const MAX_CANDIDATES: usize = 8;
/// Octets of the subject that are read.
const MAX_SUBJECT: usize = 4096;
/// The most parts of each sort that are read.
const MAX_PARTS: usize = 8;

/// Finds the codes and links of a message. Takes time linear in its size and never fails.
pub fn extract(input: &Input<'_>) -> Extraction {
    let (pages, tokens, mood) = prepare(input);
    let codes = codes::candidates(&pages, &tokens, &mood, input);
    let code = codes.first().filter(|code| code.confidence >= codes::THRESHOLD).cloned();
    let links = links::candidates(&pages, &mood, code.as_ref().map(|code| code.value.as_str()), input);
    let link = links.first().filter(|link| link.confidence >= links::THRESHOLD && is_answer(link.kind)).cloned();
    Extraction { code, link, codes, links, version: VERSION }
}

/// Reads the parts. Where nothing could be a code or a link, the wording is not looked up.
fn prepare(input: &Input<'_>) -> (Vec<Page>, Vec<Vec<Token>>, Mood) {
    prepare_with(input, &wording::WORDING)
}

fn prepare_with(input: &Input<'_>, wording: &Wording) -> (Vec<Page>, Vec<Vec<Token>>, Mood) {
    let mut pages = pages(input);
    let tokens: Vec<Vec<Token>> = pages.iter().map(token::tokens).collect();
    let mut mood = Mood::default();
    let has_links = pages.iter().any(|page| !page.links.is_empty() || page.visible.contains("://"));
    if tokens.iter().all(Vec::is_empty) && !has_links && input.rules.is_empty() {
        return (pages, tokens, mood);
    }
    mood.sender = sender::sender(input.from_address);
    mood.numbers = tokens.iter().map(|tokens| tokens.iter().filter(|token| token.digits >= 4).count()).max().unwrap_or(0);
    for page in pages.iter_mut().rev() {
        let hits = match page.source {
            Source::Text => wording.find(&unwrapped(&page.folded.text)),
            Source::Html | Source::Subject => wording.find(&page.folded.text),
        };
        page.set_hits(hits);
        mood.read(page, page.source == Source::Subject);
    }
    (pages, tokens, mood)
}

/// A text with its lines put together where a paragraph goes on: a phrase may begin on one line and end on the next. Of the
/// same length, so that places stay what they are.
fn unwrapped(text: &str) -> String {
    let mut octets = text.as_bytes().to_vec();
    for at in 1..octets.len().saturating_sub(1) {
        let goes_on = |octet: u8| octet.is_ascii_alphanumeric() || !octet.is_ascii();
        if octets[at] == b'\n' && goes_on(octets[at - 1]) && goes_on(octets[at + 1]) {
            octets[at] = b' ';
        }
    }
    // An ASCII octet took the place of another, so this is UTF-8 still.
    String::from_utf8(octets).unwrap_or_else(|_| text.to_owned())
}

/// The text of an HTML part as a person sees it: one line for each line on the page, hidden text left out,
/// at most 512 KB. Takes time linear in the size of the markup.
pub fn visible_text(html: &str) -> String {
    html::render(html).text
}

fn is_answer(kind: LinkKind) -> bool {
    matches!(kind, LinkKind::Verify | LinkKind::Reset | LinkKind::SignIn | LinkKind::Invite)
}

/// The parts in the order in which they are trusted: HTML as it is seen, text, subject.
fn pages(input: &Input<'_>) -> Vec<Page> {
    let mut pages = Vec::new();
    for (part, html) in input.html.iter().take(MAX_PARTS).enumerate() {
        pages.push(Page::markup(part, html));
    }
    for (part, text) in input.text.iter().take(MAX_PARTS).enumerate() {
        pages.push(Page::plain(Source::Text, part, text));
    }
    let subject = input.subject.get(..page::cut(input.subject, MAX_SUBJECT)).unwrap_or_default();
    pages.push(Page::plain(Source::Subject, 0, subject));
    pages
}
