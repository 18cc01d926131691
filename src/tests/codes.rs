//! The request for a verification code.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::server::{Server, note};

const CODE: &str = "Your verification code is 482913.";

/// A server with the mailbox alice.
async fn alice() -> Server {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server
}

async fn ask(server: &Server, query: &str) -> Value {
    server.rest.get(&format!("/admin/verification-code?mailbox=alice@example.org{query}")).await.data()
}

/// Lets all mail look as if it had come so long ago.
async fn age(server: &Server, seconds: i32) {
    let query = "update messages set received_at = received_at - make_interval(secs => $1)";
    sqlx::query(query).bind(f64::from(seconds)).execute(&server.db).await.unwrap();
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_code_comes_with_its_message() {
    let server = alice().await;
    let html = "<p>Your verification code is <b>482913</b>.</p>";
    let content = format!(
        "From: Accounts <accounts@service.example>\r\nSubject: Sign in\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n{CODE}\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
    );
    server.mail(&["alice@example.org"], content).await;
    let found = ask(&server, "").await;
    assert_eq!(
        names(&found),
        ["code", "confidence", "email", "received_at", "sender", "sender_name", "sender_trust", "subject", "withheld"]
    );
    let message = server.newest("alice@example.org").await;
    assert_eq!(found["code"], "482913");
    assert_eq!(found["confidence"], message["code_confidence"]);
    assert_eq!(found["subject"], "Sign in");
    assert_eq!(found["sender"], "accounts@service.example");
    assert_eq!(found["sender_name"], "Accounts");
    assert_eq!(found["received_at"], message["received_at"]);
    let email = &found["email"];
    assert_eq!(email["id"], message["id"]);
    assert_eq!((&email["text"], &email["html"]), (&json!(CODE), &json!(html)));
}

#[tokio::test]
async fn without_a_code_it_tells_of_the_newest_message() {
    let server = alice().await;
    let long = "word ".repeat(100);
    server.mail(&["alice@example.org"], note("older", "Good day.")).await;
    server.mail(&["alice@example.org"], note("newest", &long)).await;
    let found = ask(&server, "").await;
    assert_eq!(found["code"], Value::Null);
    assert!(found["message"].as_str().is_some_and(|text| text.contains("600 seconds")), "{found}");
    let latest = &found["latest_email"];
    assert_eq!(names(latest), ["received_at", "sender", "subject", "text_snippet"]);
    assert_eq!((&latest["subject"], &latest["sender"]), (&json!("newest"), &json!("sender@example.net")));
    let snippet = latest["text_snippet"].as_str().unwrap();
    assert!(long.starts_with(snippet) && (190..=200).contains(&snippet.chars().count()), "{snippet}");
}

#[tokio::test]
async fn nothing_to_tell_is_no_failure() {
    let server = alice().await;
    for mailbox in ["alice@example.org", "nobody@example.org", "alice@elsewhere.example"] {
        let answer = server.rest.get(&format!("/admin/verification-code?mailbox={mailbox}")).await.data();
        assert_eq!((&answer["code"], &answer["latest_email"]), (&Value::Null, &Value::Null), "{mailbox}");
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{mailbox}");
    }
    server.mail(&["alice@example.org"], note("code", CODE)).await;
    server.rest.delete("/mailboxes/alice@example.org").await.data();
    assert_eq!(ask(&server, "").await["code"], Value::Null);
}

#[tokio::test]
async fn the_mailbox_is_found_in_any_case() {
    let server = alice().await;
    server.mail(&["Alice@Example.Org"], note("code", CODE)).await;
    let answer = server.rest.get("/admin/verification-code?mailbox=ALICE%40example.ORG").await.data();
    assert_eq!(answer["code"], "482913");
}

#[tokio::test]
async fn only_messages_within_the_window_count() {
    let server = alice().await;
    server.mail(&["alice@example.org"], note("code", CODE)).await;
    age(&server, 700).await;
    let answer = ask(&server, "").await;
    assert_eq!(answer["code"], Value::Null);
    assert_eq!(answer["latest_email"]["subject"], "code", "the newest is told of whatever its age");
    assert_eq!(ask(&server, "&seconds=699").await["code"], Value::Null);
    assert_eq!(ask(&server, "&seconds=800").await["code"], "482913");
    assert_eq!(ask(&server, "&seconds=86400").await["code"], "482913");
    assert_eq!(ask(&server, "&seconds=0").await["code"], Value::Null);
}

#[tokio::test]
async fn the_newest_code_among_the_ten_newest_messages_wins() {
    let server = alice().await;
    server.mail(&["alice@example.org"], note("old", "Your verification code is 111222.")).await;
    server.mail(&["alice@example.org"], note("new", CODE)).await;
    for n in 0..9 {
        server.mail(&["alice@example.org"], note(&format!("news {n}"), "Good day.")).await;
    }
    assert_eq!(ask(&server, "").await["code"], "482913");
    server.mail(&["alice@example.org"], note("news 10", "Good day.")).await;
    assert_eq!(ask(&server, "").await["code"], Value::Null);
}

#[tokio::test]
async fn what_is_out_of_range_is_pointed_at() {
    let server = alice().await;
    for (query, pointer) in [
        ("mailbox=alice@example.org&seconds=-1", "/seconds"),
        ("mailbox=alice@example.org&seconds=86401", "/seconds"),
        ("mailbox=alice@example.org&seconds=ten", "/seconds"),
        ("mailbox=alice@example.org&seconds=", "/seconds"),
        ("mailbox=alice@example.org&wait=56", "/wait"),
        ("mailbox=alice@example.org&wait=-1", "/wait"),
        ("mailbox=alice", "/mailbox"),
        ("mailbox=", "/mailbox"),
        ("mailbox=alice@example.org&mailbox=bert@example.org", "/mailbox"),
    ] {
        server.rest.get(&format!("/admin/verification-code?{query}")).await.points_at(pointer);
    }
    let missing = server.rest.get("/admin/verification-code").await.problem(400, "invalid_input");
    assert!(missing["detail"].as_str().unwrap().contains("mailbox"), "{missing}");
}

#[tokio::test]
async fn a_waiting_caller_hears_at_once() {
    let server = alice().await;
    server.mail(&["alice@example.org"], note("before", "Good day.")).await;
    let (answer, ()) = tokio::join!(
        async {
            let answer = ask(&server, "&wait=20").await;
            (answer, Instant::now())
        },
        async {
            // Long enough that the caller waits; it is right also where it does not.
            tokio::time::sleep(Duration::from_millis(300)).await;
            // A message without a code ends no wait.
            server.mail(&["alice@example.org"], note("news", "Good day.")).await;
            server.mail(&["alice@example.org"], note("code", CODE)).await;
        }
    );
    let stored = Instant::now();
    assert_eq!(answer.0["code"], "482913");
    assert!(stored.saturating_duration_since(answer.1) < Duration::from_secs(1));
    let since = answer.1.saturating_duration_since(stored);
    assert!(since < Duration::from_secs(1), "{since:?} after the message was stored");
}

#[tokio::test]
async fn a_code_that_is_there_is_not_waited_for_and_waiting_ends() {
    let server = alice().await;
    let begun = Instant::now();
    let answer = ask(&server, "&wait=1").await;
    assert_eq!(answer["code"], Value::Null);
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    server.mail(&["alice@example.org"], note("code", CODE)).await;
    let begun = Instant::now();
    assert_eq!(ask(&server, "&wait=55").await["code"], "482913");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn many_wait_without_holding_up_anyone() {
    let server = alice().await;
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let rest = server.rest.clone();
            tokio::spawn(async move { rest.get("/admin/verification-code?mailbox=alice@example.org&wait=30").await.data() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    server.rest.get("/stats").await.data();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    server.mail(&["alice@example.org"], note("code", CODE)).await;
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap()["code"], "482913");
    }
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
