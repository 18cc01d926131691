//! A message made ready for its rows, in the task of the session that brought it.

use std::borrow::Cow;
use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::mail::Limits;
use crate::mail::extract::Extraction;
use crate::mail::parse::Summary;
use crate::mail::reading;
use crate::store::intake::{self, Batch};
use crate::types::{Address, ContentId, MailboxId, MessageId};

use super::delivery::{Delivery, Recipient, Target};
use super::policy::Judgement;
use super::settle::Fingerprint;

/// Above this, a message is prepared on a thread of its own, so that it does not hold up other sessions.
const LARGE_OCTETS: usize = 128 * 1024;
/// Below this, compression saves less than it costs.
const WORTH_COMPRESSING_OCTETS: usize = 512;

/// A message with everything that its rows hold.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) fingerprint: Fingerprint,
    delivery: Delivery,
    envelope: String,
    sha256: [u8; 32],
    size_octets: i64,
    /// The content's place, which is then empty, is taken by this.
    compressed: Option<Vec<u8>>,
    summary: Summary,
    findings: Findings,
    messages: Vec<MessageId>,
    judgement: Judgement,
}

/// The codes and links of a message, as its rows hold them.
#[derive(Debug, Default)]
struct Findings {
    code: Option<(String, f32)>,
    link: Option<String>,
    extraction: Option<String>,
}

impl Findings {
    fn new(extraction: Extraction) -> Result<Self> {
        if extraction.codes.is_empty() && extraction.links.is_empty() {
            return Ok(Self::default());
        }
        let json = serde_json::to_string(&extraction).map_err(|cause| Error::Internal(cause.into()))?;
        Ok(Self {
            extraction: Some(without_nul(&json).into_owned()),
            code: extraction.code.map(|code| (code.value, code.confidence)),
            link: extraction.link.map(|link| link.url),
        })
    }
}

impl Prepared {
    /// Hashes, compresses, parses and looks for codes and links.
    pub(super) async fn new(delivery: Delivery, limits: Limits, judgement: Judgement) -> Result<Self> {
        if delivery.content.len() <= LARGE_OCTETS {
            return Self::now(delivery, &limits, judgement);
        }
        let prepared = tokio::task::spawn_blocking(move || Self::now(delivery, &limits, judgement)).await;
        prepared.map_err(|cause| Error::Internal(anyhow::Error::new(cause).context("preparing a message")))?
    }

    fn now(mut delivery: Delivery, limits: &Limits, judgement: Judgement) -> Result<Self> {
        let sha256: [u8; 32] = Sha256::digest(&*delivery.content).into();
        let envelope = serde_json::to_string(&delivery.envelope).map_err(|cause| Error::Internal(cause.into()))?;
        let mut reading = reading::read_within(&delivery.content, &[], limits);
        // While it waits for its commit, only what the rows hold is kept.
        (reading.summary.text, reading.summary.html) = (Vec::new(), Vec::new());
        let (size_octets, fingerprint) = (delivery.content.len(), fingerprint(&delivery, &sha256));
        let compressed = compress(&delivery.content);
        if compressed.is_some() {
            delivery.content.release();
        }
        Ok(Self {
            fingerprint,
            size_octets: i64::try_from(size_octets).unwrap_or(i64::MAX),
            compressed,
            findings: Findings::new(reading.extraction)?,
            summary: reading.summary,
            messages: ids(&delivery.recipients),
            envelope: without_nul(&envelope).into_owned(),
            delivery,
            judgement,
            sha256,
        })
    }

    pub(super) fn content_id(&self) -> ContentId {
        self.delivery.id
    }

    /// Gives the message the id under which it was perhaps stored before; its trace fields name it too.
    pub(super) fn rename(&mut self, id: ContentId) {
        self.delivery.trace = self.delivery.trace.replace(&self.delivery.id.to_string(), &id.to_string());
        self.delivery.id = id;
    }

    pub(super) fn stored_octets(&self) -> usize {
        self.octets().len()
    }

    fn octets(&self) -> &[u8] {
        self.compressed.as_deref().unwrap_or(&self.delivery.content)
    }

    /// The mailboxes of the recipients, each once. Makes those that collect for an address nobody made.
    pub(super) async fn mailboxes(&self, db: &mut PgConnection) -> Result<Vec<(MailboxId, &Recipient)>> {
        let mut mailboxes: Vec<(MailboxId, &Recipient)> = Vec::with_capacity(self.delivery.recipients.len());
        for recipient in &self.delivery.recipients {
            let collecting;
            let ids: &[MailboxId] = match &recipient.target {
                Target::Mailboxes(ids) => ids,
                Target::Collect(address) => {
                    collecting = [collecting_mailbox(db, address).await?];
                    &collecting
                }
            };
            for id in ids {
                // Two addresses of one mailbox are one delivery.
                if mailboxes.iter().all(|(known, _)| known != id) {
                    mailboxes.push((*id, recipient));
                }
            }
        }
        Ok(mailboxes)
    }

    /// Adds the rows of this message to a batch.
    pub(super) fn add_to<'a>(&'a self, batch: &mut Batch<'a>, mailboxes: &[(MailboxId, &'a Recipient)]) {
        let c = &mut batch.contents;
        c.id.push(self.delivery.id.0);
        c.sha256.push(&self.sha256);
        c.size_octets.push(self.size_octets);
        c.trace.push(&self.delivery.trace);
        c.envelope.push(&self.envelope);
        c.encoding.push(if self.compressed.is_some() { "zstd" } else { "plain" });
        c.octets.push(self.octets());
        c.fingerprint.push(&self.fingerprint);
        c.auth.push(self.judgement.auth.as_deref());
        for ((mailbox, recipient), id) in mailboxes.iter().zip(&self.messages) {
            let (m, s, f) = (&mut batch.messages, &self.summary, &self.findings);
            m.id.push(id.0);
            m.mailbox_id.push(mailbox.0);
            m.content_id.push(self.delivery.id.0);
            m.recipient.push(recipient.address.as_str());
            m.subject.push(&s.subject);
            m.from_address.push(s.from.as_ref().map_or("", |from| &from.address));
            m.from_name.push(s.from.as_ref().and_then(|from| from.name.as_deref()).unwrap_or_default());
            m.preview.push(&s.preview);
            m.size_octets.push(self.size_octets);
            m.attachment_count.push(i32::try_from(s.attachments).unwrap_or(i32::MAX));
            m.code.push(f.code.as_ref().map(|(value, _)| value.as_str()));
            m.code_confidence.push(f.code.as_ref().map(|(_, confidence)| *confidence));
            m.link.push(f.link.as_deref());
            m.extraction.push(f.extraction.as_deref());
            m.defects.push(s.defects.join("\n"));
            m.sender_trust.push(self.judgement.trust.as_str());
            m.is_quarantined.push(self.judgement.is_quarantined(recipient));
        }
    }
}

/// An id for each message that the recipients may need: an alias leads to several mailboxes.
fn ids(recipients: &[Recipient]) -> Vec<MessageId> {
    recipients.iter().flat_map(|recipient| std::iter::repeat_with(MessageId::generate).take(recipient.target.len())).collect()
}

async fn collecting_mailbox(db: &mut PgConnection, address: &Address) -> Result<MailboxId> {
    let made = intake::collecting_mailbox(db, address.as_str(), address.domain_str()).await?;
    made.ok_or_else(|| Error::conflict("domain_gone", format!("The domain of {address} was removed while mail for it arrived.")))
}

/// What a second transfer of the same message has in common with the first: envelope and content.
fn fingerprint(delivery: &Delivery, sha256: &[u8; 32]) -> Fingerprint {
    let mut recipients: Vec<&str> = delivery.recipients.iter().map(|r| r.address.as_str()).collect();
    recipients.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(delivery.envelope.reverse_path.as_bytes());
    for recipient in recipients {
        hash.update([0]);
        hash.update(recipient.as_bytes());
    }
    hash.update([0]);
    hash.update(sha256);
    hash.finalize().into()
}

thread_local! {
    /// Making one costs more than compressing a short message with it.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = RefCell::new(zstd::bulk::Compressor::new(1).ok());
}

fn compress(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() < WORTH_COMPRESSING_OCTETS {
        return None;
    }
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| compressor.as_mut()?.compress(content).ok())?;
    (compressed.len() < content.len()).then_some(compressed)
}

/// PostgreSQL's jsonb refuses U+0000; JSON writes it as an escape.
pub(super) fn without_nul(json: &str) -> Cow<'_, str> {
    if json.contains("\\u0000") { Cow::Owned(json.replace("\\u0000", "")) } else { Cow::Borrowed(json) }
}
