//! Domains: what is received for them, and how they are kept.

use pillarbox::config::RawConfig;
use serde_json::json;

use crate::harness::server::{Server, note};

async fn default_domain(server: &Server) -> Vec<String> {
    let rows = server.rest.all("/domains", 50).await;
    rows.iter().filter(|row| row["is_default"] == true).map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_first_is_the_default_until_another_is_made_it() {
    let server = Server::empty(RawConfig::default()).await;
    for name in ["one.example", "two.example", "three.example"] {
        server.rest.post("/domains", json!({ "name": name })).await.data();
    }
    assert_eq!(default_domain(&server).await, ["one.example"]);
    server.rest.post("/domains", json!({ "name": "four.example", "isDefault": true })).await.data();
    assert_eq!(default_domain(&server).await, ["four.example"]);
    server.rest.patch("/domains/two.example", json!({ "is_default": true })).await.data();
    assert_eq!(default_domain(&server).await, ["two.example"]);
    server.rest.patch("/domains/two.example", json!({ "is_default": false })).await.points_at("/is_default");
    server.rest.patch("/domains/one.example", json!({ "is_default": false })).await.data();
    assert_eq!(default_domain(&server).await, ["two.example"]);
}

#[tokio::test]
async fn a_name_is_taken_in_every_form_and_kept_in_one() {
    let server = Server::empty(RawConfig::default()).await;
    let made = server.rest.post("/domains", json!({ "name": "MÜLLER.Example." })).await.data();
    assert_eq!(made["name"], "xn--mller-kva.example");
    server.rest.post("/domains", json!({ "name": "müller.example" })).await.problem(409, "domain_exists");
    server.rest.post("/domains", json!({ "name": "XN--MLLER-KVA.example" })).await.problem(409, "domain_exists");
    let mailbox = server.mailbox("Post@müller.example").await;
    assert_eq!(mailbox["address"], "post@xn--mller-kva.example");
    assert!(server.rcpt("post@XN--MLLER-KVA.EXAMPLE").await.starts_with("250 2.1.5 "));
    let listed = server.rest.get("/mailboxes?domain=M%C3%BCller.example").await.page().0;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_text_that_is_no_name_is_refused() {
    let server = Server::empty(RawConfig::default()).await;
    let long = format!("{}.example", "a".repeat(64));
    for name in
        ["", " ", "a b.example", "-a.example", "a..example", ".example", "a@b.example", "[192.0.2.1]", &long, "a\u{0}.example"]
    {
        server.rest.post("/domains", json!({ "name": name })).await.points_at("/name");
    }
    server.rest.post("/domains", json!({})).await.problem(400, "invalid_input");
    assert!(server.rest.all("/domains", 50).await.is_empty());
}

#[tokio::test]
async fn mail_for_others_is_refused() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    for (address, reply) in [
        ("alice@example.org", "250 2.1.5 "),
        ("ALICE@EXAMPLE.ORG", "250 2.1.5 "),
        ("\"alice\"@example.org", "250 2.1.5 "),
        ("nobody@example.org", "550 5.1.1 "),
        ("alice@sub.example.org", "550 5.7.1 "),
        ("alice@example.net", "550 5.7.1 "),
        ("alice@xexample.org", "550 5.7.1 "),
        ("alice%example.net@example.org", "550 5.1.1 "),
    ] {
        let heard = server.rcpt(address).await;
        assert!(heard.starts_with(reply), "{address}: {heard}");
    }
}

#[tokio::test]
async fn postmaster_is_accepted_on_every_domain() {
    let server = Server::start().await;
    server.rest.post("/domains", json!({ "name": "second.example" })).await.data();
    for address in ["postmaster@example.org", "PostMaster@second.example", "postmaster"] {
        server.mail(&[address], note(address, "Is anybody there?")).await;
    }
    // Nobody made the mailboxes; whoever does has the mail.
    for (address, expected) in [("postmaster@example.org", 2), ("postmaster@second.example", 1)] {
        server.mailbox(address).await;
        assert_eq!(server.subjects(address).await.len(), expected, "{address}");
    }
}

#[tokio::test]
async fn unknown_addresses_follow_the_rule_of_their_domain() {
    let server = Server::start().await;
    server.mailbox("all@example.org").await;
    assert!(server.rcpt("anyone@example.org").await.starts_with("550 5.1.1 "));
    server.rest.patch("/domains/example.org", json!({ "unknown": "nobody@example.org" })).await.points_at("/unknown");
    server.rest.patch("/domains/example.org", json!({ "unknown": "often" })).await.points_at("/unknown");

    let domain = server.rest.patch("/domains/example.org", json!({ "unknown": "all@example.org" })).await.data();
    assert_eq!(domain["unknown"], "all@example.org");
    server.mail(&["anyone@example.org"], note("caught", "Good day.")).await;
    let message = server.newest("all@example.org").await;
    assert_eq!((&message["mailbox"], &message["recipient"]), (&json!("all@example.org"), &json!("anyone@example.org")));
    server.rest.get("/mailboxes/anyone@example.org").await.problem(404, "mailbox_not_found");

    // A catch-all that takes no mail catches none.
    server.rest.patch("/mailboxes/all@example.org", json!({ "is_active": false })).await.data();
    assert!(server.rcpt("anyone@example.org").await.starts_with("550 5.1.1 "));
    server.rest.patch("/mailboxes/all@example.org", json!({ "is_active": true })).await.data();

    // With the mailbox goes the rule.
    server.rest.delete("/mailboxes/all@example.org?permanent=true").await.data();
    assert!(server.rcpt("anyone@example.org").await.starts_with("550 5.1.1 "));
    assert_eq!(server.rest.all("/domains", 50).await[0]["unknown"], "reject");
}

#[tokio::test]
async fn a_domain_goes_when_nothing_is_left_in_it() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    assert!(server.rcpt("alice@example.org").await.starts_with("250 "));
    server.rest.delete("/domains/example.org").await.problem(409, "domain_in_use");
    server.rest.delete("/mailboxes/alice@example.org").await.data();
    server.rest.delete("/domains/example.org").await.problem(409, "domain_in_use");
    server.rest.delete("/mailboxes/alice@example.org?permanent=true").await.data();
    server.rest.delete("/domains/Example.ORG").await.data();
    server.rest.delete("/domains/example.org").await.problem(404, "domain_not_found");
    assert!(server.rcpt("alice@example.org").await.starts_with("550 5.7.1 "));
    server.rest.post("/mailboxes", json!({ "address": "alice@example.org" })).await.problem(404, "domain_not_found");
}
