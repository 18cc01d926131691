//! A mail transaction: from MAIL to the answer after the message (RFC 5321 section 3.3).

use bytes::{Buf as _, Bytes};
use chrono::Utc;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::ingest::Envelope;
use crate::types::ContentId;

use super::content::{Content, Overflow};
use super::data::{DataReader, Progress};
use super::intake::{Intake, Message};
use super::reply;
use super::reply::Reply;
use super::session::Session;
use super::trace;
use super::wire::{Ended, Presence, Waiting};

/// What MAIL and RCPT said.
#[derive(Debug)]
pub(super) struct Transaction<R> {
    /// Empty for the null path.
    pub(super) reverse_path: String,
    /// The peer asked for SMTPUTF8.
    pub(super) smtputf8: bool,
    pub(super) recipients: Vec<R>,
}

impl<R> Transaction<R> {
    pub(super) fn new(reverse_path: &str, smtputf8: bool) -> Self {
        Self { reverse_path: reverse_path.to_owned(), smtputf8, recipients: Vec::new() }
    }
}

/// How the content of a message comes in. Another way (chunks of known size, RFC 3030) is another variant.
enum Body {
    /// After DATA, up to a line of a single dot.
    Dotted(DataReader),
}

impl Body {
    fn read(&mut self, piece: &[u8], keep: impl FnMut(&[u8])) -> Progress {
        match self {
            Self::Dotted(reader) => reader.read(piece, keep),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    /// DATA: takes the message and hands it on. A refusal before 354 leaves the transaction as it was.
    pub(super) async fn data(&mut self) -> Result<Reply, Ended> {
        match &self.transaction {
            None if self.hello.is_none() => return Ok(reply::HELLO_FIRST),
            None => return Ok(reply::MAIL_FIRST),
            Some(transaction) if transaction.recipients.is_empty() => return Ok(reply::NO_RECIPIENTS),
            Some(_) => {}
        }
        self.wire.reply(&reply::GO_AHEAD).await?;
        // 354 goes out although more may be buffered: what follows is the message only if the peer is told so.
        self.wire.flush().await?;
        let content = self.receive(Body::Dotted(DataReader::new())).await?;
        let Some(transaction) = self.transaction.take() else { return Ok(reply::MAIL_FIRST) };
        self.finish(transaction, content).await
    }

    /// Reads a message to its true end, whatever becomes of it, so that the dialogue stays in step.
    async fn receive(&mut self, mut body: Body) -> Result<Content, Ended> {
        let mut content = Content::new(self.shared.settings.max_message_octets, self.shared.memory.clone());
        loop {
            if self.wire.input.is_empty() {
                self.wait(Waiting::ForData { so_far: content.len() }).await?;
            }
            // The reader may give out an octet that it held back.
            content.make_room(self.wire.input.len() + 1).await;
            match body.read(&self.wire.input, |octets| content.push(octets)) {
                Progress::More => self.wire.input.clear(),
                Progress::Ended(at) => {
                    self.wire.input.advance(at);
                    self.wire.release_room();
                    return Ok(content);
                }
            }
        }
    }

    async fn finish(&mut self, transaction: Transaction<I::Recipient>, content: Content) -> Result<Reply, Ended> {
        // Held until the message is stored.
        let (content, _memory) = match content.finish() {
            Ok(content) => content,
            Err(Overflow::TooLarge) => return Ok(refuse(&transaction, reply::MESSAGE_TOO_LARGE)),
            Err(Overflow::NoMemory) => return Ok(refuse(&transaction, reply::NO_MEMORY)),
        };
        if trace::hops(&content) > trace::MOST_HOPS {
            return Ok(refuse(&transaction, reply::LOOPING));
        }
        // The peer should not wait for the answers before while the message is stored.
        self.wire.flush().await?;
        let size_octets = content.len();
        let message = self.message(transaction, content.into());
        let (sender, recipients) = (message.envelope.reverse_path.clone(), message.recipients.len());
        match self.shared.intake.deliver(message).await {
            Ok(receipt) => {
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
                Ok(Reply::stored(&id))
            }
            Err(error) => {
                tracing::warn!(%error, sender, recipients, size_octets, "message deferred: it could not be stored");
                Ok(reply::failure(&error))
            }
        }
    }

    fn message(&self, transaction: Transaction<I::Recipient>, content: Bytes) -> Message<I::Recipient> {
        let Transaction { reverse_path, smtputf8, mut recipients } = transaction;
        // A recipient named twice gets the message once.
        recipients.sort_unstable_by(|a, b| I::address(a).cmp(I::address(b)));
        recipients.dedup_by(|a, b| I::address(a) == I::address(b));
        let hello = self.hello.clone();
        let extended = hello.as_ref().is_some_and(|hello| hello.extended);
        let envelope = Envelope {
            reverse_path,
            helo: hello.map_or_else(String::new, |hello| hello.name),
            remote: self.remote,
            protocol: trace::protocol(extended, self.tls.is_some(), smtputf8),
            tls: self.tls.clone(),
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

/// Says that a message was refused, and passes the reply on.
fn refuse<R>(transaction: &Transaction<R>, reply: Reply) -> Reply {
    let (sender, recipients) = (transaction.reverse_path.as_str(), transaction.recipients.len());
    tracing::info!(sender, recipients, code = reply.code, "message refused");
    reply
}
