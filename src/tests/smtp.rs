//! Mail over real sockets into a real database.

use std::net::SocketAddr;
use std::sync::Arc;

use pillarbox::config::{Config, RawConfig};
use pillarbox::ingest::{Ingest, Workers};
use pillarbox::smtp::Listener;
use pillarbox::store;
use pillarbox::tls::Certificate;
use sqlx::Row;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::harness::database::{TestDatabase, database};
use crate::harness::scratch::Scratch;
use crate::harness::smtp_client::SmtpClient;

/// A listener for `example.org` with the mailboxes alice, bob and, disabled, carol.
struct Server {
    address: SocketAddr,
    db: TestDatabase,
    data_dir: Scratch,
    shutdown: CancellationToken,
    listener: JoinHandle<()>,
    ingest: Ingest,
    workers: Workers,
}

impl Server {
    async fn start() -> Self {
        Self::start_with(RawConfig::default()).await
    }

    async fn start_with(settings: RawConfig) -> Self {
        let (db, data_dir) = (database().await, Scratch::new(0o700));
        make_mailboxes(&db).await;
        let settings = RawConfig {
            smtp_listen: Some("127.0.0.1:0".to_owned()),
            hostname: Some("mx.example.org".to_owned()),
            data_dir: Some(data_dir.path().to_owned()),
            ..settings
        };
        let config = settings.check().unwrap();
        let (ingest, workers) =
            Ingest::start(config.ingest.clone(), db.options(), (*db).clone(), "test".to_owned(), None).await.unwrap();
        let shutdown = CancellationToken::new();
        let listener = Listener::bind(&config, ingest.clone(), &certificate(&config), shutdown.clone()).unwrap();
        let address = listener.local_addrs()[0];
        Self { address, db, data_dir, shutdown, listener: tokio::spawn(listener.run()), ingest, workers }
    }

    /// Raw octets, trace fields and recipients of all messages, oldest first.
    async fn messages(&self) -> Vec<(Vec<u8>, String, String)> {
        let query =
            "select octets, encoding, trace, recipient from messages join contents using (content_id) order by message_id";
        let rows = sqlx::query(query).fetch_all(&*self.db).await.unwrap();
        let read = |row: sqlx::postgres::PgRow| {
            let octets: Vec<u8> = row.get("octets");
            let compressed = row.get::<&str, _>("encoding") == "zstd";
            let octets = if compressed { zstd::decode_all(octets.as_slice()).unwrap() } else { octets };
            (octets, row.get("trace"), row.get("recipient"))
        };
        rows.into_iter().map(read).collect()
    }

    async fn stop(self) -> TestDatabase {
        self.shutdown.cancel();
        self.listener.await.unwrap();
        drop(self.ingest);
        self.db.close().await;
        self.workers.finish().await;
        self.db
    }
}

fn certificate(config: &Config) -> Arc<Certificate> {
    Certificate::open(config.smtp.tls.as_ref(), &config.data_dir, &config.hostname).unwrap()
}

async fn make_mailboxes(db: &TestDatabase) {
    let mut db = db.acquire().await.unwrap();
    store::domains::insert(&mut db, &"example.org".parse().unwrap()).await.unwrap();
    let addresses: Vec<String> = ["alice", "bob", "carol"].iter().map(|name| format!("{name}@example.org")).collect();
    let new = store::mailboxes::New {
        domains: vec!["example.org".to_owned(); addresses.len()],
        password_hashes: vec![String::new(); addresses.len()],
        sealed_passwords: vec![None; addresses.len()],
        addresses,
        note: String::new(),
        created_by: "test".to_owned(),
        expires_at: None,
    };
    assert_eq!(store::mailboxes::insert(&mut db, &new).await.unwrap().len(), 3);
    let disabled = store::mailboxes::Changes { is_active: Some(false), ..store::mailboxes::Changes::default() };
    store::mailboxes::update(&mut db, &"carol@example.org".parse().unwrap(), &disabled).await.unwrap();
}

#[tokio::test]
async fn what_was_answered_with_250_is_stored_octet_for_octet() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.address).await;
    let octets: Vec<u8> = (0..=255).filter(|octet| *octet != b'\n').cycle().take(70_000).collect();
    let content = [b"Subject: x\r\n\r\na\nb\rc\0".as_slice(), &octets, b"\r\n"].concat();
    for (content, recipient) in [(content.as_slice(), "alice@example.org"), (b"", "Bob+news@EXAMPLE.org")] {
        let reply = client.deliver(&[recipient], content).await;
        assert!(reply.starts_with("250 2.0.0 Stored as "), "{reply}");
    }
    let messages = server.messages().await;
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].0, content);
    assert_eq!((messages[1].0.as_slice(), messages[1].2.as_str()), (&b""[..], "bob+news@example.org"));
    let trace = "Return-Path: <sender@example.net>\r\nReceived: from peer.example.net ([127.0.0.1])\r\n\tby mx.example.org with ESMTP id ";
    assert!(messages[0].1.starts_with(trace), "{}", messages[0].1);
    assert!(messages[0].1.contains("for <alice@example.org>;"), "{}", messages[0].1);
    server.stop().await;
}

#[tokio::test]
async fn recipients_are_refused_at_rcpt_each_for_its_reason() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.address).await;
    client
        .dialogue(&[
            ("MAIL FROM:<>", "250 2.1.0"),
            ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
            ("RCPT TO:<alice@example.com>", "550 5.7.1"),
            ("RCPT TO:<alice@sub.example.org>", "550 5.7.1"),
            ("RCPT TO:<carol@example.org>", "550 5.2.1"),
            ("RCPT TO:<alice%example.com@example.org>", "550 5.1.1"),
            ("RCPT TO:<\"alice@example.com\"@example.org>", "550 5.1.1"),
            ("DATA", "554 5.5.1"),
            ("RCPT TO:<\"ALICE\"@Example.Org>", "250 2.1.5"),
            ("RCPT TO:<alice@example.org>", "250 2.1.5"),
            ("RCPT TO:<Postmaster>", "250 2.1.5"),
            ("RCPT TO:<postMASTER@example.org>", "250 2.1.5"),
            ("DATA", "354 "),
            ("Subject: one\r\n\r\nx\r\n.", "250 2.0.0"),
            ("QUIT", "221 2.0.0"),
        ])
        .await;
    assert_eq!(client.rest().await, "");
    let mut recipients: Vec<String> = server.messages().await.into_iter().map(|message| message.2).collect();
    recipients.sort();
    assert_eq!(recipients, ["alice@example.org", "postmaster@example.org"], "each mailbox once");
    server.stop().await;
}

#[tokio::test]
async fn mail_over_starttls_says_so() {
    let server = Server::start().await;
    let client = SmtpClient::hello(server.address).await;
    let certificate = std::fs::read(server.data_dir.path().join("tls/cert.pem")).unwrap();
    let mut client = client.start_tls(&certificate, "mx.example.org").await;
    client.dialogue(&[("MAIL FROM:<a@example.net>", "503 5.5.1"), ("EHLO secret.example.net", "250-")]).await;
    assert!(client.deliver(&["alice@example.org"], b"x\r\n").await.starts_with("250 2.0.0"));
    client.dialogue(&[("QUIT", "221 ")]).await;
    let messages = server.messages().await;
    assert!(messages[0].1.contains("from secret.example.net") && messages[0].1.contains("with ESMTPS (TLSv1.3 TLS_"));
    server.stop().await;
}

#[tokio::test]
async fn a_message_whose_answer_got_lost_is_stored_once_and_a_second_one_twice() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.address).await;
    client.dialogue(&[("MAIL FROM:<sender@example.net>", "250"), ("RCPT TO:<alice@example.org>", "250"), ("DATA", "354")]).await;
    client.send("Subject: lost\r\n\r\nx\r\n.\r\n").await;
    drop(client);
    let noticed = async {
        let query = "select exists (select from unconfirmed_deliveries where is_abandoned)";
        while !sqlx::query_scalar::<_, bool>(query).fetch_one(&*server.db).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), noticed).await.expect("the loss is noticed");
    for expected in [1, 2] {
        let mut client = SmtpClient::hello(server.address).await;
        assert!(client.deliver(&["alice@example.org"], b"Subject: lost\r\n\r\nx\r\n").await.starts_with("250 2.0.0"));
        client.dialogue(&[("QUIT", "221 ")]).await;
        assert_eq!(server.messages().await.len(), expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_message_cut_off_is_not_stored() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.address).await;
    client.dialogue(&[("MAIL FROM:<sender@example.net>", "250"), ("RCPT TO:<alice@example.org>", "250"), ("DATA", "354")]).await;
    client.send("Subject: half\r\n\r\nx\r\n").await;
    client.finish_sending().await;
    assert_eq!(client.rest().await, "");
    assert!(server.messages().await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn all_of_a_dialogue_sent_at_once_is_answered_although_the_peer_closed_its_side() {
    let server = Server::start().await;
    let mut client = SmtpClient::connect(server.address).await;
    client
        .send(
            "HELO old.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\nNOOP\r\nQUIT\r\n",
        )
        .await;
    client.finish_sending().await;
    let rest = client.rest().await;
    let codes: Vec<&str> = rest.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "250", "221"]);
    assert!(server.messages().await[0].1.contains(" with SMTP id "));
    let mut client = SmtpClient::connect(server.address).await;
    client.send("HELO old.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n").await;
    client.finish_sending().await;
    let rest = client.rest().await;
    assert!(rest.lines().last().unwrap().starts_with("421 4.4.2"), "{rest}");
    assert_eq!(server.messages().await.len(), 2, "the peer had its answer, so the same again is a second message");
    server.stop().await;
}

#[tokio::test]
async fn with_the_database_away_mail_is_put_off() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.address).await;
    server.db.close().await;
    client
        .dialogue(&[
            ("MAIL FROM:<sender@example.net>", "250 2.1.0"),
            ("RCPT TO:<alice@example.org>", "451 4.3.0"),
            ("DATA", "554 5.5.1"),
            ("NOOP", "250 2.0.0"),
        ])
        .await;
    server.stop().await;
}

#[tokio::test]
async fn more_sessions_than_allowed_are_turned_away_until_one_ends() {
    let settings = RawConfig {
        smtp_max_sessions_per_address: Some(2.into()),
        smtp_trusted_networks: Some("none".to_owned()),
        ..RawConfig::default()
    };
    let server = Server::start_with(settings).await;
    let mut first = SmtpClient::hello(server.address).await;
    let _second = SmtpClient::hello(server.address).await;
    let rest = SmtpClient::connect(server.address).await.rest().await;
    assert!(rest.starts_with("421 4.7.0 mx.example.org ") && rest.lines().count() == 1, "{rest}");
    first.dialogue(&[("QUIT", "221 ")]).await;
    assert_eq!(first.rest().await, "");
    let again = async { while !SmtpClient::connect(server.address).await.reply().await.starts_with("220 ") {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), again).await.expect("a place is free again");
    server.stop().await;
}

#[tokio::test]
async fn many_sessions_at_once_lose_and_double_nothing() {
    let server = Server::start().await;
    let mut senders = JoinSet::new();
    for sender in 0..30 {
        let address = server.address;
        senders.spawn(async move {
            let mut client = SmtpClient::hello(address).await;
            for n in 0..10 {
                let content = format!("Subject: {sender}-{n}\r\n\r\nx\r\n");
                assert!(client.deliver(&["alice@example.org"], content.as_bytes()).await.starts_with("250 2.0.0"));
            }
        });
    }
    senders.join_all().await;
    let mut contents: Vec<Vec<u8>> = server.messages().await.into_iter().map(|message| message.0).collect();
    assert_eq!(contents.len(), 300);
    contents.sort();
    contents.dedup();
    assert_eq!(contents.len(), 300, "each once");
    server.stop().await;
}

#[tokio::test]
async fn when_the_server_stops_idle_peers_are_told_and_the_port_is_free() {
    let server = Server::start().await;
    let mut idle = SmtpClient::hello(server.address).await;
    let address = server.address;
    server.shutdown.cancel();
    assert!(idle.reply().await.starts_with("421 4.3.2"));
    assert_eq!(idle.rest().await, "");
    let _db = server.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_in_use_stops_the_start_with_a_sentence() {
    let server = Server::start().await;
    let settings = RawConfig {
        smtp_listen: Some(server.address.to_string()),
        data_dir: Some(server.data_dir.path().to_owned()),
        ..RawConfig::default()
    };
    let config = settings.check().unwrap();
    let refused = Listener::bind(&config, server.ingest.clone(), &certificate(&config), CancellationToken::new());
    let text = format!("{:#}", refused.err().expect("refused"));
    assert!(text.contains("PILLARBOX_SMTP_LISTEN") && text.contains(&server.address.to_string()), "{text}");
    server.stop().await;
}
