//! A message, as the reading pane shows it.

use crate::mail::Header;
use crate::mail::extract::Extraction;
use crate::mail::extract::Source;
use crate::operations::messages::Email;
use crate::types::MessageSummary;
use crate::web::pages::message_row;
use crate::web::pages::message_row::Where;
use crate::web::pages::sender::SenderCard;
use crate::web::ui::Ui;
use crate::web::ui::View;
use crate::web::ui::encode;

/// How many candidates are shown.
const MOST_CANDIDATES: usize = 12;
/// How many characters of a text are shown.
const MOST_TEXT: usize = 200_000;

/// A message in the reading pane.
#[derive(Debug)]
pub(in crate::web) struct Reader {
    pub message: MessageSummary,
    /// The address of the message, below which its parts and actions are.
    pub path: String,
    /// The list beside it, as a query for its actions.
    pub place: String,
    /// The address of the page.
    pub here: String,
    /// The list that it came from.
    pub back: String,
    pub mailbox_path: String,
    /// Whether a script marks it as read now that it is open.
    pub mark_read: bool,
    /// What is known about the sender.
    pub sender_card: SenderCard,
    /// Why the code or link is not shown; empty where it is.
    pub withheld: String,
    pub code: Option<FoundCode>,
    pub link: Option<FoundLink>,
    pub candidates: Vec<Candidate>,
    pub defects: Vec<String>,
    pub tabs: Vec<Tab>,
    pub body: Body,
    /// Whether the body is longer than what is shown.
    pub is_cut: bool,
    pub attachments: Vec<File>,
    /// The SMTP session that it came in, in the ledger.
    pub session: Option<String>,
}

/// What is shown of the message.
#[derive(Debug)]
pub(in crate::web) enum Body {
    /// The HTML, in a frame of its own.
    Html,
    /// The text.
    Text(String),
    /// There is neither.
    Empty,
    /// The header fields in order.
    Headers(Vec<Header>),
    /// The octets, in a frame of their own.
    Raw,
}

/// The code that was found.
#[derive(Debug)]
pub(in crate::web) struct FoundCode {
    pub value: String,
    pub confidence: f64,
    pub expires_in_minutes: Option<i64>,
}

/// The link that was found.
#[derive(Debug)]
pub(in crate::web) struct FoundLink {
    pub url: String,
    pub host: String,
    pub matches_sender: bool,
    /// Whether it is of a kind that a browser opens.
    pub can_open: bool,
}

/// Something that could have been the answer.
#[derive(Debug)]
pub(in crate::web) struct Candidate {
    pub value: String,
    pub confidence: f64,
    pub source: Source,
    pub reason: String,
    pub rule: String,
}

/// A way to look at the message.
#[derive(Debug)]
pub(in crate::web) struct Tab {
    pub view: View,
    pub href: String,
    pub is_current: bool,
}

/// An attachment.
#[derive(Debug)]
pub(in crate::web) struct File {
    pub href: String,
    pub name: String,
    pub kind: String,
    pub size_octets: i64,
}

impl Reader {
    /// The pane of a message beside the list at `place`; without a view, the best there is.
    pub(in crate::web) fn new(email: Email, place: &Where, view: Option<View>, mark_read: bool) -> Self {
        let Email { summary, content, extraction, defects, auth, withheld_reason, envelope, .. } = email;
        let session = envelope.get("session").and_then(|id| id.as_str()).map(str::to_owned);
        let has_html = content.html.iter().any(|part| !part.trim().is_empty());
        let best = if has_html { View::Html } else { View::Text };
        let current = view.filter(|view| has_html || *view != View::Html).unwrap_or(best);
        let here = place.message(summary.id);
        let (path, query) = here.split_once('?').unwrap_or((&here, ""));
        let (text, is_cut) = if current == View::Text { text(&content.text) } else { (Body::Empty, false) };
        let body = match current {
            View::Html => Body::Html,
            View::Text => text,
            View::Headers => Body::Headers(content.headers),
            View::Raw => Body::Raw,
        };
        let attachments = content.attachments.iter().map(|file| File {
            href: format!("{path}/attachments/{}", file.index),
            name: file.filename.clone(),
            kind: file.content_type.clone(),
            size_octets: i64::try_from(file.size_octets).unwrap_or(i64::MAX),
        });
        Self {
            path: path.to_owned(),
            place: if query.is_empty() { String::new() } else { format!("?{query}") },
            back: place.here(),
            mailbox_path: encode(&summary.mailbox),
            sender_card: SenderCard::new(auth),
            withheld: withheld_reason.unwrap_or_default(),
            mark_read: mark_read && !summary.is_read,
            code: summary.code.as_ref().map(|value| code(value, summary.code_confidence, extraction.as_ref())),
            link: summary.link.as_deref().map(|url| link(url, extraction.as_ref())),
            candidates: extraction.map(candidates).unwrap_or_default(),
            tabs: tabs(&here, current, has_html),
            attachments: attachments.collect(),
            is_cut,
            session,
            body,
            here,
            defects,
            message: summary,
        }
    }

    /// The subject, or that there is none.
    pub(in crate::web) fn title(&self, ui: &Ui) -> String {
        let subject = self.message.subject.trim();
        if subject.is_empty() { ui.t("no_subject").to_owned() } else { subject.to_owned() }
    }

    /// Who it is from: the name, else the address.
    pub(in crate::web) fn sender(&self) -> &str {
        message_row::sender(&self.message)
    }
}

/// The text, and whether its end was left out; the source has it all.
fn text(parts: &[String]) -> (Body, bool) {
    let mut whole = parts.join("\n\n");
    if whole.trim().is_empty() {
        return (Body::Empty, false);
    }
    let end = whole.char_indices().nth(MOST_TEXT).map(|(end, _)| end);
    if let Some(end) = end {
        whole.truncate(end);
    }
    (Body::Text(whole), end.is_some())
}

/// Without HTML there is no tab for it.
fn tabs(here: &str, current: View, has_html: bool) -> Vec<Tab> {
    let separator = if here.contains('?') { '&' } else { '?' };
    let tab = |view: View| Tab { view, href: format!("{here}{separator}view={}", view.as_str()), is_current: view == current };
    View::ALL.into_iter().filter(|view| has_html || *view != View::Html).map(tab).collect()
}

fn code(value: &str, confidence: Option<f64>, extraction: Option<&Extraction>) -> FoundCode {
    let found = extraction.and_then(|e| e.code.as_ref());
    let seconds = found.and_then(|c| c.expires_in_seconds);
    FoundCode {
        value: value.to_owned(),
        confidence: confidence.unwrap_or_default(),
        expires_in_minutes: seconds.map(|s| i64::from(s.div_ceil(60))),
    }
}

fn link(url: &str, extraction: Option<&Extraction>) -> FoundLink {
    // What the browser would open, so that the host shown is the host reached.
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|u| u.host_str()).unwrap_or_default().to_owned();
    FoundLink {
        url: url.to_owned(),
        can_open: parsed.as_ref().is_some_and(|u| matches!(u.scheme(), "http" | "https")) && !host.is_empty(),
        host,
        matches_sender: extraction.and_then(|e| e.link.as_ref()).is_none_or(|l| l.host_matches_sender),
    }
}

fn candidates(extraction: Extraction) -> Vec<Candidate> {
    let codes = extraction.codes.into_iter().map(|c| Candidate {
        value: c.value,
        confidence: f64::from(c.confidence),
        source: c.source,
        reason: c.reason,
        rule: c.rule,
    });
    let links = extraction.links.into_iter().map(|l| Candidate {
        value: l.url.chars().take(120).collect(),
        confidence: f64::from(l.confidence),
        source: l.source,
        reason: l.reason,
        rule: l.rule,
    });
    codes.chain(links).take(MOST_CANDIDATES).collect()
}
