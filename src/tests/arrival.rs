//! From the wire to the reader: each `data/*.eml` and `data/mime/*.eml` is sent over SMTP, read over REST, and
//! compared with the JSON file of its name.
//!
//! With `PILLARBOX_TEST_UPDATE` set, the JSON files are written anew instead; read the difference before it is committed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::server::{Server, note};

fn samples() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/data");
    let files = [data.clone(), data.join("mime")].into_iter().flat_map(|dir| std::fs::read_dir(dir).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect();
    samples.sort();
    assert!(samples.len() > 40);
    samples
}

/// As a sender does: one more dot before each line that opens with one (RFC 5321 section 4.5.2).
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 16);
    for (at, &octet) in content.iter().enumerate() {
        let starts_line = at == 0 || content[..at].ends_with(b"\r\n");
        if octet == b'.' && starts_line {
            out.push(b'.');
        }
        out.push(octet);
    }
    out
}

fn hex(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}

/// What the golden files hold of a message.
fn seen(email: &Value) -> Value {
    let content = &email["content"];
    let attachment = |a: &Value| {
        json!({ "filename": a["filename"], "content_type": a["content_type"], "disposition": a["disposition"],
            "size_octets": a["size_octets"], "sha256": a["sha256"] })
    };
    // Long texts are named by their digest.
    let text = |text: &Value| match text.as_str() {
        Some(text) if text.len() > 400 => format!("{} octets, SHA-256 {}", text.len(), hex(text.as_bytes())).into(),
        _ => text.clone(),
    };
    let attachments: Vec<Value> = content["attachments"].as_array().unwrap().iter().map(attachment).collect();
    let shown = attachments.len().min(5);
    json!({
        "subject": text(&email["subject"]),
        "from_address": email["from_address"],
        "from_name": email["from_name"],
        "to": content["to"],
        "date": content["date"],
        "fields": content["headers"].as_array().unwrap().len(),
        "text": content["text"].as_array().unwrap().iter().map(text).collect::<Vec<_>>(),
        "html": content["html"].as_array().unwrap().iter().map(text).collect::<Vec<_>>(),
        "attachments": attachments[..shown],
        "attachment_count": email["attachment_count"],
        "code": email["code"],
        "link": email["link"],
        "defects": email["defects"],
    })
}

/// Reads a message through every route there is and compares what they say.
async fn read(server: &Server, address: &str, sent: &[u8]) -> Value {
    let listed = server.newest(address).await;
    let id = listed["id"].as_str().unwrap();
    let email = server.rest.get(&format!("/messages/{id}")).await.data();
    for (name, value) in listed.as_object().unwrap() {
        assert_eq!(&email[name], value, "{address}: {name} in the list and in full");
    }
    let raw = server.rest.get(&format!("/messages/{id}/raw")).await;
    assert_eq!(raw.header("content-type"), "message/rfc822");
    assert!(raw.octets() == sent, "{address}: the octets are not those that were sent");
    let traced = server.rest.get(&format!("/messages/{id}/raw?trace=true")).await.octets();
    let trace = email["trace"].as_str().unwrap();
    // A field that says it is ours was forged, and is left out where ours stand on top (RFC 8601 section 5).
    let forged = String::from_utf8_lossy(sent).contains("Authentication-Results: mx.example.org");
    assert!(forged || traced == [trace.as_bytes(), sent].concat(), "{address}: trace fields and octets");
    assert!(trace.starts_with("Return-Path: <sender@example.net>\r\nReceived: from peer.example.net ([127.0.0.1])"), "{trace}");
    assert!(trace.contains(&format!("for <{address}>")), "{trace}");
    assert_eq!(email["sha256"], hex(sent), "{address}");
    assert_eq!(email["size_octets"], sent.len(), "{address}");
    assert_eq!(email["envelope"]["reverse_path"], "sender@example.net");
    let page = server.rest.get(&format!("/messages/{id}/html")).await;
    let page = String::from_utf8(page.octets()).expect("a page in UTF-8").to_lowercase();
    for active in ["<script", "onerror=", "onload=", "javascript:", "<form", "<iframe", "@import", "tracker.example"] {
        assert!(!page.contains(active) || active == "onerror=" && !page.contains("<img"), "{address}: {active} in {page}");
    }
    for attachment in email["content"]["attachments"].as_array().unwrap().iter().take(5) {
        let path = format!("/messages/{id}/attachments/{}", attachment["index"]);
        let body = server.rest.get(&path).await;
        assert!(body.header("content-disposition").starts_with("attachment; "), "{address}: {path}");
        assert_eq!(attachment["sha256"], hex(&body.octets()), "{address}: {path}");
    }
    email
}

#[tokio::test]
async fn what_is_sent_is_what_is_read() {
    let server = Server::start().await;
    let mut different = Vec::new();
    for sample in samples() {
        let name = sample.file_stem().unwrap().to_string_lossy().into_owned();
        let address = format!("{name}@example.org");
        server.mailbox(&address).await;
        let mut sent = std::fs::read(&sample).unwrap();
        if !sent.is_empty() && !sent.ends_with(b"\r\n") {
            // On the wire a message ends with a line end.
            sent.extend(b"\r\n");
        }
        server.mail(&[&address], stuffed(&sent)).await;
        let seen = seen(&read(&server, &address, &sent).await);

        // One strange message hides no other.
        server.mail(&[&address], note("innocent", "Good day.")).await;
        let subjects = server.subjects(&address).await;
        assert_eq!((subjects.len(), subjects[0].as_str()), (2, "innocent"), "{name}");

        let golden = sample.with_extension("json");
        if std::env::var_os("PILLARBOX_TEST_UPDATE").is_some() {
            std::fs::write(&golden, format!("{}\n", serde_json::to_string_pretty(&seen).unwrap())).unwrap();
        }
        let expected: Value = serde_json::from_slice(&std::fs::read(&golden).unwrap_or_default()).unwrap_or_default();
        if seen != expected {
            different.push(format!("{name}: {}", serde_json::to_string_pretty(&seen).unwrap()));
        }
    }
    assert!(different.is_empty(), "not as in the golden files:\n{}", different.join("\n"));
}

#[tokio::test]
async fn a_large_message_arrives_whole_and_one_that_is_too_large_not_at_all() {
    let settings = pillarbox::config::RawConfig { smtp_max_message_bytes: Some(2_000_000.into()), ..Default::default() };
    let server = Server::start_with(settings).await;
    server.mailbox("large@example.org").await;
    let head = "From: large@service.example\r\nSubject: large\r\n\r\n";
    let line = format!("{}\r\n", "0123456789".repeat(7));
    let fits = format!("{head}{}", line.repeat((2_000_000 - head.len()) / line.len()));
    server.mail(&["large@example.org"], &fits).await;
    let id = server.newest("large@example.org").await["id"].as_str().unwrap().to_owned();
    assert!(server.rest.get(&format!("/messages/{id}/raw")).await.octets() == fits.as_bytes());

    let mut session = crate::harness::smtp_client::SmtpClient::hello(server.smtp).await;
    let reply = session.deliver(&["large@example.org"], format!("{fits}{line}").as_bytes()).await;
    assert!(reply.starts_with("552 5.3.4 "), "{reply}");
    // The session lives on.
    let reply = session.deliver(&["large@example.org"], note("small", "after it").as_bytes()).await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(server.subjects("large@example.org").await, ["small", "large"]);
}

#[tokio::test]
async fn one_message_to_many_is_stored_once_and_listed_for_each() {
    let server = Server::start().await;
    let addresses: Vec<String> = (0..100).map(|n| format!("reader-{n}@example.org")).collect();
    server.rest.post("/mailboxes/batch", json!({ "addresses": addresses })).await.data();
    let recipients: Vec<&str> = addresses.iter().map(String::as_str).collect();
    server.mail(&recipients, note("to all", "Good day.")).await;
    assert_eq!(server.rest.all("/messages", 200).await.len(), 100);
    let contents: i64 = sqlx::query_scalar("select count(*) from contents").fetch_one(&server.db).await.unwrap();
    assert_eq!(contents, 1);
    // None of them learns of another.
    let id = server.newest(&addresses[5]).await["id"].as_str().unwrap().to_owned();
    let email = server.rest.get(&format!("/messages/{id}")).await.data();
    assert!(!email["trace"].as_str().unwrap().contains("reader-"), "{email}");
}

#[tokio::test]
async fn two_addresses_of_one_mailbox_are_one_delivery() {
    let server = Server::start().await;
    server.mailbox("one@example.org").await;
    server.mail(&["one@example.org", "ONE+tag@Example.ORG", "one@example.org"], note("once", "Good day.")).await;
    assert_eq!(server.subjects("one@example.org").await, ["once"]);
}
