//! What a session asks of the floor below. A trait, so that the protocol can be tested and measured without a database.

use std::future::Future;

use crate::error::Result;
use crate::ingest::{Content, Delivery, Envelope, Ingest, Receipt, Received, Recipient, Refusal, Rejection};
use crate::types::{Address, ContentId};

/// A message that a session finished.
#[derive(Debug)]
pub(super) struct Message<R> {
    pub(super) id: ContentId,
    pub(super) envelope: Envelope,
    pub(super) recipients: Vec<R>,
    pub(super) content: Content,
    pub(super) trace: String,
}

/// Decides about recipients and takes messages; see [`Ingest`].
pub(super) trait Intake: Clone + Send + Sync + 'static {
    /// A recipient that may receive.
    type Recipient: Send + Sync;
    /// Says that a message is stored.
    type Receipt: Send + Sync;

    fn resolve(&self, address: &Address) -> impl Future<Output = Result<Result<Self::Recipient, Refusal>>> + Send;
    fn resolve_postmaster(&self) -> impl Future<Output = Result<Result<Self::Recipient, Refusal>>> + Send;
    /// Brings a message into memory, when it is its turn.
    fn admit(&self, received: Received) -> impl Future<Output = Result<Content>> + Send;
    fn deliver(&self, message: Message<Self::Recipient>)
    -> impl Future<Output = Result<Result<Self::Receipt, Rejection>>> + Send;
    /// The address that a recipient was resolved from.
    fn address(recipient: &Self::Recipient) -> &Address;
    /// What a message is stored as.
    fn stored_as(receipt: &Self::Receipt) -> ContentId;
    /// The peer is known to have got the answer.
    fn confirm(receipt: Self::Receipt);
}

impl Intake for Ingest {
    type Recipient = Recipient;
    type Receipt = Receipt;

    async fn resolve(&self, address: &Address) -> Result<Result<Recipient, Refusal>> {
        Self::resolve(self, address).await
    }

    async fn resolve_postmaster(&self) -> Result<Result<Recipient, Refusal>> {
        Self::resolve_postmaster(self).await
    }

    async fn admit(&self, received: Received) -> Result<Content> {
        Self::admit(self, received).await
    }

    async fn deliver(&self, message: Message<Recipient>) -> Result<Result<Receipt, Rejection>> {
        let Message { id, envelope, recipients, content, trace } = message;
        Self::deliver(self, Delivery { id, envelope, recipients, content, trace }).await
    }

    fn address(recipient: &Recipient) -> &Address {
        &recipient.address
    }

    fn stored_as(receipt: &Receipt) -> ContentId {
        receipt.id()
    }

    fn confirm(receipt: Receipt) {
        receipt.confirm();
    }
}
