//! Search: what arrived is found by its words, fields, times and marks, through the REST door.

use std::time::Duration;

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use crate::harness::server::{Server, note};

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

async fn ask(server: &Server, q: &str) -> Vec<Value> {
    server.rest.all(&format!("/messages?q={}", encoded(q)), 200).await
}

fn subjects(found: &[Value]) -> Vec<&str> {
    found.iter().map(|message| message["subject"].as_str().unwrap()).collect()
}

/// Waits until the index has so many messages: each has a subject.
pub(crate) async fn indexed(server: &Server, messages: usize) {
    for _ in 0..600 {
        if ask(server, "after:1d").await.len() == messages {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the messages did not become searchable in half a minute");
}

fn letter(from: &str, to: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{}@mail.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
        subject.len() * 1000 + text.len(),
    )
}

async fn filled() -> Server {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server.mailbox("bob@example.org").await;
    let letters = [
        (
            "alice@example.org",
            letter("Myshop <no-reply@myshop.example>", "alice@example.org", "Your order", "It leaves on Monday morning."),
        ),
        (
            "alice@example.org",
            letter("Bank <alert@bank.example>", "alice@example.org", "Sign in", "Your verification code is 482913. Café."),
        ),
        ("bob@example.org", letter("服务 <no-reply@fuwu.example>", "bob@example.org", "登录", "您的验证码是 735201，请勿泄露。")),
        (
            "bob@example.org",
            letter("Anna <anna@friends.example>", "bob@example.org", "Monday", "Morning coffee, then your code review."),
        ),
    ];
    for (to, letter) in &letters {
        server.mail(&[to], letter).await;
    }
    indexed(&server, letters.len()).await;
    server
}

#[tokio::test]
async fn words_phrases_parts_and_operators_find_what_they_say() {
    let server = filled().await;
    let cases: &[(&str, &[&str])] = &[
        ("morning", &["Monday", "Your order"]),
        ("MORN", &["Monday", "Your order"]),
        ("orning", &[]),
        ("\"morning coffee\"", &["Monday"]),
        ("\"coffee morning\"", &[]),
        ("cafe", &["Sign in"]),
        ("验证码", &["登录"]),
        ("证码", &["登录"]),
        ("码", &["登录"]),
        ("验码", &[]),
        ("monday -coffee", &["Your order"]),
        ("from:shop", &["Your order"]),
        ("from:no-reply@", &["登录", "Your order"]),
        ("!from:no-reply@", &["Monday", "Sign in"]),
        ("subject:onda", &["Monday"]),
        ("to:bob", &["Monday", "登录"]),
        ("addressed:anna", &["Monday"]),
        ("code:482913", &["Sign in"]),
        ("code:48291", &[]),
        ("has:code", &["登录", "Sign in"]),
        ("mailbox:bob@example.org", &["Monday", "登录"]),
        ("domain:example.org monday", &["Monday", "Your order"]),
        ("larger:1M", &[]),
        ("smaller:1M is:unread monday", &["Monday", "Your order"]),
        ("is:read", &[]),
        ("before:2020-01-01", &[]),
        ("it's 'quoted' \\ & | ! ( )", &[]),
    ];
    for (q, expected) in cases {
        assert_eq!(subjects(&ask(&server, q).await), *expected, "{q}");
    }
}

#[tokio::test]
async fn a_service_finds_the_messages_of_its_mailboxes() {
    let server = filled().await;
    let template = json!({ "name": "My Shop", "login_url": "https://shop.example/" });
    let template = server.rest.post("/service-templates", template).await.data()["id"].take();
    server.rest.post("/mailboxes/alice@example.org/services", json!({ "template_id": template })).await.data();
    let custom = json!({ "name": "Club", "login_url": "https://club.example/" });
    server.rest.post("/mailboxes/bob@example.org/services/custom", custom).await.data();
    for (q, found) in [
        ("service:\"my shop\"", &["Sign in", "Your order"][..]),
        ("service:club", &["Monday", "登录"]),
        ("-service:club", &["Sign in", "Your order"]),
        ("service:club monday", &["Monday"]),
        ("service:club service:\"my shop\"", &[]),
        ("service:nothing", &[]),
        ("!service:nothing monday", &["Monday", "Your order"]),
    ] {
        assert_eq!(subjects(&ask(&server, q).await), found, "{q}");
    }
}

#[tokio::test]
async fn separate_inputs_ask_the_same_and_highlights_show_where() {
    let server = filled().await;
    let found = server.rest.all("/messages/search?from=bank&content=verification+code&is_read=false", 50).await;
    assert_eq!(subjects(&found), ["Sign in"]);
    let highlights = found[0]["highlights"].as_array().unwrap();
    let text = highlights.iter().find(|highlight| highlight["field"] == "text").unwrap();
    assert_eq!(text["ranges"], json!([[5, 22]]));
    let from = highlights.iter().find(|highlight| highlight["field"] == "from").unwrap();
    assert_eq!(from["ranges"], json!([[0, 4], [11, 15]]));
    let end = server.newest("bob@example.org").await["received_at"].as_i64().unwrap();
    assert_eq!(server.rest.all(&format!("/messages?end_time={end}&q=coffee"), 50).await.len(), 1);
    assert_eq!(server.rest.all(&format!("/messages?start_time={}&q=coffee", end + 1), 50).await.len(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_said_with_its_place() {
    let server = Server::start().await;
    let problem = server.rest.get("/messages?q=hello+colour:red").await.problem(400, "invalid_input");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("at character 7") && detail.contains("no operator `colour:`"), "{detail}");
    server.rest.get(&format!("/messages?q={}", encoded("\"open"))).await.problem(400, "invalid_input");
}

#[tokio::test]
async fn pages_go_on_where_they_ended_and_the_trash_is_not_found() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    for n in 0..11 {
        server.mail(&["alice@example.org"], note(&format!("{n}"), "The quick brown fox.")).await;
    }
    indexed(&server, 11).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (rows, next) = server.rest.get(&format!("/messages?q=fox&limit=4{cursor}")).await.page();
        seen.extend(rows.iter().map(|row| row["subject"].as_str().unwrap().to_owned()));
        let Some(next) = next else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (0..11).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let removed = ask(&server, "subject:10").await[0]["id"].as_str().unwrap().to_owned();
    server.rest.delete(&format!("/messages/{removed}")).await.data();
    assert_eq!(ask(&server, "fox").await.len(), 10);
    server.rest.delete("/mailboxes/alice@example.org").await.data();
    assert_eq!(ask(&server, "fox").await.len(), 0);
}
