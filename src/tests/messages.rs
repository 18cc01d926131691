//! Messages: listed, marked, starred, taken apart, removed; and the counts that go with them.

use serde_json::{Value, json};

use crate::harness::server::{Server, note};

const CODE: &str = "Your verification code is 482913.";

async fn counts(server: &Server) -> (i64, i64) {
    let mailbox = server.look("alice@example.org").await;
    (mailbox["message_count"].as_i64().unwrap(), mailbox["unread_count"].as_i64().unwrap())
}

fn id(message: &Value) -> &str {
    message["id"].as_str().unwrap()
}

/// A server with the mailbox alice.
async fn alice() -> Server {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server
}

#[tokio::test]
async fn a_list_shows_what_one_wants_to_know_of_each() {
    let server = alice().await;
    let content = note("Sign in", CODE);
    server.mail(&["alice@example.org"], &content).await;
    let message = server.newest("alice@example.org").await;
    let expected = json!({
        "id": message["id"], "mailbox": "alice@example.org", "recipient": "alice@example.org",
        "from_address": "sender@example.net", "from_name": "Sender", "subject": "Sign in",
        "preview": "Your verification code is 482913.", "received_at": message["received_at"],
        "size_octets": content.len(), "attachment_count": 0, "code": "482913",
        "code_confidence": message["code_confidence"], "link": null, "sender_trust": "none", "withheld": false,
        "is_quarantined": false, "is_read": false, "is_starred": false,
    });
    assert_eq!(message, expected);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(message["received_at"].as_u64().unwrap().abs_diff(now) < 60);
    assert!((0.5..=1.0).contains(&message["code_confidence"].as_f64().unwrap()));
    assert_eq!(server.rest.all("/messages", 50).await, [message]);
    server.rest.get("/mailboxes/nobody@example.org/messages").await.problem(404, "mailbox_not_found");
}

#[tokio::test]
async fn paging_skips_and_repeats_nothing_while_mail_arrives() {
    let server = alice().await;
    for n in 0..13 {
        server.mail(&["alice@example.org"], note(&format!("{n}"), "Good day.")).await;
    }
    let expected: Vec<String> = (0..13).rev().map(|n| n.to_string()).collect();
    for path in ["/mailboxes/alice@example.org/messages", "/messages"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (rows, next) = server.rest.get(&format!("{path}?limit=4{cursor}")).await.page();
            seen.extend(rows.iter().map(|row| row["subject"].as_str().unwrap().to_owned()));
            server.mail(&["alice@example.org"], note("late", "Good day.")).await;
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        seen.retain(|subject| subject != "late");
        assert_eq!(seen, expected, "{path}");
    }
    let last = server.rest.get("/mailboxes/alice@example.org/messages?offset=21&limit=200").await.page();
    assert_eq!((last.0.len(), last.1), (1, None));
    server.rest.get("/messages?cursor=%00").await.points_at("/cursor");
}

#[tokio::test]
async fn marks_change_the_counts_at_once_and_only_once() {
    let server = alice().await;
    for n in 0..3 {
        server.mail(&["alice@example.org"], note(&format!("{n}"), "Good day.")).await;
    }
    assert_eq!(counts(&server).await, (3, 3));
    let newest = server.newest("alice@example.org").await;
    let path = format!("/messages/{}", id(&newest));
    for (body, is_read, is_starred, unread) in [
        (json!({ "is_read": true }), true, false, 2),
        (json!({ "isRead": true }), true, false, 2),
        (json!({ "isStarred": true }), true, true, 2),
        (json!({}), true, true, 2),
        (json!({ "is_read": null }), true, true, 2),
        (json!({ "is_read": false, "is_starred": false }), false, false, 3),
        (json!({ "is_read": false }), false, false, 3),
        (json!({ "is_read": true, "is_starred": true }), true, true, 2),
    ] {
        let shown = body.to_string();
        let message = server.rest.patch(&path, body).await.data();
        assert_eq!((&message["is_read"], &message["is_starred"]), (&json!(is_read), &json!(is_starred)), "{shown}");
        assert_eq!(counts(&server).await, (3, unread), "{shown}");
        assert_eq!(server.rest.get("/stats").await.data()["unread_messages"], unread, "{shown}");
    }
    server.rest.patch(&path, json!({ "is_read": "yes" })).await.points_at("/is_read");
    for (query, expected) in [
        ("is_read=true", vec!["2"]),
        ("isRead=false", vec!["1", "0"]),
        ("is_starred=1", vec!["2"]),
        ("is_starred=false&is_read=false", vec!["1", "0"]),
        ("is_starred=true&is_read=false", vec![]),
    ] {
        for list in ["/messages", "/mailboxes/alice@example.org/messages"] {
            let rows = server.rest.all(&format!("{list}?{query}"), 50).await;
            let subjects: Vec<&str> = rows.iter().map(|row| row["subject"].as_str().unwrap()).collect();
            assert_eq!(subjects, expected, "{list}?{query}");
        }
    }
}

#[tokio::test]
async fn messages_with_a_code_or_link_can_be_asked_for() {
    let server = alice().await;
    server.mail(&["alice@example.org"], note("code", CODE)).await;
    server.mail(&["alice@example.org"], note("none", "Good day.")).await;
    let rows = server.rest.all("/messages?has_code=true", 50).await;
    assert_eq!(rows.iter().map(|row| &row["subject"]).collect::<Vec<_>>(), ["code"]);
    let rows = server.rest.all("/mailboxes/alice@example.org/messages?hasCode=false", 50).await;
    assert_eq!(rows.iter().map(|row| &row["subject"]).collect::<Vec<_>>(), ["none"]);
}

#[tokio::test]
async fn a_message_is_removed_with_its_content_unless_another_recipient_has_it() {
    let server = alice().await;
    server.mailbox("bert@example.org").await;
    server.mail(&["alice@example.org", "bert@example.org"], note("shared", CODE)).await;
    let contents = async || -> i64 { sqlx::query_scalar("select count(*) from contents").fetch_one(&server.db).await.unwrap() };
    assert_eq!((counts(&server).await, contents().await), ((1, 1), 1));
    let (hers, his) = (server.newest("alice@example.org").await, server.newest("bert@example.org").await);

    let path = format!("/messages/{}", id(&hers));
    assert_eq!(server.rest.delete(&path).await.data(), json!({ "id": hers["id"], "deleted": true }));
    assert_eq!((counts(&server).await, contents().await), ((0, 0), 1));
    server.rest.get(&path).await.problem(404, "message_not_found");
    server.rest.delete(&path).await.problem(404, "message_not_found");
    let raw = server.rest.get(&format!("/messages/{}/raw", id(&his))).await.octets();
    assert!(raw == note("shared", CODE).as_bytes());

    server.rest.patch(&format!("/messages/{}", id(&his)), json!({ "is_read": true })).await.data();
    server.rest.delete(&format!("/messages/{}", id(&his))).await.data();
    assert_eq!(contents().await, 0);
    let bert = server.look("bert@example.org").await;
    assert_eq!((&bert["message_count"], &bert["unread_count"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn counts_hold_when_mail_and_changes_come_at_once() {
    let server = alice().await;
    let send = async |from: usize| {
        for n in 0..15 {
            server.mail(&["alice@example.org"], note(&format!("{from}/{n}"), "Good day.")).await;
        }
    };
    let change = async || {
        for _ in 0..15 {
            for message in server.rest.get("/messages?limit=2").await.page().0 {
                let answer = server.rest.patch(&format!("/messages/{}", id(&message)), json!({ "is_read": true })).await;
                assert!([200, 404].contains(&answer.status), "{answer}");
            }
            if let Some(oldest) = server.rest.all("/messages", 200).await.last() {
                server.rest.delete(&format!("/messages/{}", id(oldest))).await.data();
            }
        }
    };
    tokio::join!(send(1), send(2), send(3), change());
    let rows = server.rest.all("/messages", 200).await;
    let unread = rows.iter().filter(|row| row["is_read"] == false).count();
    assert_eq!(counts(&server).await, (i64::try_from(rows.len()).unwrap(), i64::try_from(unread).unwrap()));
}

#[tokio::test]
async fn an_id_that_nothing_has_is_not_found_whatever_it_looks_like() {
    let server = alice().await;
    for unknown in ["018f0000-0000-7000-8000-000000000000", "1", "no-id", "%00", "..%2f..%2fetc%2fpasswd"] {
        for path in ["", "/raw", "/html", "/attachments/0"] {
            server.rest.get(&format!("/messages/{unknown}{path}")).await.problem(404, "message_not_found");
        }
        server.rest.patch(&format!("/messages/{unknown}"), json!({})).await.problem(404, "message_not_found");
        server.rest.delete(&format!("/messages/{unknown}")).await.problem(404, "message_not_found");
    }
}

#[tokio::test]
async fn raw_html_and_attachments_are_served_so_that_no_browser_runs_them() {
    let server = alice().await;
    let eml = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/data/attachments.eml")).unwrap();
    server.mail(&["alice@example.org"], eml).await;
    let id = id(&server.newest("alice@example.org").await).to_owned();
    let html = server.rest.get(&format!("/messages/{id}/html")).await;
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    assert!(html.header("content-security-policy").starts_with("sandbox; default-src 'none'"), "{html}");
    assert!(html.text().contains("src=\"data:image/png;base64,"), "{html}");
    let raw = server.rest.get(&format!("/messages/{id}/raw")).await;
    assert_eq!(raw.header("content-disposition"), format!("attachment; filename=\"{id}.eml\""));
    for (index, media_type, name) in [
        (0, "image/png", "filename=\"logo.png\""),
        (1, "application/octet-stream", "filename*=UTF-8''R%C3%A9sum%C3%A9%202026.pdf"),
        (2, "application/octet-stream", "filename=\"evil.exe\""),
        (3, "application/octet-stream", "filename=\"attachment-4.eml\""),
    ] {
        let attachment = server.rest.get(&format!("/messages/{id}/attachments/{index}")).await;
        assert_eq!(attachment.header("content-type"), media_type);
        assert_eq!(attachment.header("x-content-type-options"), "nosniff");
        assert!(attachment.header("content-security-policy").starts_with("sandbox"), "{attachment}");
        assert!(attachment.header("content-disposition").contains(name), "{:?}", attachment.headers);
    }
    server.rest.get(&format!("/messages/{id}/attachments/4")).await.problem(404, "attachment_not_found");
    server.rest.get(&format!("/messages/{id}/attachments/99999999999999999999")).await.points_at("/index");
    server.rest.get(&format!("/messages/{id}/raw?trace=maybe")).await.points_at("/trace");
    server.rest.get(&format!("/messages/{id}/raw?tarce=true")).await.points_at("/tarce");
}
