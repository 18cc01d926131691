//! A session: the dialogue from greeting to goodbye, one command after the other (RFC 5321 section 3).

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::peers::Peer;
use crate::types::{Address, SessionId};

use super::command::Command;
use super::content::Room;
use super::intake::Intake;
use super::line::{Line, LineReader};
use super::parameters;
use super::path::Path;
use super::proxy;
use super::record::{Last, Record, Stage};
use super::reply;
use super::reply::{Offer, Reply, Tls};
use super::transaction::Transaction;
use super::wire::{Ended, Timeouts, Waiting, Wire};

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared<I> {
    pub(super) settings: config::Smtp,
    pub(super) hostname: String,
    pub(super) intake: I,
    pub(super) room: Room,
    /// `None` only in tests of the plain protocol.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) shutdown: CancellationToken,
}

/// The name that the peer gave.
#[derive(Debug, Clone)]
pub(super) struct Hello {
    pub(super) name: String,
    /// With EHLO.
    pub(super) extended: bool,
}

/// The state of one session.
pub(super) struct Session<S, I: Intake> {
    pub(super) shared: Arc<Shared<I>>,
    pub(super) remote: IpAddr,
    pub(super) wire: Wire<S>,
    lines: LineReader,
    pub(super) hello: Option<Hello>,
    /// Version and cipher suite, once encrypted.
    pub(super) tls: Option<String>,
    pub(super) transaction: Option<Transaction<I::Recipient>>,
    /// Mistakes since the last message.
    pub(super) errors: usize,
    /// Messages that were taken.
    pub(super) messages: usize,
    /// Stored, and the peer is not known to have got the answer.
    pub(super) unconfirmed: Vec<I::Receipt>,
    /// The peer closed its side before a message was answered.
    pub(super) peer_finished: bool,
    /// Commands that led nowhere since the last message.
    pub(super) junk: usize,
    /// What the peer may take; `None` only in tests of the plain protocol.
    pub(super) peer: Option<Peer>,
    /// What the ledger will have of it.
    pub(super) record: Box<Record>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    pub(super) fn new(stream: S, remote: IpAddr, shared: Arc<Shared<I>>) -> Self {
        let settings = &shared.settings;
        let timeouts = Timeouts {
            command: settings.command_timeout,
            data: settings.data_timeout,
            session: settings.session_timeout,
            min_data_rate: settings.peers.min_data_rate,
        };
        Self {
            wire: Wire::new(stream, timeouts, shared.shutdown.child_token()),
            lines: LineReader::new(settings.max_command_octets),
            shared,
            remote,
            hello: None,
            tls: None,
            transaction: None,
            errors: 0,
            messages: 0,
            unconfirmed: Vec::new(),
            peer_finished: false,
            junk: 0,
            peer: None,
            record: Box::new(Record::new(SessionId::generate(), remote, None, None)),
        }
    }

    /// With what the peer may take, and what the ledger is to have.
    pub(super) fn watched(self, peer: Peer, record: Record) -> Self {
        Self { peer: Some(peer), record: Box::new(record), ..self }
    }

    /// Speaks with the peer until one side ends it.
    pub(super) async fn run(mut self) {
        tracing::debug!("session began");
        let ended = match self.converse().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        tracing::debug!(reason = ?ended, messages = self.messages, "session ended");
        Box::pin(self.part(ended)).await;
    }

    fn write_down(&mut self, ended: &Ended, last_words: Option<&Reply>) {
        let last = Last {
            helo: self.hello.as_ref().map_or("", |hello| hello.name.as_str()),
            tls: self.tls.as_deref(),
            octets_in: self.wire.received,
            octets_out: self.wire.sent,
        };
        self.record.ended(ended, last_words, &last);
    }

    /// Says the last words and learns from what becomes of them whether the peer has the answers before.
    async fn part(mut self, ended: Ended) {
        let last_words = match &ended {
            Ended::Quit => reply::BYE,
            Ended::TimedOut => reply::TIMED_OUT,
            Ended::TooSlow => reply::TOO_SLOW,
            Ended::ShuttingDown => reply::SHUTTING_DOWN,
            Ended::Refused(reply) => reply.clone(),
            Ended::Closed if self.peer_finished => reply::CLOSED,
            Ended::Closed => {
                self.write_down(&ended, None);
                return self.confirm();
            }
            Ended::Broken | Ended::TlsFailed => return self.write_down(&ended, None),
        };
        self.write_down(&ended, Some(&last_words));
        if self.peer_finished {
            // A peer that only closed its side reads on; from one that is gone altogether, a reset follows on our answers.
            self.wire.flush_and_learn().await;
        }
        if self.wire.reply(&last_words).await.is_err() || self.wire.flush().await.is_err() {
            return;
        }
        let linger = ended != Ended::Quit || !self.unconfirmed.is_empty();
        if self.wire.close(linger).await {
            self.unconfirmed.drain(..).for_each(I::confirm);
        }
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.wire.reply(&Reply::greeting(&self.shared.hostname)).await?;
        self.record.reached(Stage::Greeting);
        let mut line = Vec::new();
        self.wait(Waiting::ForCommand).await?;
        self.first_octets()?;
        loop {
            match self.lines.next(&mut self.wire.input, &mut line) {
                Some(found) => {
                    self.wire.command_came();
                    self.line(found, &line).await?;
                }
                None => self.wait(Waiting::ForCommand).await?,
            }
        }
    }

    /// Waits for octets. That they come shows that the peer got what it was sent before.
    pub(super) async fn wait(&mut self, waiting: Waiting) -> Result<(), Ended> {
        self.wire.fill(waiting).await?;
        self.confirm();
        Ok(())
    }

    fn confirm(&mut self) {
        self.unconfirmed.drain(..).for_each(I::confirm);
    }

    async fn line(&mut self, found: Line, line: &[u8]) -> Result<(), Ended> {
        let reply = match found {
            Line::TooLong => reply::LINE_TOO_LONG,
            Line::Whole => match Command::parse(line) {
                // What an idle session does not need takes its memory only while it is needed.
                Ok(Command::StartTls) => match Box::pin(self.start_tls()).await? {
                    Some(reply) => reply,
                    None => return Ok(()),
                },
                Ok(Command::Data) => Box::pin(self.with_content(None)).await?,
                Ok(Command::Bdat(argument)) => Box::pin(self.with_content(Some(argument))).await?,
                Ok(command) => self.command(command).await?,
                Err(reply) => reply,
            },
        };
        self.answer(reply).await
    }

    async fn answer(&mut self, reply: Reply) -> Result<(), Ended> {
        if reply.is_protocol_error() {
            self.errors += 1;
        }
        self.record.answered(&reply);
        self.wire.reply(&reply).await?;
        self.judge(&reply)?;
        if self.errors >= self.shared.settings.max_errors {
            tracing::info!("too many errors; the session is ended");
            self.record.because("errors");
            return Err(Ended::Refused(reply::TOO_MANY_ERRORS));
        }
        Ok(())
    }

    async fn command(&mut self, command: Command<'_>) -> Result<Reply, Ended> {
        Ok(match command {
            Command::Ehlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Mail(argument) => {
                let reply = self.mail(argument)?;
                self.record.sender(argument, &reply);
                reply
            }
            Command::Rcpt(argument) => {
                let reply = self.rcpt(argument).await;
                self.record.recipient(argument, &reply);
                reply
            }
            Command::Rset => {
                self.junk += 1;
                self.transaction = None;
                reply::OK
            }
            Command::Noop => self.junk(reply::OK),
            Command::Help => self.junk(reply::HELP),
            Command::Vrfy => self.junk(reply::CANNOT_VERIFY),
            Command::Quit => return Err(Ended::Quit),
            Command::Http => {
                self.record.because("http");
                return Err(Ended::Refused(reply::NOT_HTTP));
            }
            Command::NotOffered | Command::StartTls | Command::Data | Command::Bdat(_) => reply::NOT_OFFERED,
        })
    }

    /// EHLO and HELO end a transaction (RFC 5321 section 4.1.4).
    fn hello(&mut self, name: &str, extended: bool) -> Reply {
        self.transaction = None;
        self.junk += 1;
        self.record.reached(Stage::Hello);
        self.hello = Some(Hello { name: name.to_owned(), extended });
        let Shared { hostname, settings, tls, .. } = &*self.shared;
        if extended {
            let offer = Offer {
                size_octets: settings.max_message_octets,
                messages: settings.max_messages_per_session,
                recipients: settings.max_recipients,
                tls: match (&self.tls, tls) {
                    (Some(_), _) => Tls::Active,
                    (None, Some(_)) => Tls::Possible,
                    (None, None) => Tls::Unknown,
                },
            };
            Reply::extended_hello(hostname, &offer)
        } else {
            Reply::hello(hostname)
        }
    }

    fn mail(&mut self, argument: &str) -> Result<Reply, Ended> {
        if self.hello.is_none() {
            return Ok(reply::HELLO_FIRST);
        }
        if self.transaction.as_ref().is_some_and(|transaction| !transaction.is_refused()) {
            return Ok(reply::NESTED_MAIL);
        }
        if self.messages >= self.shared.settings.max_messages_per_session {
            self.record.because("messages");
            return Err(Ended::Refused(reply::TOO_MANY_MESSAGES));
        }
        if self.peer.as_ref().is_some_and(|peer| !peer.may_send()) {
            return Ok(reply::SEND_LATER);
        }
        let Some((path @ (Path::Null | Path::Mailbox { .. }), rest)) = Path::read(argument) else {
            return Ok(reply::BAD_SENDER);
        };
        let parameters = match parameters::of_mail(rest, self.shared.settings.max_message_octets, self.tls.is_some()) {
            Ok(parameters) => parameters,
            Err(reply) => return Ok(reply),
        };
        if !parameters.smtputf8 && !path.text().is_ascii() {
            return Ok(reply::NEEDS_SMTPUTF8);
        }
        self.transaction = Some(Transaction::new(path.text(), parameters));
        self.wire.message_begins();
        Ok(reply::SENDER_OK)
    }

    async fn rcpt(&mut self, argument: &str) -> Reply {
        let Some(transaction) = &mut self.transaction else {
            return if self.hello.is_none() { reply::HELLO_FIRST } else { reply::MAIL_FIRST };
        };
        if transaction.has_begun() {
            return reply::CHUNKS_BEGAN;
        }
        let Some((path, rest)) = Path::read(argument).filter(|(path, _)| *path != Path::Null) else {
            return reply::BAD_RECIPIENT;
        };
        if let Err(reply) = parameters::of_rcpt(rest) {
            return reply;
        }
        if !transaction.parameters.smtputf8 && !path.text().is_ascii() {
            return reply::NEEDS_SMTPUTF8;
        }
        if transaction.recipients.len() >= self.shared.settings.max_recipients {
            return reply::TOO_MANY_RECIPIENTS;
        }
        match Box::pin(resolve(&self.shared.intake, path)).await {
            Ok(recipient) => {
                tracing::debug!(recipient = path.text(), "recipient accepted");
                transaction.recipients.push(recipient);
                reply::RECIPIENT_OK
            }
            Err(reply) => {
                let sender = transaction.reverse_path.as_str();
                tracing::info!(recipient = path.text(), sender, code = reply.code, "recipient refused");
                reply
            }
        }
    }

    /// Starts TLS and forgets what was said before (RFC 3207 section 4.2). The answer, where there is no handshake.
    async fn start_tls(&mut self) -> Result<Option<Reply>, Ended> {
        let Some(config) = self.shared.tls.clone() else { return Ok(Some(reply::NOT_OFFERED)) };
        if self.tls.is_some() {
            return Ok(Some(reply::TLS_ALREADY));
        }
        if self.hello.is_none() {
            return Ok(Some(reply::HELLO_FIRST));
        }
        self.wire.reply(&reply::READY_FOR_TLS).await?;
        self.record.reached(Stage::StartTls);
        self.record.answered(&reply::READY_FOR_TLS);
        self.tls = Some(self.wire.start_tls(config).await?);
        self.lines = LineReader::new(self.shared.settings.max_command_octets);
        self.hello = None;
        self.transaction = None;
        Ok(None)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    /// Ends at once what cannot become a session: a header of the PROXY protocol from who is no proxy, or TLS without STARTTLS.
    fn first_octets(&mut self) -> Result<(), Ended> {
        let (reason, reply) = match self.wire.input.as_ref() {
            octets if proxy::opens_with_it(octets) => ("proxy", reply::NOT_A_PROXY),
            // A handshake record of TLS (RFC 8446 section 5.1).
            [0x16, 0x03, ..] => ("tls_failed", reply::NOT_TLS),
            _ => return Ok(()),
        };
        self.record.because(reason);
        Err(Ended::Refused(reply))
    }

    /// DATA, or BDAT with its argument.
    async fn with_content(&mut self, chunk: Option<&str>) -> Result<Reply, Ended> {
        let before = self.messages;
        let reply = match chunk {
            Some(argument) => self.bdat(argument).await?,
            None => self.data().await?,
        };
        if self.messages == before {
            self.record.content(&reply);
        } else {
            self.junk = 0;
        }
        Ok(reply)
    }

    /// Counts a command that leads nowhere.
    fn junk(&mut self, reply: Reply) -> Reply {
        self.junk += 1;
        reply
    }

    /// Counts for the peer what it just heard, and ends the session of one that takes too much.
    fn judge(&mut self, reply: &Reply) -> Result<(), Ended> {
        let verdict = match &self.peer {
            Some(peer) if !peer.command() => Some(("command_rate", reply::TOO_MANY_COMMANDS)),
            Some(peer) if reply.is_protocol_error() && !peer.error() => Some(("errors", Reply::banned_now("errors"))),
            Some(peer) if reply.is_unknown_recipient() && !peer.unknown_recipient() => {
                Some(("unknown_recipients", Reply::banned_now("unknown_recipients")))
            }
            _ if self.junk > self.shared.settings.peers.max_junk_commands => Some(("junk", reply::TOO_MUCH_JUNK)),
            _ => None,
        };
        let Some((reason, last_words)) = verdict else { return Ok(()) };
        tracing::info!(reason, "the session is ended: the peer takes too much");
        self.record.because(reason);
        Err(Ended::Refused(last_words))
    }
}

/// Decides about a recipient; the reply where it may not receive.
async fn resolve<I: Intake>(intake: &I, path: Path<'_>) -> Result<I::Recipient, Reply> {
    let decided = if path == Path::Postmaster {
        intake.resolve_postmaster().await
    } else if path.is_literal() {
        return Err(reply::refusal(crate::ingest::Refusal::ForeignDomain));
    } else {
        match path.text().parse::<Address>() {
            Ok(address) => intake.resolve(&address).await,
            // A well-formed domain that cannot stand in DNS, such as `localhost`, is not one of ours.
            Err(crate::types::InvalidAddress::Domain(_)) => {
                return Err(reply::refusal(crate::ingest::Refusal::ForeignDomain));
            }
            Err(_) => return Err(reply::BAD_RECIPIENT),
        }
    };
    match decided {
        Ok(decided) => decided.map_err(reply::refusal),
        Err(error) => {
            tracing::warn!(%error, "a recipient could not be looked up; its sender is asked to come back");
            Err(reply::failure(&error))
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use crate::ingest::Ingest;

    use super::*;

    fn octets_of<F: Future>(_: impl FnOnce(Session<TcpStream, Ingest>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_session_that_waits_takes_little_memory() {
        let octets = octets_of(Session::run);
        assert!(octets < 4096, "{octets}");
    }
}
