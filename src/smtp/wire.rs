//! The connection: octets in and out with deadlines, plain or encrypted.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::reply::Reply;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// How long a message may go on coming in once the server is stopping.
const LAST_MESSAGE: Duration = Duration::from_secs(30);
/// How long the end of a session waits for the peer to close.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a peer's answer is taken to need at most, where the network is slow.
const MOST_TURN: Duration = Duration::from_millis(500);
/// Replies are written at the latest when so many wait.
const MOST_OUTPUT: usize = 16 * 1024;
/// The room for a read where little is awaited: commands, and the start of a message.
const FEW_OCTETS: usize = 4 * 1024;
/// The room for a read inside a large message.
const MANY_OCTETS: usize = 64 * 1024;

/// Why a session cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The peer closed in an orderly way.
    Closed,
    /// The connection broke.
    Broken,
    /// The TLS handshake failed, or took too long.
    TlsFailed,
    /// The peer, or the session as a whole, took too long.
    TimedOut,
    /// The message came more slowly than allowed.
    TooSlow,
    /// The server is stopping.
    ShuttingDown,
    /// The peer said QUIT.
    Quit,
    /// We end it, with these last words.
    Refused(Reply),
}

/// What the next octets are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// A command: ends at once when the server stops.
    ForCommand,
    /// The rest of a message: may finish when the server stops.
    ForData {
        /// How many octets of it have come.
        so_far: usize,
    },
}

/// What is known of the peer without waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing speaks against it.
    There,
    /// It closed its side; perhaps it still reads.
    Finished,
    /// The connection is broken.
    Gone,
}

type Stream<S> = Either<S, Box<TlsStream<S>>>;

/// A connection with its buffers.
pub(super) struct Wire<S> {
    /// Gone only when a handshake failed.
    stream: Option<Stream<S>>,
    /// Octets that came and are not read yet.
    pub(super) input: BytesMut,
    output: Vec<u8>,
    timeouts: Timeouts,
    ends_at: Instant,
    /// The quickest answer of the peer so far.
    turn: Duration,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stopping: bool,
    /// Since when a command is awaited that is not whole yet.
    asked: Option<Instant>,
    /// How much longer the message may keep us waiting.
    credit: Duration,
    /// Octets that came, and that were sent.
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// How long a peer may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) command: Duration,
    pub(super) data: Duration,
    pub(super) session: Duration,
    /// The least octets a second of a message on average; 0 is no limit.
    pub(super) min_data_rate: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire<S> {
    pub(super) fn new(stream: S, timeouts: Timeouts, shutdown: CancellationToken) -> Self {
        Self {
            stream: Some(Either::Left(stream)),
            input: BytesMut::new(),
            output: Vec::new(),
            timeouts,
            ends_at: Instant::now() + timeouts.session,
            turn: MOST_TURN,
            stop: Box::pin(shutdown.cancelled_owned()),
            stopping: false,
            asked: None,
            credit: timeouts.data,
            received: 0,
            sent: 0,
        }
    }

    /// A command is whole: the time for the next one begins anew.
    pub(super) fn command_came(&mut self) {
        self.asked = None;
    }

    /// A message may begin: it may take its time anew.
    pub(super) fn message_begins(&mut self) {
        self.credit = self.timeouts.data;
    }

    /// Queues a reply. It goes out before the next wait, together with the others of a pipelined group (RFC 2920).
    pub(super) async fn reply(&mut self, reply: &Reply) -> Result<(), Ended> {
        reply.write_to(&mut self.output);
        if self.output.len() > MOST_OUTPUT { self.flush().await } else { Ok(()) }
    }

    /// Writes what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        if self.output.is_empty() {
            return Ok(());
        }
        let stream = self.stream.as_mut().ok_or(Ended::Broken)?;
        let write = async {
            stream.write_all(&self.output).await?;
            stream.flush().await
        };
        let written = timeout(self.timeouts.command, write).await;
        self.sent += self.output.len() as u64;
        self.output.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Broken),
        }
    }

    /// Waits until more octets came, after everything queued was written.
    pub(super) async fn fill(&mut self, waiting: Waiting) -> Result<(), Ended> {
        self.flush().await?;
        let asked = Instant::now();
        let deadline = match waiting {
            // Of the whole command, so that it does not come octet by octet for ever.
            Waiting::ForCommand => *self.asked.get_or_insert(asked) + self.timeouts.command,
            Waiting::ForData { .. } => asked + self.credit,
        };
        loop {
            if self.stopping && waiting == Waiting::ForCommand {
                return Err(Ended::ShuttingDown);
            }
            self.make_room(waiting);
            let stream = self.stream.as_mut().ok_or(Ended::Broken)?;
            tokio::select! {
                biased;
                read = stream.read_buf(&mut self.input) => return match read {
                    Ok(0) => Err(Ended::Closed),
                    Ok(octets) => {
                        let waited = asked.elapsed();
                        self.turn = self.turn.min(waited);
                        self.received += octets as u64;
                        if waiting != Waiting::ForCommand {
                            self.account_for(waited, octets as u64);
                        }
                        Ok(())
                    }
                    Err(_) => Err(Ended::Broken),
                },
                () = &mut self.stop, if !self.stopping => {
                    self.stopping = true;
                    self.ends_at = self.ends_at.min(Instant::now() + LAST_MESSAGE);
                }
                () = sleep_until(deadline.min(self.ends_at)) => {
                    let is_slow = waiting != Waiting::ForCommand && self.credit < self.timeouts.data && deadline < self.ends_at;
                    return Err(if is_slow { Ended::TooSlow } else { Ended::TimedOut });
                }
            }
        }
    }

    /// Each octet of a message buys time, each wait uses it up. A peer that keeps the rate never has less than RFC 5321 section
    /// 4.5.3.2.5 gives it for the next octets; one that sends a few now and then comes to an end.
    fn account_for(&mut self, waited: Duration, octets: u64) {
        let earned = match octets.saturating_mul(1_000_000).checked_div(self.timeouts.min_data_rate) {
            Some(micros) => Duration::from_micros(micros),
            None => self.timeouts.data,
        };
        self.credit = self.credit.saturating_sub(waited).saturating_add(earned).min(self.timeouts.data);
    }

    /// An idle session keeps little memory; a large message is read in large pieces.
    fn make_room(&mut self, waiting: Waiting) {
        let wanted = match waiting {
            Waiting::ForData { so_far } if so_far > FEW_OCTETS => MANY_OCTETS,
            Waiting::ForData { .. } | Waiting::ForCommand => FEW_OCTETS,
        };
        if waiting == Waiting::ForCommand {
            self.release_room();
        }
        if self.input.capacity() - self.input.len() < wanted / 2 {
            self.input.reserve(wanted);
        }
    }

    /// Gives back the room that a large message was read in, so that it is not kept until the message is stored.
    pub(super) fn release_room(&mut self) {
        if self.input.is_empty() && self.input.capacity() > 4 * FEW_OCTETS {
            self.input = BytesMut::new();
        }
    }

    /// Looks whether the peer is there; takes octets that have come, without waiting.
    pub(super) async fn presence(&mut self) -> Presence {
        let Some(stream) = self.stream.as_mut() else { return Presence::Gone };
        let mut octets = [0_u8; 512];
        let mut piece = ReadBuf::new(&mut octets);
        let read = poll_fn(|context| Poll::Ready(Pin::new(&mut *stream).poll_read(context, &mut piece))).await;
        self.input.extend_from_slice(piece.filled());
        self.received += piece.filled().len() as u64;
        match read {
            Poll::Ready(Ok(())) if piece.filled().is_empty() => Presence::Finished,
            Poll::Ready(Ok(())) | Poll::Pending => Presence::There,
            Poll::Ready(Err(_)) => Presence::Gone,
        }
    }

    /// Writes what is queued and waits for as long as the news takes that the peer is gone. The next write fails then.
    pub(super) async fn flush_and_learn(&mut self) {
        let _ = self.flush().await;
        // Twice the time there and back; to send a message again, a peer needs at least five turns.
        tokio::time::sleep(2 * self.turn + Duration::from_millis(1)).await;
    }

    /// Encrypts the connection; returns version and cipher suite.
    ///
    /// Octets that came after STARTTLS in plain text are dropped: somebody may have put them there (CVE-2011-0411).
    pub(super) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> Result<String, Ended> {
        self.flush().await?;
        self.input = BytesMut::new();
        let Some(Either::Left(plain)) = self.stream.take() else { return Err(Ended::Broken) };
        let handshake = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(plain)).await;
        let encrypted = match handshake {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::info!(%error, "the TLS handshake failed");
                return Err(Ended::TlsFailed);
            }
            Err(_) => {
                tracing::info!("the TLS handshake took too long");
                return Err(Ended::TlsFailed);
            }
        };
        let described = describe(&encrypted);
        self.stream = Some(Either::Right(Box::new(encrypted)));
        Ok(described)
    }

    /// Writes what is queued and closes our side; where `linger` is set, waits a moment for the peer to close, so that it can
    /// read our last words. Says whether the peer closed in an orderly way.
    pub(super) async fn close(mut self, linger: bool) -> bool {
        let flushed = self.flush().await.is_ok();
        let Some(mut stream) = self.stream.take() else { return false };
        let farewell = async {
            if stream.shutdown().await.is_err() || !flushed || !linger {
                return false;
            }
            let mut rest = [0_u8; 1024];
            loop {
                match stream.read(&mut rest).await {
                    Ok(0) => return true,
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
        };
        timeout(FAREWELL, farewell).await.unwrap_or(false)
    }
}

/// As in `TLSv1.3 TLS_AES_256_GCM_SHA384`.
fn describe<S>(stream: &TlsStream<S>) -> String {
    let (_, connection) = stream.get_ref();
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    };
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    // The registry has TLS_AES_…; the library marks those of version 1.3.
    format!("{version} {}", suite.unwrap_or("unknown").replacen("TLS13_", "TLS_", 1))
}
