//! A mail transaction: from MAIL to the answer after the message (RFC 5321 section 3.3).

use bytes::Buf as _;
use chrono::Utc;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::ingest;
use crate::ingest::Envelope;
use crate::types::ContentId;

use super::content::{Content, Finished, Overflow};
use super::data::{DataReader, Progress};
use super::intake::{Intake, Message};
use super::parameters::MailParameters;
use super::record::Stage;
use super::reply;
use super::reply::Reply;
use super::session::Session;
use super::trace;
use super::wire::{Ended, Presence, Waiting};

/// What MAIL and RCPT said, and what came of the message in chunks.
#[derive(Debug)]
pub(super) struct Transaction<R> {
    /// Empty for the null path.
    pub(super) reverse_path: String,
    pub(super) parameters: MailParameters,
    pub(super) recipients: Vec<R>,
    pub(super) chunks: Chunks,
}

/// How far a message that comes with BDAT is (RFC 3030 section 2).
#[derive(Debug)]
pub(super) enum Chunks {
    /// None came yet.
    None,
    /// The last is yet to come.
    Open(Box<Content>),
    /// One was refused, and so will the rest be, for the same reason.
    Refused(Reply),
}

impl<R> Transaction<R> {
    pub(super) fn new(reverse_path: &str, parameters: MailParameters) -> Self {
        Self { reverse_path: reverse_path.to_owned(), parameters, recipients: Vec::new(), chunks: Chunks::None }
    }

    /// A chunk came, so that recipients and DATA come too late.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.chunks, Chunks::None)
    }

    /// Nothing can become of it any more.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.chunks, Chunks::Refused(_))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    /// DATA: takes the message and hands it on. A refusal before 354 leaves the transaction as it was.
    pub(super) async fn data(&mut self) -> Result<Reply, Ended> {
        match &self.transaction {
            None if self.hello.is_none() => return Ok(reply::HELLO_FIRST),
            None => return Ok(reply::MAIL_FIRST),
            Some(transaction) if transaction.has_begun() => return Ok(reply::CHUNKS_BEGAN),
            Some(transaction) if transaction.recipients.is_empty() => return Ok(reply::NO_RECIPIENTS),
            Some(transaction) if transaction.parameters.binary => return Ok(reply::NEEDS_CHUNKS),
            Some(_) => {}
        }
        self.wire.reply(&reply::GO_AHEAD).await?;
        self.record.reached(Stage::Data);
        // 354 goes out although more may be buffered: what follows is the message only if the peer is told so.
        self.wire.flush().await?;
        let content = self.receive().await?;
        let Some(transaction) = self.transaction.take() else { return Ok(reply::MAIL_FIRST) };
        self.finish(transaction, content).await
    }

    /// Reads a message to its true end, whatever becomes of it, so that the dialogue stays in step.
    async fn receive(&mut self) -> Result<Content, Ended> {
        let (mut content, mut reader) = (Content::new(self.shared.room.clone()), DataReader::new());
        loop {
            if self.wire.input.is_empty() {
                self.wait(Waiting::ForData { so_far: content.len() }).await?;
            }
            // The reader may give out an octet that it held back.
            content.make_room(self.wire.input.len() + 1).await;
            match reader.read(&self.wire.input, |octets| content.push(octets)) {
                Progress::More => self.wire.input.clear(),
                Progress::Ended(at) => {
                    self.wire.input.advance(at);
                    self.wire.release_room();
                    return Ok(content);
                }
            }
        }
    }

    pub(super) async fn finish(&mut self, transaction: Transaction<I::Recipient>, content: Content) -> Result<Reply, Ended> {
        // The memory is held until the message is stored.
        let Finished { received, octets: size_octets, hops, memory: _memory } = match content.finish().await {
            Ok(finished) => finished,
            Err(overflow) => return Ok(refuse(&transaction, overflow.into())),
        };
        if hops > trace::MOST_HOPS {
            return Ok(refuse(&transaction, reply::LOOPING));
        }
        // The peer should not wait for the answers before while the message is stored.
        self.wire.flush().await?;
        let (sender, recipients) = (transaction.reverse_path.clone(), transaction.recipients.len());
        let stored = match self.shared.intake.admit(received).await {
            Ok(content) => self.shared.intake.deliver(self.message(transaction, content)).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(Err(rejection)) => {
                tracing::info!(sender, recipients, size_octets, ?rejection, "message refused: its sender is not who it says");
                Ok(reply::rejection(&rejection))
            }
            Ok(Ok(receipt)) => {
                let id = I::stored_as(&receipt);
                tracing::info!(content.id = %id, sender, recipients, size_octets, "message accepted");
                self.errors = 0;
                self.messages += 1;
                // Whoever went away before the answer cannot have got it, and will send again.
                let presence = self.wire.presence().await;
                self.peer_finished |= presence == Presence::Finished;
                if presence != Presence::Gone {
                    self.unconfirmed.push(receipt);
                }
                let reply = Reply::stored(&id);
                self.record.stored(id, size_octets, &reply);
                if let Some(peer) = &self.peer {
                    peer.message(size_octets as u64);
                }
                Ok(reply)
            }
            Err(error) => {
                tracing::warn!(%error, sender, recipients, size_octets, "message deferred: it could not be stored");
                Ok(reply::failure(&error))
            }
        }
    }

    fn message(&self, transaction: Transaction<I::Recipient>, content: ingest::Content) -> Message<I::Recipient> {
        let Transaction { reverse_path, parameters, mut recipients, .. } = transaction;
        // A recipient named twice gets the message once.
        recipients.sort_unstable_by(|a, b| I::address(a).cmp(I::address(b)));
        recipients.dedup_by(|a, b| I::address(a) == I::address(b));
        let hello = self.hello.clone();
        let extended = hello.as_ref().is_some_and(|hello| hello.extended);
        let envelope = Envelope {
            reverse_path,
            helo: hello.map_or_else(String::new, |hello| hello.name),
            remote: self.remote,
            protocol: trace::protocol(extended, self.tls.is_some(), parameters.smtputf8),
            tls: self.tls.clone(),
            require_tls: parameters.require_tls,
            session: self.record.id(),
        };
        let id = ContentId::generate();
        let only = match recipients.as_slice() {
            [only] => Some(I::address(only)),
            _ => None,
        };
        let trace = trace::fields(&envelope, &self.shared.hostname, id, only, Utc::now());
        Message { id, envelope, recipients, content, trace }
    }
}

impl From<Overflow> for Reply {
    fn from(overflow: Overflow) -> Self {
        match overflow {
            Overflow::TooLarge => reply::MESSAGE_TOO_LARGE,
            Overflow::NoSpace => reply::NO_SPACE,
            Overflow::Broken => reply::TRY_LATER,
        }
    }
}

/// Says that a message was refused, and passes the reply on.
pub(super) fn refuse<R>(transaction: &Transaction<R>, reply: Reply) -> Reply {
    let (sender, recipients) = (transaction.reverse_path.as_str(), transaction.recipients.len());
    tracing::info!(sender, recipients, code = reply.code, "message refused");
    reply
}
