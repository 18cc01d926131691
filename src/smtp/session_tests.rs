//! The dialogue, over connections in memory and with a floor below that keeps everything it is given.

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
use crate::ingest::Refusal;
use crate::types::{Address, ContentId};

use super::intake::{Intake, Message};
use super::limits::Memory;
use super::session::{Session, Shared};
use super::tls::Certificate;

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

    async fn deliver(&self, message: Message<Address>) -> Result<Slip> {
        if message.envelope.reverse_path.starts_with("full@") {
            return Err(away());
        }
        let id = message.id;
        self.messages.lock().expect("sound").push(message);
        Ok(Slip(id, self.clone()))
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
        memory: Memory::new(settings.max_memory_octets, Duration::from_millis(50)),
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

#[tokio::test]
async fn a_message_goes_through_from_greeting_to_goodbye() {
    let mut peer = greeted(settings()).await;
    let hello = peer.say("EHLO peer.example.net").await;
    let keywords = "PIPELINING|250-SIZE 100000|250-8BITMIME|250-SMTPUTF8|250-ENHANCEDSTATUSCODES|250 HELP";
    assert_eq!(hello, format!("250-mx.example.org|250-{keywords}"), "only what works is announced");
    peer.dialogue(&[MAIL, RCPT, ("rcpt to:<bob@EXAMPLE.org>", "250 2.1.5"), DATA]).await;
    let reply = peer.say("Subject: x\r\n\r\n..dot\r\n.").await;
    assert!(reply.starts_with("250 2.0.0 Stored as "), "{reply}");
    assert_eq!(peer.kept.confirmed(), 0, "nothing shows yet that the peer has the answer");
    peer.dialogue(&[("QUIT", "221 2.0.0")]).await;
    assert_eq!(peer.rest().await, "");
    peer.session.await.expect("no fault");
    assert_eq!(peer.kept.confirmed(), 1, "QUIT came after the answer");
    assert_eq!(peer.kept.contents(), [b"Subject: x\r\n\r\n.dot\r\n"]);
    let messages = peer.kept.messages.lock().expect("sound");
    let message = messages.first().expect("kept");
    assert_eq!(message.envelope.reverse_path, "sender@example.net");
    assert_eq!((message.envelope.protocol, message.envelope.helo.as_str()), ("ESMTP", "peer.example.net"));
    assert!(message.trace.starts_with("Return-Path: <sender@example.net>\r\nReceived: from peer.example.net ([192.0.2.1])\r\n"));
    assert!(!message.trace.contains("alice"), "with two recipients none is named");
}

#[tokio::test]
async fn commands_out_of_order_change_nothing() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        ("MAIL FROM:<a@example.net>", "503 5.5.1"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("VRFY alice", "252 2.0.0"),
        ("HELP", "214-2.0.0"),
        ("EHLO", "501 5.5.4"),
        ("MAIL FROM:<a@example.net>", "503 5.5.1"),
        HELLO,
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:<a@@example.net>", "501 5.1.7"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        MAIL_AGAIN,
        ("DATA", "554 5.5.1"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("DATA", "554 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("XYZZY", "500 5.5.1"),
        RCPT,
        ("RSET", "250 2.0.0"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        HELLO,
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        ("HELO peer", "250 mx.example.org"),
        ("DATA", "503 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("EXPN list", "502 5.5.1"),
        ("QUIT x", "501 5.5.4"),
        ("QUIT", "221 2.0.0"),
    ])
    .await;
}

const MAIL_AGAIN: (&str, &str) = ("MAIL FROM:<other@example.net>", "503 5.5.1");

#[tokio::test]
async fn recipients_are_decided_each_on_its_own() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        HELLO,
        ("MAIL FROM:<>", "250 2.1.0"),
        ("RCPT TO:<Postmaster>", "250 2.1.5"),
        ("RCPT TO:<POSTMASTER@example.org>", "250 2.1.5"),
        ("RCPT TO:<alice@example.org>", "250 2.1.5"),
        ("RCPT TO:<\"alice\"@EXAMPLE.ORG>", "250 2.1.5"),
        ("RCPT TO:<\"al\\ice\"@example.org>", "250 2.1.5"),
        ("RCPT TO:<@a.example,@b.example:bob@example.org>", "250 2.1.5"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("RCPT TO:<trashed@example.org>", "550 5.2.1"),
        ("RCPT TO:<a@example.net>", "550 5.7.1"),
        ("RCPT TO:<away@example.org>", "451 4.3.0"),
        ("RCPT TO:<@example.org:a@example.net>", "550 5.7.1"),
        ("RCPT TO:<a@sub.example.org>", "550 5.7.1"),
        ("RCPT TO:<a@xexample.org>", "550 5.7.1"),
        ("RCPT TO:<a@[192.0.2.9]>", "550 5.7.1"),
        ("RCPT TO:<a@localhost>", "550 5.7.1"),
        ("RCPT TO:<a@example.net.>", "501 5.1.3"),
        ("RCPT TO:<a@example.net@example.org>", "501 5.1.3"),
        ("RCPT TO:<a@@example.org>", "501 5.1.3"),
        ("RCPT TO:<\"a@example.net\"@example.com>", "550 5.7.1"),
        ("RCPT TO:alice@example.org", "501 5.1.3"),
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<alice>", "501 5.1.3"),
        ("RCPT TO:<alice@example.org> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<用户@example.org>", "553 5.6.7"),
        DATA,
    ])
    .await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(peer.kept.recipients(), [["alice@example.org", "bob@example.org", "postmaster@example.org"]], "each once");
}

#[tokio::test]
async fn parameters_of_mail_are_checked() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        HELLO,
        ("MAIL FROM:<a@example.net> SIZE=100001", "552 5.3.4"),
        ("MAIL FROM:<a@example.net> SIZE=18446744073709551617", "552 5.3.4"),
        ("MAIL FROM:<a@example.net> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:<a@example.net> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<ü@example.net>", "553 5.6.7"),
        ("MAIL FROM:a@example.net", "501 5.1.7"),
        ("MAIL FROM:<Postmaster>", "501 5.1.7"),
        ("MAIL FROM <a@example.net>", "501 5.5.2"),
        ("MAIL FROM:<ü@example.net> SMTPUTF8 BODY=8BITMIME SIZE=100000", "250 2.1.0"),
        ("RCPT TO:<用户@example.org>", "250 2.1.5"),
        DATA,
    ])
    .await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    let messages = peer.kept.messages.lock().expect("sound");
    assert_eq!(messages.first().expect("kept").envelope.protocol, "UTF8SMTP");
}

#[tokio::test]
async fn above_the_limit_of_recipients_the_rest_is_asked_for_later() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL]).await;
    for n in 0..100 {
        peer.dialogue(&[(&format!("RCPT TO:<r{n}@example.org>"), "250 2.1.5")]).await;
    }
    peer.dialogue(&[("RCPT TO:<more@example.org>", "452 4.5.3"), DATA]).await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(peer.kept.recipients().first().expect("kept").len(), 100);
}

#[tokio::test]
async fn lines_that_are_broken_or_too_long_are_one_command_each() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, ("NOOP\nQUIT", "500 5.5.2"), ("NOOP\rQUIT", "500 5.5.2"), ("NOOP\0", "500 5.5.2")]).await;
    peer.send([b"MAIL FROM:<".as_slice(), &vec![b'a'; 100_000], b"\r\nNOOP\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("500 5.5.6"));
    assert!(peer.reply().await.starts_with("250 2.0.0"), "the session goes on");
    peer.send(b"NOOP \xff\xfe\r\n").await;
    assert!(peer.reply().await.starts_with("500 5.5.2"));
    peer.dialogue(&[(&format!("NOOP {}", "x".repeat(505)), "250 2.0.0")]).await;
}

#[tokio::test]
async fn what_a_message_holds_is_kept_octet_for_octet() {
    let mut peer = greeted(settings()).await;
    let every: Vec<u8> = (0..=255).collect();
    let content = [every.as_slice(), b"\r\n", &[b'x'; 5000], b"\r\n a\rb\nc\n.\nd\r.\re\r\n"].concat();
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send([content.as_slice(), b".\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"));
    peer.dialogue(&[MAIL, RCPT, DATA]).await;
    assert!(peer.say(".").await.starts_with("250 2.0.0"), "an empty message");
    assert_eq!(peer.kept.contents(), [content, Vec::new()]);
}

#[tokio::test]
async fn what_looks_like_the_end_of_a_message_starts_no_second_one() {
    let alike = ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r\n.\r\r\n", "\r\n.\0\r\n", "\n\n.\r\n"];
    for end in alike {
        let mut peer = greeted(settings()).await;
        peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
        let smuggled = "MAIL FROM:<admin@example.org>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nsmuggled\r\n.\r\n";
        peer.send(format!("one{end}{smuggled}QUIT\r\n")).await;
        let rest = peer.rest().await;
        assert_eq!(rest.matches("250 ").count(), 1, "{end:?}: {rest}");
        assert_eq!(peer.kept.contents().len(), 1, "{end:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_read_to_its_end_and_refused() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    for _ in 0..2000 {
        peer.send([&[b'x'; 998][..], b"\r\n"].concat()).await;
    }
    assert!(peer.say(".").await.starts_with("552 5.3.4"));
    peer.dialogue(&[("DATA", "503 5.5.1"), MAIL, RCPT, DATA]).await;
    peer.send([vec![b'x'; 99_998].as_slice(), b"\r\n.\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"), "just as large as allowed");
    assert_eq!(peer.kept.contents().iter().map(Vec::len).collect::<Vec<_>>(), [100_000]);
}

#[tokio::test]
async fn without_memory_a_message_is_put_off_and_the_session_lives() {
    let mut peer = greeted(config::Smtp { max_memory_octets: 16 * 1024, ..settings() }).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send([vec![b'x'; 50_000].as_slice(), b"\r\n.\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("452 4.3.1"));
    peer.dialogue(&[MAIL, RCPT, DATA]).await;
    assert!(peer.say("small\r\n.").await.starts_with("250 2.0.0"));
}

#[tokio::test]
async fn a_message_that_runs_in_circles_is_refused() {
    let mut peer = greeted(settings()).await;
    for (hops, expected) in [(100, "250 2.0.0"), (101, "554 5.4.6")] {
        peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
        peer.send(format!("{}\r\nx\r\n.\r\n", "Received: x\r\n".repeat(hops))).await;
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{hops}: {reply}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_put_off() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, ("MAIL FROM:<full@example.net>", "250"), RCPT, DATA]).await;
    assert!(peer.say("x\r\n.").await.starts_with("451 4.3.0"));
    peer.dialogue(&[MAIL, RCPT]).await;
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order_and_none_is_lost() {
    let mut peer = greeted(settings()).await;
    peer.send(
        "EHLO a.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n",
    )
    .await;
    for expected in ["250-", "250 2.1.0", "550 5.1.1", "250 2.1.5", "354 "] {
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{reply}, not {expected}");
    }
    peer.send("one\r\n.\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n").await;
    let rest = peer.rest().await;
    let codes: Vec<&str> = rest.lines().filter_map(|line| line.get(..3)).collect();
    assert_eq!(codes, ["250", "250", "250", "354", "250", "221"]);
    assert_eq!(peer.kept.contents(), [b"one\r\n", b"two\r\n"]);
}

#[tokio::test]
async fn browsers_and_junk_are_sent_away() {
    let mut peer = greeted(settings()).await;
    peer.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO a\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n")
        .await;
    let rest = peer.rest().await;
    assert!(rest.starts_with("421 4.7.0") && rest.lines().count() == 1, "{rest}");
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[("XYZZY", "500 5.5.1"), ("NOOP", "250")]).await;
    for _ in 1..40 {
        peer.send("junk\r\n").await;
    }
    let rest = peer.rest().await;
    assert_eq!(rest.lines().filter(|line| line.starts_with("500 ")).count(), 39);
    assert!(rest.lines().last().expect("a last line").starts_with("421 4.7.0"), "{rest}");
}

#[tokio::test]
async fn who_takes_too_long_is_told_so() {
    let fast = config::Smtp { command_timeout: Duration::from_millis(50), ..settings() };
    assert!(greeted(fast.clone()).await.rest().await.starts_with("421 4.4.2"), "no command");
    let slow_data = config::Smtp { data_timeout: Duration::from_millis(50), ..settings() };
    let mut peer = greeted(slow_data).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    assert!(peer.rest().await.starts_with("421 4.4.2"), "no data");
    let short = config::Smtp { session_timeout: Duration::from_millis(50), ..settings() };
    assert!(greeted(short).await.rest().await.starts_with("421 4.4.2"), "no end");
}

#[tokio::test]
async fn when_the_server_stops_idle_sessions_end_and_messages_finish() {
    let mut idle = greeted(settings()).await;
    idle.shutdown.cancel();
    assert!(idle.rest().await.starts_with("421 4.3.2"));
    let mut busy = greeted(settings()).await;
    busy.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    busy.shutdown.cancel();
    busy.send("late\r\n").await;
    tokio::task::yield_now().await;
    assert!(busy.say(".").await.starts_with("250 2.0.0"));
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    assert_eq!(busy.kept.contents(), [b"late\r\n"]);
}

#[tokio::test]
async fn a_peer_that_is_gone_before_the_answer_has_not_got_it() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send("x\r\n.\r\n").await;
    drop(peer.stream);
    peer.session.await.expect("no fault");
    assert_eq!((peer.kept.contents().len(), peer.kept.confirmed()), (1, 0), "stored, and not known to be heard of");
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA, ("x\r\n.", "250 2.0.0")]).await;
    drop(peer.stream);
    peer.session.await.expect("no fault");
    assert_eq!(peer.kept.confirmed(), 1, "closed after the answer");
}

#[tokio::test]
async fn messages_in_one_session_are_limited() {
    let mut peer = greeted(config::Smtp { max_messages_per_session: 1, ..settings() }).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA, ("x\r\n.", "250"), ("MAIL FROM:<a@example.net>", "421 4.7.0")]).await;
    assert_eq!(peer.rest().await, "");
}

/// The server's TLS settings and a client's that trusts its certificate.
fn tls() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let dir = std::env::temp_dir().join(format!("pillarbox-session-{}", uuid::Uuid::now_v7()));
    let certificate = Certificate::open(None, &dir, "mx.example.org").expect("made");
    let pem = std::fs::read(dir.join("tls/cert.pem")).expect("there");
    let _ = std::fs::remove_dir_all(&dir);
    let mut roots = rustls::RootCertStore::empty();
    let der = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(&pem);
    roots.add(der.expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (certificate.server_config().expect("set up"), Arc::new(client))
}

#[tokio::test]
async fn starttls_encrypts_and_forgets_what_was_said_before() {
    let (server, client) = tls();
    let mut peer = connect_with(settings(), Some(server));
    peer.reply().await;
    assert!(peer.say("EHLO plain.example").await.contains("|250-STARTTLS|"));
    peer.dialogue(&[MAIL, RCPT, ("STARTTLS now", "501 5.5.4")]).await;
    // Whatever follows in plain text must never be run (CVE-2011-0411).
    peer.send("STARTTLS\r\nMAIL FROM:<injected@example.net>\r\n").await;
    assert!(peer.reply().await.starts_with("220 2.0.0"));
    let name = ServerName::try_from("mx.example.org").expect("a name");
    let stream = tokio_rustls::TlsConnector::from(client).connect(name, peer.stream).await.expect("a handshake");
    let mut peer = Peer { stream, kept: peer.kept, session: peer.session, shutdown: peer.shutdown };
    peer.dialogue(&[("MAIL FROM:<a@example.net>", "503 5.5.1"), ("RCPT TO:<alice@example.org>", "503 5.5.1")]).await;
    assert!(!peer.say("EHLO secret.example").await.contains("STARTTLS"), "not offered twice");
    peer.dialogue(&[("STARTTLS", "503 5.5.1"), MAIL, RCPT, DATA, ("x\r\n.", "250"), ("QUIT", "221")]).await;
    let messages = peer.kept.messages.lock().expect("sound");
    let message = messages.first().expect("kept");
    assert_eq!((message.envelope.protocol, message.envelope.helo.as_str()), ("ESMTPS", "secret.example"));
    assert!(message.envelope.tls.as_deref().is_some_and(|tls| tls.starts_with("TLSv1.3 TLS_")), "{:?}", message.envelope.tls);
    assert!(message.trace.contains("with ESMTPS (TLSv1.3 TLS_"), "{}", message.trace);
    assert!(message.trace.contains("for <alice@example.org>;"), "{}", message.trace);
}

#[tokio::test]
async fn rubbish_in_place_of_a_handshake_ends_the_session() {
    let (server, _) = tls();
    let mut peer = connect_with(settings(), Some(server));
    peer.reply().await;
    peer.dialogue(&[HELLO, ("STARTTLS", "220 2.0.0")]).await;
    peer.send("EHLO again\r\nMAIL FROM:<a@example.net>\r\n").await;
    let rest = peer.rest().await;
    assert!(!rest.contains("250"), "{rest}");
}

/// What a peer may send, in an order that makes sense at times.
fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("EHLO a.example\r\n"), 6 => Just("MAIL FROM:<a@example.net>\r\n"), 8 => Just("RCPT TO:<alice@example.org>\r\n"),
        8 => Just("MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"), 6 => Just("DATA\r\n"), 2 => Just("RSET\r\n"), 8 => Just("text\r\n"), 8 => Just(".\r\n"), 3 => Just("..\r\n"),
        2 => Just("\n.\r\n"), 2 => Just("\r\n.\n"), 2 => Just("\r"), 2 => Just("NOOP\n"), 1 => Just("\0\r\n"),
    ];
    proptest::collection::vec(piece, 0..40)
        .prop_map(|pieces| [&["EHLO a.example\r\n"][..], &pieces].concat().concat().into_bytes())
}

/// All replies and all messages, where the octets come in these pieces.
async fn outcome(octets: &[u8], size: usize) -> (String, Vec<Vec<u8>>) {
    let mut peer = greeted(settings()).await;
    for piece in octets.chunks(size) {
        // A session that ended reads no more.
        if peer.stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _ = peer.stream.shutdown().await;
    let rest = peer.rest().await;
    // Names of messages differ from run to run.
    let replies = rest.lines().map(|line| line.split(" Stored as").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    (replies, peer.kept.contents())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packets_do_not_matter(octets in scripts(), size in 1_usize..20) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (whole, split) = runtime.block_on(async { (outcome(&octets, octets.len()).await, outcome(&octets, size).await) });
        prop_assert_eq!(whole, split);
    }
}

/// The protocol alone: `cargo test --release --lib -- --ignored --nocapture messages_a_second`.
#[tokio::test]
#[ignore = "a measurement, for a release build"]
async fn messages_a_second() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let shared = Arc::new(Shared {
        memory: Memory::new(1 << 26, Duration::from_secs(5)),
        settings: config::Smtp { max_messages_per_session: usize::MAX, ..settings() },
        hostname: "mx.example.org".to_owned(),
        intake: Kept::default(),
        tls: None,
        shutdown: CancellationToken::new(),
    });
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(Session::new(stream, peer.ip(), Arc::clone(&shared)).run());
        }
    });
    let (sessions, each) = (20, 2000);
    let message = format!("Subject: x\r\n\r\n{}.\r\n", "a line of text\r\n".repeat(120));
    let send = move || {
        let mut stream = std::net::TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("no delay");
        let mut octets = [0_u8; 1024];
        let mut say = |text: &str| {
            std::io::Write::write_all(&mut stream, text.as_bytes()).expect("sent");
            assert_ne!(std::io::Read::read(&mut stream, &mut octets).expect("a reply"), 0);
        };
        say("");
        say("EHLO a.example\r\n");
        for _ in 0..each {
            for part in ["MAIL FROM:<a@example.net>\r\n", "RCPT TO:<alice@example.org>\r\n", "DATA\r\n", &message] {
                say(part);
            }
        }
    };
    let start = std::time::Instant::now();
    let senders: Vec<_> = (0..sessions).map(|_| tokio::task::spawn_blocking(send.clone())).collect();
    for sender in senders {
        sender.await.expect("sent");
    }
    let rate = f64::from(sessions * each) / start.elapsed().as_secs_f64();
    eprintln!("{rate:.0} messages of 2 KB a second with {sessions} sessions, one thread for the server");
}
