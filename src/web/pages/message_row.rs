//! A message in a list, and the list that it stands in.

use crate::types::Address;
use crate::types::MessageId;
use crate::types::MessageSummary;
use crate::web::ui::encode;

/// A message in a list.
#[derive(Debug)]
pub(in crate::web) struct Row {
    /// The message.
    pub summary: MessageSummary,
    /// The address of its page, with this list beside it.
    pub href: String,
}

impl Row {
    /// A row of the list at `place`.
    pub(in crate::web) fn new(summary: MessageSummary, place: &Where) -> Self {
        let href = place.message(summary.id);
        Self { summary, href }
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
    /// Just those of this mailbox.
    pub mailbox: Option<Address>,
    /// `all`, `unread`, `starred` or `code`; empty is all.
    pub show: String,
    /// Where the list goes on.
    pub cursor: String,
}

impl Where {
    /// The address of the unfiltered list.
    pub(in crate::web) fn action(&self) -> String {
        match &self.mailbox {
            Some(mailbox) => format!("/admin/mailboxes/{}", encode(mailbox)),
            None => "/admin/messages".to_owned(),
        }
    }

    /// The address of the list.
    pub(in crate::web) fn here(&self) -> String {
        self.with_show(&self.show)
    }

    /// The address of the list with another choice.
    pub(in crate::web) fn with_show(&self, show: &str) -> String {
        if is_all(show) { self.action() } else { format!("{}?show={}", self.action(), encode(show)) }
    }

    /// The address of the list's next page.
    pub(in crate::web) fn after(&self, cursor: &str) -> String {
        let here = self.here();
        let separator = if here.contains('?') { '&' } else { '?' };
        format!("{here}{separator}cursor={}", encode(cursor))
    }

    /// The address of a message with this list beside it.
    pub(in crate::web) fn message(&self, id: MessageId) -> String {
        let mut query = Vec::new();
        if let Some(mailbox) = &self.mailbox {
            query.push(format!("in={}", encode(mailbox)));
        }
        if !is_all(&self.show) {
            query.push(format!("show={}", encode(&self.show)));
        }
        let path = format!("/admin/messages/{id}");
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// Whether something is left out by choice.
    pub(in crate::web) fn is_narrow(&self) -> bool {
        !is_all(&self.show)
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

fn is_all(show: &str) -> bool {
    show.is_empty() || show == "all"
}
