//! Health, and what callers hear while the database is away.

use std::time::{Duration, Instant};

use pillarbox::config::RawConfig;
use serde_json::json;

use crate::harness::server::{Server, note};
use crate::harness::smtp_client::SmtpClient;

/// A transaction up to where the message is sent.
const UP_TO_DATA: [(&str, &str); 3] =
    [("MAIL FROM:<sender@example.net>", "250 "), ("RCPT TO:<alice@example.org>", "250 "), ("DATA", "354 ")];

#[tokio::test]
async fn a_healthy_server_says_so_without_a_key() {
    let server = Server::empty(RawConfig::default()).await;
    let get = async |path: &str| server.stranger().send("GET", path, None).await;
    let health = get("/health").await;
    assert_eq!(health.status, 200);
    let expected = json!({ "ok": true, "app": "Pillarbox", "version": env!("CARGO_PKG_VERSION"),
        "database": { "exists": true, "quick_check": "ok" } });
    assert_eq!(health.json(), expected);
    assert_eq!(get("/livez").await.octets(), b"ok\n");
    assert_eq!(get("/readyz").await.json(), json!({ "ready": true, "database": "ok" }));
}

#[tokio::test]
async fn while_the_database_is_away_senders_come_back_and_callers_are_told_to() {
    let server = Server::behind_a_cable().await;
    server.mailbox("alice@example.org").await;
    let mut session = SmtpClient::hello(server.smtp).await;
    let reply = session.deliver(&["alice@example.org"], note("before", "Good day.").as_bytes()).await;
    assert!(reply.starts_with("250 "), "{reply}");

    server.cable().cut();
    let get = async |path: &str| server.stranger().send("GET", path, None).await;
    assert_eq!(get("/livez").await.status, 200);
    assert_eq!(get("/readyz").await.status, 503);
    assert_eq!(get("/health").await.status, 503);
    let problem = server.rest.get("/messages").await;
    problem.problem(503, "unavailable");
    assert_eq!(problem.header("retry-after"), "5");
    // A recipient is still believed for a moment, then it cannot be looked up; either way the sender is asked to come back.
    let begun = Instant::now();
    session.dialogue(&[("MAIL FROM:<sender@example.net>", "250 ")]).await;
    session.send("RCPT TO:<alice@example.org>\r\n").await;
    let mut reply = session.reply().await;
    if reply.starts_with("250 ") {
        session.dialogue(&[("DATA", "354 ")]).await;
        session.send(format!("{}.\r\n", note("away", "Good day."))).await;
        reply = session.reply().await;
    }
    assert!(reply.starts_with("451 4.3.0 "), "{reply}");
    let reply = server.rcpt("somebody@example.org").await;
    assert!(reply.starts_with("451 4.3.0 "), "{reply}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());

    server.cable().mend();
    let begun = Instant::now();
    while get("/readyz").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(5), "it does not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.mail(&["alice@example.org"], note("after", "Good day.")).await;
    let subjects = server.subjects("alice@example.org").await;
    assert_eq!(subjects, ["after", "before"]);
}

#[tokio::test]
async fn a_database_that_answers_nothing_is_given_up_in_time() {
    let settings = RawConfig { ingest_commit_timeout_seconds: Some(2.into()), ..RawConfig::default() };
    let server = Server::behind_a_cable_with(settings).await;
    server.mailbox("alice@example.org").await;
    let mut session = SmtpClient::hello(server.smtp).await;
    session.dialogue(&UP_TO_DATA).await;
    server.cable().hold();
    let begun = Instant::now();
    session.send(format!("{}.\r\n", note("held", "Good day."))).await;
    session.expect("451 4.3.0 ").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.cable().mend();
    // The sender comes back, and there is one message.
    let reply = session.deliver(&["alice@example.org"], note("held", "Good day.").as_bytes()).await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(server.subjects("alice@example.org").await, ["held"]);
}

#[tokio::test]
async fn a_commit_whose_answer_got_lost_makes_no_second_message() {
    let settings = RawConfig { ingest_writers: Some(1.into()), ..RawConfig::default() };
    let server = Server::behind_a_cable_with(settings).await;
    server.mailbox("alice@example.org").await;
    for round in 0..3 {
        // The writer has a connection from here on.
        server.mail(&["alice@example.org"], note(&format!("before {round}"), "Good day.")).await;
        let message = note(&round.to_string(), "Good day.");
        let mut session = SmtpClient::hello(server.smtp).await;
        session.dialogue(&UP_TO_DATA).await;
        // What the server says reaches the database; what the database says does not come back.
        server.cable().lose_answers();
        session.send(format!("{message}.\r\n")).await;
        session.expect("451 4.3.0 ").await;
        assert_eq!(stored(&server).await, 2 * round + 2, "the commit that nobody heard of");
        server.cable().mend();
        let reply = session.deliver(&["alice@example.org"], message.as_bytes()).await;
        assert!(reply.starts_with("250 "), "{reply}");
        assert_eq!(stored(&server).await, 2 * round + 2, "the message came again and is recognised");
    }
}

/// How many messages lie in the database.
async fn stored(server: &Server) -> i64 {
    sqlx::query_scalar("select count(*) from messages").fetch_one(&server.db).await.unwrap()
}

#[tokio::test]
async fn a_full_queue_answers_451_and_keeps_nothing() {
    let settings = RawConfig {
        ingest_queue_messages: Some(1.into()),
        ingest_writers: Some(1.into()),
        ingest_batch_messages: Some(1.into()),
        ingest_commit_timeout_seconds: Some(5.into()),
        ..RawConfig::default()
    };
    let server = Server::behind_a_cable_with(settings).await;
    server.mailbox("alice@example.org").await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let mut session = SmtpClient::hello(server.smtp).await;
        session.dialogue(&UP_TO_DATA).await;
        sessions.push(session);
    }
    server.cable().hold();
    // One is being written, one waits; there is no room for more, and that is said at once.
    let begun = Instant::now();
    for (n, session) in sessions.iter_mut().enumerate() {
        session.send(format!("{}.\r\n", note(&format!("{n}"), "Good day."))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for session in &mut sessions[2..] {
        session.expect("451 4.3.0 ").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    server.cable().mend();
    let mut stored = 0;
    for session in &mut sessions[..2] {
        stored += usize::from(session.reply().await.starts_with("250 "));
    }
    assert_eq!(server.subjects("alice@example.org").await.len(), stored);
}

#[tokio::test]
async fn while_the_database_stands_still_everybody_is_answered_in_time() {
    let server = Server::behind_a_cable().await;
    server.mailbox("alice@example.org").await;
    server.mail(&["alice@example.org"], note("before", "Good day.")).await;
    let id = server.newest("alice@example.org").await["id"].as_str().unwrap().to_owned();
    // Many connections that were good a moment ago.
    let many = (0..16).map(|_| server.rest.get("/messages"));
    futures_util::future::join_all(many).await.iter().for_each(|answer| assert_eq!(answer.status, 200));
    let mut session = SmtpClient::hello(server.smtp).await;
    session.dialogue(&[("MAIL FROM:<sender@example.net>", "250 ")]).await;

    server.cable().hold();
    let begun = Instant::now();
    let message = format!("/messages/{id}");
    let raw = format!("/messages/{id}/raw");
    let rcpt = async {
        session.send("RCPT TO:<somebody@example.org>\r\n").await;
        session.expect("451 4.3.0 ").await;
        assert!(begun.elapsed() < Duration::from_secs(10), "SMTP: {:?}", begun.elapsed());
    };
    let (list, email, octets, ready, health, ()) = tokio::join!(
        server.rest.get("/messages"),
        server.rest.get(&message),
        server.rest.get(&raw),
        server.rest.send("GET", "/readyz", None),
        server.rest.send("GET", "/health", None),
        rcpt,
    );
    for answer in [list, email, octets] {
        answer.problem(503, "unavailable");
    }
    assert_eq!((ready.status, health.status), (503, 503));
    assert!(begun.elapsed() < Duration::from_secs(25), "HTTP: {:?}", begun.elapsed());

    server.cable().mend();
    let begun = Instant::now();
    while server.rest.get("/messages").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    server.mail(&["alice@example.org"], note("after", "Good day.")).await;
}
