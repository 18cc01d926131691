//! Several servers on one database: what one does, the others know.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::server::{Server, note};
use crate::harness::smtp_client::SmtpClient;

/// How long a word from one node to the others may take.
const AT_ONCE: Duration = Duration::from_millis(900);

#[tokio::test]
async fn mail_at_one_node_wakes_who_waits_at_another() {
    let one = Server::start().await;
    let two = one.another_node().await;
    one.mailbox("alice@example.org").await;
    let (answered, sent) = tokio::join!(
        async {
            let path = "/admin/verification-code?mailbox=alice@example.org&wait=20";
            assert_eq!(two.rest.get(path).await.data()["code"], "482913");
            Instant::now()
        },
        async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            one.mail(&["alice@example.org"], note("code", "Your verification code is 482913.")).await;
            Instant::now()
        }
    );
    let late = answered.saturating_duration_since(sent);
    assert!(late < AT_ONCE, "{late:?} after it was stored");
}

#[tokio::test]
async fn a_key_that_is_revoked_at_one_node_is_refused_at_all() {
    let one = Server::start().await;
    let two = one.another_node().await;
    let made = one.rest.post("/api-keys", json!({ "name": "short" })).await.data();
    let caller = two.rest.with_key(made["key"].as_str().unwrap());
    caller.get("/stats").await.data();
    one.rest.post(&format!("/api-keys/{}/revoke", made["api_key"]["id"].as_str().unwrap()), json!({})).await.data();
    let begun = Instant::now();
    while caller.get("/stats").await.status != 401 {
        assert!(begun.elapsed() < Duration::from_secs(1), "the key is still good");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_mailbox_that_is_disabled_at_one_node_takes_no_mail_at_another() {
    let one = Server::start().await;
    let two = one.another_node().await;
    one.mailbox("alice@example.org").await;
    assert!(two.rcpt("alice@example.org").await.starts_with("250 "));
    one.rest.patch("/mailboxes/alice@example.org", json!({ "is_active": false })).await.data();
    let begun = Instant::now();
    while !two.rcpt("alice@example.org").await.starts_with("550 5.2.1 ") {
        assert!(begun.elapsed() < Duration::from_secs(1), "it still takes mail");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_node_that_ends_answers_who_waits_and_leaves_the_work_to_the_others() {
    let one = Server::start().await;
    let two = one.another_node().await;
    one.mailbox("alice@example.org").await;
    let path = "/admin/verification-code?mailbox=alice@example.org&wait=50";
    let (rest, key) = (two.rest.clone(), one.rest.clone());
    let waiting = tokio::spawn(async move { rest.get(path).await });
    let mut idle = SmtpClient::hello(two.smtp).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    two.end();
    idle.expect("421 4.3.2 ").await;
    assert_eq!(waiting.await.unwrap().data()["code"], serde_json::Value::Null);
    let (smtp, http) = (two.smtp, two.http);
    two.finish().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for gone in [smtp, http] {
        assert!(tokio::net::TcpStream::connect(gone).await.is_err(), "{gone} still listens");
    }
    one.mail(&["alice@example.org"], note("after", "Good day.")).await;
    assert_eq!(key.get("/stats").await.data()["messages"], 1);
}
