//! What a listener hands over, and what it gets back.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::types::{Address, ContentId, MailboxId, SessionId};

use super::content::Content;
use super::settle::{Fingerprint, Ledger};

/// A message and the mailboxes that it was accepted for.
#[derive(Debug)]
pub struct Delivery {
    /// Names the transaction, in the `Received` field and in the answer to the peer.
    pub id: ContentId,
    /// Who sent it, and how it came.
    pub envelope: Envelope,
    /// Where it goes, as decided by `resolve`.
    pub recipients: Vec<Recipient>,
    /// What was sent.
    pub content: Content,
    /// The trace fields `Return-Path` and `Received`, with their line ends; stored apart from the content. Below them,
    /// `Authentication-Results` is added.
    pub trace: String,
}

/// Who sent a message, and how it came.
#[derive(Debug, Clone, Serialize)]
pub struct Envelope {
    /// The reverse-path without its brackets; empty for the null path.
    pub reverse_path: String,
    /// The name that the peer gave in EHLO or HELO.
    pub helo: String,
    /// The peer's address.
    pub remote: IpAddr,
    /// As in the `with` clause of `Received` (RFC 3848, RFC 6531): `ESMTPS`.
    pub protocol: &'static str,
    /// Version and cipher suite, where the session is encrypted.
    pub tls: Option<String>,
    /// The sender asked that the message goes over verified TLS only (RFC 8689), should it ever be passed on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_tls: bool,
    /// The session in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// A recipient that may receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address as the peer named it, in its stored form.
    pub address: Address,
    /// The domain of ours that answers for it: its own, or one above that takes its subdomains.
    pub domain: Arc<str>,
    pub(super) target: Target,
}

/// Where a message for a recipient is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Into these mailboxes; at least one.
    Mailboxes(Arc<[MailboxId]>),
    /// Into a mailbox of this address that is made with the first message, and waits for somebody to adopt it.
    Collect(Address),
}

impl Target {
    /// How many mailboxes it leads to.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Mailboxes(ids) => ids.len(),
            Self::Collect(_) => 1,
        }
    }
}

/// Why an address may not receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The domain is not served here: 550 5.7.1.
    ForeignDomain,
    /// There is no such mailbox in a domain of ours: 550 5.1.1.
    UnknownMailbox,
    /// The mailbox is trashed, disabled or expired: 550 5.2.1.
    Inactive,
}

/// Why a message is not taken after all. Never because something could not be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The author's domain disowns it and asks for it to be refused, and so do all the domains that it is for: 550 5.7.26.
    Disowned {
        /// The author's domain.
        domain: String,
    },
    /// A DNS list names the peer's address: 554 5.7.1.
    Listed {
        /// The list.
        zone: String,
    },
}

/// Says that a message is stored.
///
/// Call [`Receipt::confirm`] once the peer is known to have got the answer. Dropped without, the message counts as
/// unacknowledged, and when the peer sends it again it is recognised rather than stored twice (RFC 1047).
#[derive(Debug)]
pub struct Receipt {
    id: ContentId,
    fingerprint: Fingerprint,
    ledger: Option<Arc<Ledger>>,
}

impl Receipt {
    pub(super) fn new(id: ContentId, fingerprint: Fingerprint, ledger: Arc<Ledger>) -> Self {
        Self { id, fingerprint, ledger: Some(ledger) }
    }

    /// What the message is stored as; another than the delivery's where it was recognised as sent before.
    pub fn id(&self) -> ContentId {
        self.id
    }

    /// The peer went on after the answer, so it has it.
    pub fn confirm(mut self) {
        if let Some(ledger) = self.ledger.take() {
            ledger.confirmed(self.id);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(ledger) = self.ledger.take() {
            ledger.abandoned(self.id, self.fingerprint);
        }
    }
}
