//! Doors for the fuzz targets, which see only what is public. Each takes any octets, and fails where a promise does not hold.

#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic: that is what each is for")]

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::error::Result;
use crate::ingest::{Content, Received, Refusal, Spool};
use crate::types::{Address, ContentId};

use super::command::Command;
use super::content::Room;
use super::data::{DataReader, Progress};
use super::intake::{Intake, Message};
use super::limits::Memory;
use super::parameters;
use super::path::Path;
use super::session::{Session, Shared};

/// A command line, without its end.
pub fn command(line: &[u8]) {
    match Command::parse(line) {
        Ok(Command::Ehlo(name) | Command::Helo(name)) => assert!(is_harmless(name)),
        Ok(Command::Mail(argument)) => path(argument, |rest| {
            let _ = parameters::of_mail(rest, 1 << 20, true);
        }),
        Ok(Command::Rcpt(argument)) => path(argument, |rest| {
            let _ = parameters::of_rcpt(rest);
        }),
        Ok(_) | Err(_) => {}
    }
}

fn path(argument: &str, parameters: impl Fn(&str)) {
    if let Some((path, rest)) = Path::read(argument) {
        assert!(is_harmless(path.text()));
        assert!(argument.ends_with(rest));
        address(path.text().as_bytes());
        parameters(rest);
    }
}

/// What gets into a trace field adds no line to it.
fn is_harmless(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// An address: its stored form stays as it is when it is read again.
pub fn address(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let _ = Path::read(text);
    if let Ok(address) = text.parse::<Address>() {
        assert!(is_harmless(address.as_str()));
        assert_eq!(address.as_str().parse::<Address>().as_ref(), Ok(&address));
        assert_eq!(address.domain().as_str(), address.domain_str());
    }
}

/// What comes after 354: the first octet says in pieces of which size, which must not matter.
pub fn data(octets: &[u8]) {
    let Some((size, octets)) = octets.split_first() else { return };
    let read = |size: usize| {
        let (mut reader, mut content, mut at) = (DataReader::new(), Vec::new(), 0);
        for piece in octets.chunks(size) {
            if let Progress::Ended(here) = reader.read(piece, |kept| content.extend_from_slice(kept)) {
                return (content, Some(at + here));
            }
            at += piece.len();
        }
        (content, None)
    };
    let (content, end) = read(octets.len().max(1));
    assert_eq!((&content, end), (&read(usize::from(*size).max(1)).0, read(usize::from(*size).max(1)).1));
    if let Some(end) = end {
        assert!(octets.get(..end).is_some_and(|all| all == b".\r\n" || all.ends_with(b"\r\n.\r\n")));
    }
}

/// All that a peer says in a session: the first octet says in pieces of which size, which must not matter.
pub fn session(octets: &[u8]) {
    let Some((size, octets)) = octets.split_first() else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let whole = runtime.block_on(outcome(octets, octets.len().max(1)));
    let split = runtime.block_on(outcome(octets, usize::from(*size).max(1)));
    assert_eq!(whole, split);
}

/// Takes mail for everybody at `example.org`, and keeps it.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<Vec<u8>>>>);

impl Intake for Sink {
    type Recipient = Address;
    type Receipt = ContentId;

    async fn resolve(&self, address: &Address) -> Result<Result<Address, Refusal>> {
        Ok(if address.domain_str() == "example.org" { Ok(address.clone()) } else { Err(Refusal::ForeignDomain) })
    }

    async fn resolve_postmaster(&self) -> Result<Result<Address, Refusal>> {
        Ok("postmaster@example.org".parse().map_err(|_| Refusal::UnknownMailbox))
    }

    async fn admit(&self, received: Received) -> Result<Content> {
        match received {
            Received::Memory(octets) => Ok(octets.into()),
            Received::File { .. } => Ok(bytes::Bytes::new().into()),
        }
    }

    async fn deliver(&self, message: Message<Address>) -> Result<ContentId> {
        assert!(!message.recipients.is_empty(), "no message is without a recipient");
        assert!(message.trace.split("\r\n").all(is_trace_line), "{:?}", message.trace);
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(message.content.to_vec());
        Ok(message.id)
    }

    fn address(recipient: &Address) -> &Address {
        recipient
    }

    fn stored_as(receipt: &ContentId) -> ContentId {
        *receipt
    }

    fn confirm(_: ContentId) {}
}

fn is_trace_line(line: &str) -> bool {
    is_harmless(line.trim_start_matches('\t')) && ["Return-Path: ", "Received: ", "\t", ""].iter().any(|s| line.starts_with(s))
}

/// The replies, without names that differ from run to run, and the messages.
async fn outcome(octets: &[u8], size: usize) -> (String, Vec<Vec<u8>>) {
    let (mut near, far) = tokio::io::duplex(1 << 20);
    let sink = Sink::default();
    let task = tokio::spawn(Session::new(far, IpAddr::from([192, 0, 2, 1]), Arc::new(shared(sink.clone()))).run());
    for piece in octets.chunks(size) {
        if near.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _ = near.shutdown().await;
    let mut replies = Vec::new();
    let _ = near.read_to_end(&mut replies).await;
    assert!(task.await.is_ok(), "the session broke off");
    let replies = String::from_utf8_lossy(&replies).into_owned();
    // Whether the peer is seen to have closed its side depends on when it is looked for.
    let lines = replies.lines().filter(|line| !line.starts_with("421 4.4.2"));
    let lines: Vec<&str> = lines.map(|line| line.split(" Stored as").next().unwrap_or_default()).collect();
    let messages = sink.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    (lines.join("\n"), messages)
}

fn shared(intake: Sink) -> Shared<Sink> {
    let minute = Duration::from_mins(1);
    let settings = config::Smtp {
        listen: Vec::new(),
        tls: None,
        max_message_octets: 65_536,
        max_recipients: 100,
        max_command_octets: 512,
        max_messages_per_session: 100,
        max_sessions: 1,
        max_sessions_per_address: 1,
        max_errors: 100,
        command_timeout: minute,
        data_timeout: minute,
        session_timeout: minute,
        max_memory_octets: 1 << 20,
        spool_above_octets: 1 << 20,
        peers: config::RawConfig::default().check().expect("valid").smtp.peers,
    };
    let spool = Spool::open(std::env::temp_dir().join("pillarbox-fuzzing"));
    let spool = spool.unwrap_or_else(|error| panic!("a directory for temporary files is needed: {error}"));
    Shared {
        room: Room { limit: 65_536, spool_above: 1 << 20, memory: Memory::new(1 << 20), spool },
        settings,
        hostname: "mx.example.org".to_owned(),
        intake,
        tls: None,
        shutdown: CancellationToken::new(),
    }
}

#[cfg(test)]
mod tests {
    /// Calls a target with every file of its corpus.
    fn run(name: &str, target: fn(&[u8])) {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut files = 0;
        for entry in std::fs::read_dir(dir).expect("a corpus") {
            target(&std::fs::read(entry.expect("an entry").path()).expect("read"));
            files += 1;
        }
        assert!(files > 3, "{name}");
    }

    #[test]
    fn every_promise_holds_for_the_corpus() {
        run("command", super::command);
        run("address", super::address);
        run("data", super::data);
        run("session", super::session);
        run("mime", crate::mail::fuzzing::mime);
        run("header", crate::mail::fuzzing::header);
        run("html", crate::mail::fuzzing::html);
    }
}
