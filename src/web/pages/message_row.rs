//! A message in a list, and the list that it stands in.

use crate::mail::search::Highlight;
use crate::operations::search::FoundEmail;
use crate::types::Address;
use crate::types::MessageId;
use crate::types::MessageSummary;
use crate::web::side::Side;
use crate::web::ui::encode;

/// A message in a list.
#[derive(Debug)]
pub(in crate::web) struct Row {
    /// The message.
    pub summary: MessageSummary,
    /// The address of its page, with this list beside it.
    pub href: String,
    /// The subject, cut where what was searched for begins and ends.
    pub subject: Vec<Piece>,
    /// The preview, or the place in the text that was searched for.
    pub preview: Vec<Piece>,
}

/// A piece of a text, and whether it was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Piece {
    pub(in crate::web) text: String,
    pub(in crate::web) marked: bool,
}

/// A text in pieces.
fn pieces(highlight: &Highlight) -> Vec<Piece> {
    let text: Vec<char> = highlight.text.chars().collect();
    let piece = |from: usize, to: usize, marked| {
        let text: String = text.get(from..to).unwrap_or_default().iter().collect();
        Some(Piece { text, marked }).filter(|piece| !piece.text.is_empty())
    };
    let mut at = 0;
    let mut all = Vec::new();
    for [start, end] in &highlight.ranges {
        all.extend(piece(at, *start, false).into_iter().chain(piece(*start, *end, true)));
        at = *end;
    }
    all.extend(piece(at, text.len(), false));
    all
}

impl Row {
    /// A row of the list at `place`.
    pub(in crate::web) fn found(found: FoundEmail, place: &Where) -> Self {
        let FoundEmail { summary, highlights } = found;
        let of = |field: &str, otherwise: &str| {
            let highlight = highlights.iter().find(|highlight| highlight.field == field);
            highlight.map_or_else(|| vec![Piece { text: otherwise.to_owned(), marked: false }], pieces)
        };
        let (subject, preview) = (of("subject", &summary.subject), of("text", &summary.preview));
        let href = place.message(summary.id);
        Self { summary, href, subject, preview }
    }

    /// Who it is from: the name, else the address.
    pub(in crate::web) fn sender(&self) -> &str {
        sender(&self.summary)
    }

    /// Whether this is the message that is open.
    #[expect(clippy::ref_option, reason = "templates pass references")]
    pub(in crate::web) fn is(&self, open: &Option<MessageId>) -> bool {
        *open == Some(self.summary.id)
    }
}

/// Who a message is from: the name, else the address, else nothing that one could show.
pub(in crate::web) fn sender(message: &MessageSummary) -> &str {
    [message.from_name.as_str(), message.from_address.as_str()].into_iter().find(|text| !text.trim().is_empty()).unwrap_or("–")
}

/// Which messages a list shows.
#[derive(Debug, Clone, Default)]
pub(in crate::web) struct Where {
    /// The side that shows it.
    pub side: Side,
    /// Just those of this mailbox.
    pub mailbox: Option<Address>,
    /// `all`, `unread`, `starred` or `code`; empty is all.
    pub show: String,
    /// A search; empty is none.
    pub q: String,
    /// Where the list goes on.
    pub cursor: String,
}

impl Where {
    /// The address of the unfiltered list.
    pub(in crate::web) fn action(&self) -> String {
        match &self.mailbox {
            Some(mailbox) => format!("{}/mailboxes/{}", self.side.home(), encode(mailbox)),
            None => format!("{}/messages", self.side.home()),
        }
    }

    /// The address of the list.
    pub(in crate::web) fn here(&self) -> String {
        self.with_show(&self.show)
    }

    /// The address of the list with another choice.
    pub(in crate::web) fn with_show(&self, show: &str) -> String {
        with_query(self.action(), &self.query(show))
    }

    /// The address of the list's next page.
    pub(in crate::web) fn after(&self, cursor: &str) -> String {
        let mut query = self.query(&self.show);
        query.push(("cursor", cursor.to_owned()));
        with_query(self.action(), &query)
    }

    /// The address of a message with this list beside it.
    pub(in crate::web) fn message(&self, id: MessageId) -> String {
        let mut query: Vec<_> = self.mailbox.iter().map(|mailbox| ("in", mailbox.to_string())).collect();
        query.extend(self.query(&self.show));
        with_query(format!("{}/messages/{id}", self.side.home()), &query)
    }

    fn query(&self, show: &str) -> Vec<(&'static str, String)> {
        let all = [("show", if is_all(show) { "" } else { show }), ("q", self.q.as_str())];
        all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// Whether something is left out by choice.
    pub(in crate::web) fn is_narrow(&self) -> bool {
        !is_all(&self.show) || !self.q.is_empty()
    }

    /// The choice, with its name where none was made.
    pub(in crate::web) fn shown(&self) -> &str {
        if is_all(&self.show) { "all" } else { &self.show }
    }

    /// The mailbox as a segment of a path.
    pub(in crate::web) fn mailbox_path(&self) -> String {
        self.mailbox.as_ref().map(encode).unwrap_or_default()
    }
}

fn with_query(path: String, query: &[(&str, String)]) -> String {
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn is_all(show: &str) -> bool {
    show.is_empty() || show == "all"
}
