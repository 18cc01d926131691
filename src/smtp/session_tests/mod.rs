//! The dialogue, over connections in memory and with a floor below that keeps everything it is given.

mod chunks;
mod dialogue;
mod encryption;
mod endings;
mod measure;
mod messages;
mod packets;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::error::{Error, Result};
use crate::ingest::{Content, Received, Refusal, Rejection, Spool};
use crate::types::{Address, ContentId};

use super::content::Room;
use super::intake::{Intake, Message};
use super::limits::Memory;
use super::session::{Session, Shared};
use crate::tls::Certificate;

/// Takes mail for any name at `example.org` but `nobody`; `away@` cannot be looked up, mail from `full@` cannot be stored.
#[derive(Debug, Clone, Default)]
struct Kept {
    messages: Arc<Mutex<Vec<Message<Address>>>>,
    confirmed: Arc<Mutex<Vec<ContentId>>>,
}

#[derive(Debug)]
struct Slip(ContentId, Kept);

fn away() -> Error {
    Error::Unavailable { detail: "away".into() }
}

impl Intake for Kept {
    type Recipient = Address;
    type Receipt = Slip;

    async fn resolve(&self, address: &Address) -> Result<Result<Address, Refusal>> {
        Ok(match (address.local_part(), address.domain_str()) {
            ("away", _) => return Err(away()),
            ("trashed", _) => Err(Refusal::Inactive),
            (_, domain) if domain != "example.org" => Err(Refusal::ForeignDomain),
            ("nobody", _) => Err(Refusal::UnknownMailbox),
            _ => Ok(address.clone()),
        })
    }

    async fn resolve_postmaster(&self) -> Result<Result<Address, Refusal>> {
        Ok("postmaster@example.org".parse().map_err(|_| Refusal::UnknownMailbox))
    }

    async fn admit(&self, received: Received) -> Result<Content> {
        Ok(match received {
            Received::Memory(octets) => octets.into(),
            Received::File { file, octets } => {
                let mut whole = vec![0; octets];
                std::os::unix::fs::FileExt::read_exact_at(&file, &mut whole, 0).expect("spooled");
                bytes::Bytes::from(whole).into()
            }
        })
    }

    async fn deliver(&self, message: Message<Address>) -> Result<Result<Slip, Rejection>> {
        if message.envelope.reverse_path.starts_with("full@") {
            return Err(away());
        }
        if message.envelope.reverse_path.starts_with("forged@") {
            return Ok(Err(Rejection::Disowned { domain: "example.net".to_owned() }));
        }
        let id = message.id;
        self.messages.lock().expect("sound").push(message);
        Ok(Ok(Slip(id, self.clone())))
    }

    fn address(recipient: &Address) -> &Address {
        recipient
    }

    fn stored_as(receipt: &Slip) -> ContentId {
        receipt.0
    }

    fn confirm(receipt: Slip) {
        receipt.1.confirmed.lock().expect("sound").push(receipt.0);
    }
}

impl Kept {
    fn contents(&self) -> Vec<Vec<u8>> {
        self.messages.lock().expect("sound").iter().map(|message| message.content.to_vec()).collect()
    }

    fn confirmed(&self) -> usize {
        self.confirmed.lock().expect("sound").len()
    }

    fn recipients(&self) -> Vec<Vec<String>> {
        let messages = self.messages.lock().expect("sound");
        messages.iter().map(|message| message.recipients.iter().map(Address::to_string).collect()).collect()
    }
}

fn settings() -> config::Smtp {
    config::Smtp {
        listen: Vec::new(),
        tls: None,
        max_message_octets: 100_000,
        max_recipients: 100,
        max_command_octets: 512,
        max_messages_per_session: 1000,
        max_sessions: 10,
        max_sessions_per_address: 10,
        max_errors: 40,
        command_timeout: Duration::from_secs(5),
        data_timeout: Duration::from_secs(5),
        session_timeout: Duration::from_mins(1),
        max_memory_octets: 1 << 20,
        spool_above_octets: 65_536,
        peers: config::RawConfig::default().check().expect("valid").smtp.peers,
    }
}

fn room(settings: &config::Smtp) -> Room {
    Room {
        limit: settings.max_message_octets,
        spool_above: settings.spool_above_octets,
        memory: Memory::new(settings.max_memory_octets),
        spool: Spool::open(std::env::temp_dir().join("pillarbox-session-tests")).expect("a directory"),
    }
}

/// A session and the peer's end of its connection.
struct Peer<S> {
    stream: S,
    kept: Kept,
    session: JoinHandle<()>,
    shutdown: CancellationToken,
}

fn connect_with(settings: config::Smtp, tls: Option<Arc<rustls::ServerConfig>>) -> Peer<DuplexStream> {
    let (stream, theirs) = tokio::io::duplex(64 * 1024);
    let (kept, shutdown) = (Kept::default(), CancellationToken::new());
    let shared = Shared {
        room: room(&settings),
        settings,
        hostname: "mx.example.org".to_owned(),
        intake: kept.clone(),
        tls,
        shutdown: shutdown.clone(),
    };
    let session = Session::new(theirs, IpAddr::from([192, 0, 2, 1]), Arc::new(shared));
    Peer { stream, kept, session: tokio::spawn(session.run()), shutdown }
}

/// A session that was greeted, with these settings.
async fn greeted(settings: config::Smtp) -> Peer<DuplexStream> {
    let mut peer = connect_with(settings, None);
    assert_eq!(peer.reply().await, "220 mx.example.org ESMTP Pillarbox");
    peer
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// One reply, its lines joined by `|`; empty where the session closed.
    async fn reply(&mut self) -> String {
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        let read = async {
            while let Ok(octet) = self.stream.read_u8().await {
                line.push(octet);
                if line.ends_with(b"\r\n") {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    line.clear();
                    let last = text.as_bytes().get(3) == Some(&b' ');
                    lines.push(text);
                    if last {
                        break;
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), read).await.expect("a reply in time");
        assert!(line.is_empty(), "an unfinished reply");
        lines.join("|")
    }

    async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.expect("the session reads");
    }

    async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Says each line and expects its reply to start like this.
    async fn dialogue(&mut self, lines: &[(&str, &str)]) {
        for (line, expected) in lines {
            let reply = self.say(line).await;
            assert!(reply.starts_with(expected), "{line}: {reply}, not {expected}");
        }
    }

    /// Everything up to where the session closes.
    async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let read = self.stream.read_to_end(&mut rest);
        let _ = tokio::time::timeout(Duration::from_secs(10), read).await.expect("the session closes in time");
        String::from_utf8_lossy(&rest).into_owned()
    }
}

const HELLO: (&str, &str) = ("EHLO peer.example.net", "250-mx.example.org");
const MAIL: (&str, &str) = ("MAIL FROM:<sender@example.net>", "250 2.1.0");
const RCPT: (&str, &str) = ("RCPT TO:<alice@example.org>", "250 2.1.5");
const DATA: (&str, &str) = ("DATA", "354 ");
