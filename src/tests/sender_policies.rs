//! Senders through the doors: verdicts in the API and in the trace, policies of domains and mailboxes, quarantine.

use std::time::{Duration, Instant};

use pillarbox::config::RawConfig;
use serde_json::{Value, json};

use crate::harness::dns::{DnsServer, Fault};
use crate::harness::server::Server;
use crate::harness::signer::{Signing, rsa_record, sign};
use crate::harness::smtp_client::SmtpClient;

/// A server that judges even mail from this machine.
async fn start(dns: &DnsServer, settings: RawConfig) -> Server {
    let settings = RawConfig { dns_servers: Some(dns.setting()), auth_trusted_networks: Some("none".into()), ..settings };
    let server = Box::pin(Server::start_with(settings)).await;
    server.mailbox("alice@example.org").await;
    server
}

/// Two authors: one signs, one is forged.
async fn dns() -> DnsServer {
    let dns = DnsServer::start(&[
        "_dmarc.good.example TXT v=DMARC1; p=reject",
        "_dmarc.forged.example TXT v=DMARC1; p=reject",
        "_dmarc.apart.example TXT v=DMARC1; p=quarantine",
        "_dmarc.watched.example TXT v=DMARC1; p=none",
    ])
    .await;
    dns.add(&[&format!("k._domainkey.good.example TXT {}", rsa_record())]);
    dns
}

fn mail(author: &str, code: &str) -> String {
    format!(
        "From: Sender <sender@{author}>\r\nTo: alice@example.org\r\nSubject: Sign in\r\n\r\nYour verification code is {code}.\r\n"
    )
}

fn signed(code: &str) -> String {
    sign(&mail("good.example", code), Signing::of("good.example", "k"))
}

async fn deliver(server: &Server, recipients: &[&str], content: &str) -> String {
    let mut session = SmtpClient::hello(server.smtp).await;
    let reply = session.deliver(recipients, content.as_bytes()).await;
    session.dialogue(&[("QUIT", "221 ")]).await;
    reply
}

async fn newest(server: &Server) -> Value {
    newest_of(server, "alice@example.org").await
}

async fn newest_of(server: &Server, address: &str) -> Value {
    let id = server.newest(address).await["id"].as_str().unwrap().to_owned();
    server.rest.get(&format!("/messages/{id}")).await.data()
}

async fn code(server: &Server) -> Value {
    code_of(server, "alice@example.org").await
}

async fn code_of(server: &Server, address: &str) -> Value {
    server.rest.get(&format!("/admin/verification-code?mailbox={address}")).await.data()
}

#[tokio::test]
async fn verdicts_are_seen_in_the_api_and_in_the_trace_but_not_in_the_octets() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    let forged = "Authentication-Results: mx.example.org; spf=pass; dkim=pass; dmarc=pass\r\n";
    let message = forged.to_owned() + &signed("482913");
    assert!(deliver(&server, &["alice@example.org"], &message).await.starts_with("250 "));
    let email = newest(&server).await;
    assert_eq!(email["sender_trust"], "pass");
    let auth = &email["auth"];
    assert_eq!((&auth["dmarc"]["result"], &auth["dmarc"]["policy"]), (&json!("pass"), &json!("reject")));
    assert_eq!((&auth["dkim"][0]["result"], &auth["dkim"][0]["domain"]), (&json!("pass"), &json!("good.example")));
    assert_eq!((&auth["from_domain"], &auth["forged_results"]), (&json!("good.example"), &json!(1)));
    let trace = email["trace"].as_str().unwrap();
    assert!(trace.starts_with("Return-Path: <sender@example.net>\r\nReceived: from "), "{trace}");
    assert!(trace.contains("\r\nAuthentication-Results: mx.example.org;\r\n\tspf=none"), "{trace}");
    assert!(trace.contains("dkim=pass") && trace.contains("header.d=good.example") && trace.ends_with("\r\n"), "{trace}");
    let id = email["id"].as_str().unwrap();
    let raw = server.rest.get(&format!("/messages/{id}/raw")).await.body;
    assert_eq!(raw, message.as_bytes(), "kept octet for octet");
    let whole = String::from_utf8(server.rest.get(&format!("/messages/{id}/raw?trace=true")).await.body).unwrap();
    assert_eq!(whole.matches("Authentication-Results: mx.example.org").count(), 1, "the forged one is not passed on: {whole}");
    assert!(whole.starts_with(trace) && whole.ends_with("482913.\r\n"));
}

#[tokio::test]
async fn a_domain_accepts_keeps_apart_or_refuses_what_is_disowned() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    let set = |policy: &'static str| server.rest.patch("/domains/example.org", json!({ "auth_policy": policy }));
    assert_eq!(server.rest.get("/domains").await.page().0[0]["auth_policy"], "accept");
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "111111")).await.starts_with("250 "));
    assert_eq!(server.newest("alice@example.org").await["sender_trust"], "fail");

    assert_eq!(set("quarantine").await.data()["auth_policy"], "quarantine");
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "222222")).await.starts_with("250 "));
    assert_eq!(server.subjects("alice@example.org").await.len(), 1, "kept apart");

    set("reject").await.data();
    let reply = deliver(&server, &["alice@example.org"], &mail("forged.example", "333333")).await;
    assert!(reply.starts_with("550 5.7.26 ") && reply.contains("forged.example"), "{reply}");
    for (author, expected) in [("apart.example", "250 "), ("watched.example", "250 "), ("silent.example", "250 ")] {
        assert!(deliver(&server, &["alice@example.org"], &mail(author, "444444")).await.starts_with(expected), "{author}");
    }
    assert!(deliver(&server, &["alice@example.org"], &signed("555555")).await.starts_with("250 "));
    let apart = server.rest.all("/mailboxes/alice@example.org/messages?is_quarantined=true", 200).await;
    assert_eq!(apart.len(), 2, "the one of the policy before, and the one whose domain asks for it: {apart:?}");
    assert_eq!(server.subjects("alice@example.org").await.len(), 4);
    let reply = server.rest.patch("/domains/example.org", json!({ "auth_policy": "burn" })).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn one_message_for_domains_that_differ_is_kept_apart_where_it_would_be_refused() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    server.rest.patch("/domains/example.org", json!({ "auth_policy": "reject" })).await.data();
    server.rest.post("/domains", json!({ "name": "example.com", "auth_policy": "accept" })).await.data();
    server.mailbox("bob@example.com").await;
    let reply = deliver(&server, &["alice@example.org", "bob@example.com"], &mail("forged.example", "111111")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(server.subjects("bob@example.com").await.len(), 1);
    assert!(server.subjects("alice@example.org").await.is_empty());
}

#[tokio::test]
async fn quarantine_gives_out_nothing_until_it_is_released() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    server.rest.patch("/domains/example.org", json!({ "auth_policy": "quarantine" })).await.data();
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "222222")).await.starts_with("250 "));
    assert_eq!(code(&server).await["code"], Value::Null);
    let asked = server.rest.get("/admin/verification-code?mailbox=alice@example.org&quarantined=true").await.data();
    assert_eq!((&asked["code"], &asked["sender_trust"]), (&json!("222222"), &json!("fail")));
    assert!(server.rest.all("/messages", 200).await.is_empty());
    let figures = server.look("alice@example.org").await;
    assert_eq!((&figures["message_count"], &figures["unread_count"]), (&json!(0), &json!(0)));

    let apart = server.rest.all("/messages?is_quarantined=true", 200).await;
    let id = apart[0]["id"].as_str().unwrap();
    assert_eq!(apart[0]["is_quarantined"], true);
    assert_eq!(server.caller(&["mail:read"]).await.post(&format!("/messages/{id}/release"), json!({})).await.status, 403);
    let released = server.rest.post(&format!("/messages/{id}/release"), json!({})).await.data();
    assert_eq!(released["is_quarantined"], false);
    assert_eq!(server.rest.post(&format!("/messages/{id}/release"), json!({})).await.status, 409);
    assert_eq!(code(&server).await["code"], "222222");
    let figures = server.look("alice@example.org").await;
    assert_eq!((&figures["message_count"], &figures["unread_count"]), (&json!(1), &json!(1)));
    server.rest.delete(&format!("/messages/{id}")).await.data();
    assert_eq!(server.look("alice@example.org").await["message_count"], 0);
}

#[tokio::test]
async fn a_mailbox_withholds_what_its_policy_does_not_give_out() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    let mails =
        [("pass", signed("111111")), ("fail", mail("forged.example", "222222")), ("none", mail("silent.example", "333333"))];
    for (policy, given) in [("any", &["pass", "fail", "none"][..]), ("not_failed", &["pass", "none"]), ("aligned", &["pass"])] {
        for (trust, message) in &mails {
            let address = format!("{policy}-{trust}@example.org");
            server.mailbox(&address).await;
            let changed = server.rest.patch(&format!("/mailboxes/{address}"), json!({ "sender_policy": policy })).await.data();
            assert_eq!(changed["sender_policy"], policy);
            assert!(deliver(&server, &[&address], message).await.starts_with("250 "));
            let (email, answer) = (newest_of(&server, &address).await, code_of(&server, &address).await);
            assert_eq!((&email["sender_trust"], &answer["sender_trust"]), (&json!(trust), &json!(trust)));
            let is_given = given.contains(trust);
            assert_eq!(email["withheld"], !is_given, "{policy} {trust}");
            for place in [&email["code"], &email["extraction"], &answer["code"], &answer["email"]] {
                assert_eq!(place.is_null(), !is_given, "{policy} {trust}: {place}");
            }
            assert_eq!(answer["withheld"].as_bool().unwrap_or(false), !is_given);
            let searched = searched(&server, &address).await;
            assert_eq!((&searched["withheld"], &searched["code"]), (&json!(!is_given), &answer["code"]), "{policy} {trust}");
            assert_eq!((&searched["message"], &searched["email"]["id"]), (&answer["message"], &email["id"]), "{policy} {trust}");
            if !is_given {
                let reason = answer["message"].as_str().unwrap();
                assert_eq!(email["withheld_reason"], reason);
                assert!(reason.starts_with("The mailbox ") && reason.ends_with('.'), "{reason}");
            }
        }
    }
    server.rest.patch("/mailboxes/aligned-none@example.org", json!({ "sender_policy": "any" })).await.data();
    assert_eq!(code_of(&server, "aligned-none@example.org").await["code"], "333333", "nothing was lost");
}

#[tokio::test]
async fn a_forged_code_that_comes_later_hides_no_proven_one() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    server.rest.patch("/mailboxes/alice@example.org", json!({ "sender_policy": "aligned" })).await.data();
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "222222")).await.starts_with("250 "));
    // Who waits is not put off with what is withheld.
    let (waited, ()) = tokio::join!(server.rest.get("/admin/verification-code?mailbox=alice@example.org&wait=30"), async {
        assert!(deliver(&server, &["alice@example.org"], &signed("111111")).await.starts_with("250 "));
    });
    assert_eq!(waited.data()["code"], "111111");
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "333333")).await.starts_with("250 "));
    assert_eq!(code(&server).await["code"], "111111");
    let searched = searched(&server, "alice@example.org").await;
    assert_eq!((&searched["code"], &searched["withheld"]), (&json!("111111"), &json!(false)));
}

/// What the search for codes says of a mailbox.
async fn searched(server: &Server, address: &str) -> Value {
    server.rest.post("/verification-codes/search", json!({ "mailboxes": [address] })).await.data()["results"][0].take()
}

#[tokio::test]
async fn a_search_finds_messages_by_what_was_found_out_about_their_senders() {
    let dns = dns().await;
    let server = start(&dns, RawConfig::default()).await;
    for (message, subject) in [(signed("111111"), "pass"), (mail("forged.example", "222222"), "fail")] {
        assert!(deliver(&server, &["alice@example.org"], &message).await.starts_with("250 "), "{subject}");
    }
    let ask = async |q: &str| -> Vec<Value> {
        let rows = server.rest.all(&format!("/messages?q={q}"), 10).await;
        rows.iter().map(|row| row["sender_trust"].clone()).collect()
    };
    while ask("after:1d").await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (q, found) in [
        ("dmarc:pass", &["pass"][..]),
        ("dmarc:fail", &["fail"]),
        ("-dmarc:fail", &["pass"]),
        ("dkim:pass", &["pass"]),
        ("dkim:none", &["fail"]),
        ("dkim:pass+dmarc:fail", &[]),
        ("dmarc:temperror", &[]),
    ] {
        assert_eq!(ask(q).await, found, "{q}");
    }
    let (alice, spf) = (newest(&server).await, ask("spf:pass").await.len() + ask("-spf:pass").await.len());
    assert!(alice["auth"]["spf"]["result"].is_string() && spf == 2, "{alice}");
    server.rest.get("/messages?q=spf:good").await.problem(400, "invalid_input");
}

#[tokio::test]
async fn dead_dns_keeps_no_mail_out() {
    let dns = dns().await;
    let server = start(&dns, RawConfig { dnsbl_zones: Some("list.example:reject".into()), ..RawConfig::default() }).await;
    server.rest.patch("/domains/example.org", json!({ "auth_policy": "reject" })).await.data();
    dns.break_down(".", Fault::Silent);
    let sent = Instant::now();
    let reply = deliver(&server, &["alice@example.org"], &mail("forged.example", "111111")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
    let email = newest(&server).await;
    assert_eq!((&email["sender_trust"], &email["auth"]["dmarc"]["result"]), (&json!("temperror"), &json!("temperror")));
}

#[tokio::test]
async fn a_list_refuses_where_the_operator_wants_it() {
    let dns = dns().await;
    dns.add(&["1.0.0.127.list.example A 127.0.0.2"]);
    for (zones, expected) in [("list.example:reject", "554 5.7.1 "), ("list.example", "250 ")] {
        let server = start(&dns, RawConfig { dnsbl_zones: Some(zones.into()), ..RawConfig::default() }).await;
        let reply = deliver(&server, &["alice@example.org"], &mail("silent.example", "111111")).await;
        assert!(reply.starts_with(expected), "{zones}: {reply}");
    }
}

#[tokio::test]
async fn what_is_switched_off_asks_nobody() {
    let dns = dns().await;
    let server = start(&dns, RawConfig { auth_checks: Some("off".into()), ..RawConfig::default() }).await;
    assert!(deliver(&server, &["alice@example.org"], &mail("forged.example", "111111")).await.starts_with("250 "));
    let email = newest(&server).await;
    assert_eq!((&email["auth"]["checked"], &email["sender_trust"]), (&json!(false), &json!("none")));
    // The records of the domain itself are looked at in the background all the same.
    let about_senders: Vec<String> = dns.questions().into_iter().filter(|asked| !asked.contains("example.org")).collect();
    assert!(about_senders.is_empty(), "{about_senders:?}");
}
