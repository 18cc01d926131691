//! A session: the dialogue from greeting to goodbye, one command after the other (RFC 5321 section 3).

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::types::Address;

use super::command::Command;
use super::content::Room;
use super::intake::Intake;
use super::line::{Line, LineReader};
use super::parameters;
use super::path::Path;
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
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, I: Intake> Session<S, I> {
    pub(super) fn new(stream: S, remote: IpAddr, shared: Arc<Shared<I>>) -> Self {
        let settings = &shared.settings;
        let timeouts =
            Timeouts { command: settings.command_timeout, data: settings.data_timeout, session: settings.session_timeout };
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
        }
    }

    /// Speaks with the peer until one side ends it.
    pub(super) async fn run(mut self) {
        tracing::debug!("session began");
        let ended = match self.converse().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        tracing::debug!(reason = ?ended, messages = self.messages, "session ended");
        self.part(ended).await;
    }

    /// Says the last words and learns from what becomes of them whether the peer has the answers before.
    async fn part(mut self, ended: Ended) {
        let last_words = match &ended {
            Ended::Quit => reply::BYE,
            Ended::TimedOut => reply::TIMED_OUT,
            Ended::ShuttingDown => reply::SHUTTING_DOWN,
            Ended::Refused(reply) => reply.clone(),
            Ended::Closed if self.peer_finished => reply::CLOSED,
            Ended::Closed => return self.confirm(),
            Ended::Broken => return,
        };
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
        let mut line = Vec::new();
        loop {
            match self.lines.next(&mut self.wire.input, &mut line) {
                Some(found) => self.line(found, &line).await?,
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
                Ok(Command::StartTls) => match self.start_tls().await? {
                    Some(reply) => reply,
                    None => return Ok(()),
                },
                Ok(Command::Data) => self.data().await?,
                Ok(Command::Bdat(argument)) => self.bdat(argument).await?,
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
        self.wire.reply(&reply).await?;
        if self.errors >= self.shared.settings.max_errors {
            tracing::info!("too many errors; the session is ended");
            return Err(Ended::Refused(reply::TOO_MANY_ERRORS));
        }
        Ok(())
    }

    async fn command(&mut self, command: Command<'_>) -> Result<Reply, Ended> {
        Ok(match command {
            Command::Ehlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Mail(argument) => return self.mail(argument),
            Command::Rcpt(argument) => self.rcpt(argument).await,
            Command::Rset => {
                self.transaction = None;
                reply::OK
            }
            Command::Noop => reply::OK,
            Command::Help => reply::HELP,
            Command::Vrfy => reply::CANNOT_VERIFY,
            Command::Quit => return Err(Ended::Quit),
            Command::Http => return Err(Ended::Refused(reply::NOT_HTTP)),
            Command::NotOffered | Command::StartTls | Command::Data | Command::Bdat(_) => reply::NOT_OFFERED,
        })
    }

    /// EHLO and HELO end a transaction (RFC 5321 section 4.1.4).
    fn hello(&mut self, name: &str, extended: bool) -> Reply {
        self.transaction = None;
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
            return Err(Ended::Refused(reply::TOO_MANY_MESSAGES));
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
        match resolve(&self.shared.intake, path).await {
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
        self.tls = Some(self.wire.start_tls(config).await?);
        self.lines = LineReader::new(self.shared.settings.max_command_octets);
        self.hello = None;
        self.transaction = None;
        Ok(None)
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
