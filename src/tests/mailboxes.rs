//! Mailboxes: made one by one and in batches, changed, put into the trash, restored, removed.

use std::collections::BTreeSet;

use pillarbox::config::RawConfig;
use serde_json::{Value, json};

use crate::harness::server::{Server, note};

fn addresses(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["address"].as_str().unwrap()).collect()
}

/// Messages and unread ones, as the mailbox counts them.
fn counts(mailbox: &Value) -> (i64, i64) {
    (mailbox["message_count"].as_i64().unwrap(), mailbox["unread_count"].as_i64().unwrap())
}

async fn rows(server: &Server, table: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(query).fetch_one(&server.db).await.unwrap()
}

#[tokio::test]
async fn one_is_made_under_its_address_and_shown_with_its_password_once() {
    let server = Server::start().await;
    let body = json!({ "address": "Alice.Smith@Example.ORG", "note": " for tests ", "expiresAt": 4_000_000_000_i64 });
    let made = server.rest.post("/mailboxes", body).await.data();
    let mailbox = &made["mailbox"];
    assert_eq!(mailbox["address"], "alice.smith@example.org");
    assert_eq!(mailbox["note"], "for tests");
    assert_eq!(mailbox["lifecycle"], "active");
    assert_eq!(mailbox["expires_at"], 4_000_000_000_i64);
    assert_eq!(mailbox["created_by"], "test");
    assert_eq!(counts(mailbox), (0, 0));
    let password = made["password"].as_str().unwrap();
    assert_eq!(password.len(), 12);
    let got = server.rest.get("/mailboxes/ALICE.smith@example.org").await;
    assert_eq!(&got.data(), mailbox);
    assert!(!got.text().contains(password));
    // Neither readable nor as a plain digest.
    let row: String = sqlx::query_scalar("select m::text from mailboxes m").fetch_one(&server.db).await.unwrap();
    assert!(!row.contains(password), "{row}");
    server.rest.post("/mailboxes", json!({ "address": "alice.smith@example.org" })).await.problem(409, "mailbox_exists");
    server.rest.post("/mailboxes", json!({ "address": "a@other.example" })).await.problem(404, "domain_not_found");
}

#[tokio::test]
async fn what_is_no_address_or_too_long_a_note_is_pointed_at() {
    let server = Server::start().await;
    let long = format!("{}@example.org", "a".repeat(65));
    for address in
        ["", "alice", "@example.org", "a b@example.org", "a@", "a..b@example.org", ".a@example.org", &long, "a\r\n@example.org"]
    {
        server.rest.post("/mailboxes", json!({ "address": address })).await.points_at("/address");
    }
    server.rest.post("/mailboxes", json!({ "address": "a@example.org", "note": "x".repeat(201) })).await.points_at("/note");
    server.rest.post("/mailboxes", json!({ "address": "a@example.org", "expires_at": -1 })).await.points_at("/expires_at");
    server.rest.post("/mailboxes", json!({ "address": "a@example.org", "expires_at": "soon" })).await.points_at("/expires_at");
    assert!(server.rest.all("/mailboxes", 50).await.is_empty());
}

#[tokio::test]
async fn without_an_address_a_readable_one_is_drawn_on_the_default_domain() {
    let server = Server::empty(RawConfig::default()).await;
    server.rest.post("/mailboxes", json!({})).await.problem(409, "no_domain");
    server.rest.post("/domains", json!({ "name": "drawn.example" })).await.data();
    let made = server.rest.post("/mailboxes", json!({})).await.data();
    let address = made["mailbox"]["address"].as_str().unwrap();
    assert!(address.ends_with("@drawn.example") && address.split('-').count() == 3, "{address}");
    server.mail(&[address], note("drawn", "Good day.")).await;
}

#[tokio::test]
async fn a_batch_tells_of_each_address_what_became_of_it() {
    let server = Server::start().await;
    server.mailbox("there@example.org").await;
    let wanted = ["new@example.org", "there@example.org", "New@example.org", "no address", "a@other.example", "b@example.org"];
    let items = server.rest.post("/mailboxes/batch", json!({ "addresses": wanted })).await.data();
    let items = items.as_array().unwrap();
    let told: Vec<_> = items.iter().map(|item| (item["created"] == true, item["code"].as_str().unwrap_or_default())).collect();
    let expected = [
        (true, ""),
        (false, "mailbox_exists"),
        (false, "mailbox_exists"),
        (false, "invalid_input"),
        (false, "domain_not_found"),
        (true, ""),
    ];
    assert_eq!(told, expected);
    for item in items {
        assert_eq!(item["created"] == true, item["password"].is_string(), "{item}");
        assert_eq!(item["created"] == true, item["error"].is_null(), "{item}");
    }
    assert_eq!(server.rest.all("/mailboxes", 50).await.len(), 3);
}

#[tokio::test]
async fn a_batch_draws_as_many_as_asked_for() {
    let server = Server::start().await;
    server.rest.post("/domains", json!({ "name": "second.example" })).await.data();
    let items = server.rest.post("/mailboxes/batch", json!({ "count": 300, "domain": "second.example" })).await.data();
    let drawn: BTreeSet<&str> = items.as_array().unwrap().iter().map(|item| item["address"].as_str().unwrap()).collect();
    assert_eq!(drawn.len(), 300);
    assert!(drawn.iter().all(|address| address.ends_with("@second.example")));
    for (body, pointer) in [
        (json!({}), "/addresses"),
        (json!({ "addresses": [] }), "/addresses"),
        (json!({ "count": 1, "addresses": ["a@example.org"] }), "/count"),
        (json!({ "count": 0 }), "/count"),
        (json!({ "count": 1001 }), "/count"),
        (json!({ "addresses": vec!["a@example.org"; 1001] }), "/addresses"),
    ] {
        server.rest.post("/mailboxes/batch", body).await.points_at(pointer);
    }
}

#[tokio::test]
async fn a_list_is_paged_without_skips_or_repeats_while_mailboxes_are_made() {
    let server = Server::start().await;
    for n in 0..11 {
        server.mailbox(&format!("m{n}@example.org")).await;
    }
    let expected: Vec<String> = (0..11).rev().map(|n| format!("m{n}@example.org")).collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for page in 0.. {
        let answer = server.rest.get(&format!("/mailboxes?limit=3{cursor}")).await;
        let (rows, next) = answer.page();
        seen.extend(addresses(&rows).iter().map(|address| (*address).to_owned()));
        server.mailbox(&format!("late{page}@example.org")).await;
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    let (rows, _) = server.rest.get("/mailboxes?limit=2&offset=13").await.page();
    assert_eq!(addresses(&rows), ["m1@example.org", "m0@example.org"]);
    server.rest.get("/mailboxes?cursor=nonsense").await.points_at("/cursor");
}

#[tokio::test]
async fn a_list_is_narrowed_by_domain_state_and_text() {
    let server = Server::start().await;
    server.rest.post("/domains", json!({ "name": "second.example" })).await.data();
    for address in ["anna@example.org", "bert@example.org", "anna@second.example"] {
        server.mailbox(address).await;
    }
    server.rest.patch("/mailboxes/bert@example.org", json!({ "note": "Likes ANNA_%" })).await.data();
    server.rest.patch("/mailboxes/anna@second.example", json!({ "isActive": false })).await.data();
    for (query, expected) in [
        ("domain=second.example", vec!["anna@second.example"]),
        ("lifecycle=disabled", vec!["anna@second.example"]),
        ("lifecycle=active", vec!["bert@example.org", "anna@example.org"]),
        ("q=anna", vec!["anna@second.example", "bert@example.org", "anna@example.org"]),
        ("q=Anna_%25", vec!["bert@example.org"]),
        ("q=anna&domain=example.org", vec!["bert@example.org", "anna@example.org"]),
        ("q=zzz", vec![]),
        ("lifecycle=expired", vec![]),
    ] {
        let rows = server.rest.all(&format!("/mailboxes?{query}"), 50).await;
        assert_eq!(addresses(&rows), expected, "{query}");
    }
    server.rest.get("/mailboxes?lifecycle=asleep").await.points_at("/lifecycle");
}

#[tokio::test]
async fn a_mailbox_that_is_disabled_or_expired_refuses_mail_at_once() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    let change = async |body: Value| server.rest.patch("/mailboxes/alice@example.org", body).await.data();
    for (body, lifecycle, reply) in [
        (json!({ "note": "kept" }), "active", "250 2.1.5 "),
        (json!({ "is_active": false }), "disabled", "550 5.2.1 "),
        (json!({ "is_active": true }), "active", "250 2.1.5 "),
        (json!({ "expires_at": 1_000_000_000 }), "expired", "550 5.2.1 "),
        (json!({ "expires_at": 4_000_000_000_i64 }), "active", "250 2.1.5 "),
        (json!({ "expires_at": 1_000_000_000 }), "expired", "550 5.2.1 "),
        (json!({ "expires_at": null }), "active", "250 2.1.5 "),
    ] {
        let shown = body.to_string();
        let mailbox = change(body).await;
        assert_eq!(mailbox["lifecycle"], lifecycle, "{shown}");
        assert_eq!(mailbox["note"], "kept");
        for address in ["alice@example.org", "alice+tag@example.org"] {
            let heard = server.rcpt(address).await;
            assert!(heard.starts_with(reply), "{shown}: {address} heard {heard}");
        }
    }
    server.rest.patch("/mailboxes/nobody@example.org", json!({ "note": "" })).await.problem(404, "mailbox_not_found");
}

#[tokio::test]
async fn a_mailbox_in_the_trash_refuses_mail_and_hides_it_until_it_is_restored() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server.mail(&["alice@example.org"], note("kept", "Your verification code is 482913.")).await;
    let id = server.newest("alice@example.org").await["id"].as_str().unwrap().to_owned();

    let trashed = server.rest.delete("/mailboxes/alice@example.org").await.data();
    assert_eq!((&trashed["lifecycle"], &trashed["trashed_by"]), (&json!("trashed"), &json!("test")));
    assert!(trashed["trashed_at"].is_i64());
    assert!(server.rcpt("alice@example.org").await.starts_with("550 5.2.1 "));
    assert!(server.rest.all("/mailboxes", 50).await.is_empty());
    assert_eq!(addresses(&server.rest.all("/mailboxes/deleted", 50).await), ["alice@example.org"]);
    assert_eq!(server.look("alice@example.org").await["lifecycle"], "trashed");
    server.rest.get("/mailboxes/alice@example.org/messages").await.problem(404, "mailbox_not_found");
    for path in ["", "/raw", "/html"] {
        server.rest.get(&format!("/messages/{id}{path}")).await.problem(404, "message_not_found");
    }
    server.rest.patch(&format!("/messages/{id}"), json!({ "is_read": true })).await.problem(404, "message_not_found");
    server.rest.delete(&format!("/messages/{id}")).await.problem(404, "message_not_found");
    assert!(server.rest.all("/messages", 50).await.is_empty());
    server.rest.delete("/mailboxes/alice@example.org").await.problem(409, "mailbox_trashed");
    server.rest.patch("/mailboxes/alice@example.org", json!({ "is_active": true })).await.problem(409, "mailbox_not_usable");
    server.rest.post("/mailboxes", json!({ "address": "alice@example.org" })).await.problem(409, "mailbox_exists");

    let restored = server.rest.post("/mailboxes/alice@example.org/restore", json!({})).await.data();
    assert_eq!((&restored["lifecycle"], &restored["trashed_at"]), (&json!("active"), &json!(null)));
    assert_eq!(counts(&restored), (1, 1));
    assert_eq!(server.subjects("alice@example.org").await, ["kept"]);
    server.mail(&["alice@example.org"], note("again", "Good day.")).await;
    server.rest.post("/mailboxes/alice@example.org/restore", json!({})).await.problem(409, "mailbox_not_trashed");
    server.rest.post("/mailboxes/nobody@example.org/restore", json!({})).await.problem(404, "mailbox_not_found");
}

#[tokio::test]
async fn a_mailbox_that_is_purged_leaves_nothing_but_what_others_share() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server.mailbox("bert@example.org").await;
    server.mail(&["alice@example.org", "bert@example.org"], note("shared", "Good day.")).await;
    for n in 0..5 {
        server.mail(&["alice@example.org"], note(&format!("own {n}"), "Good day.")).await;
    }
    assert_eq!(rows(&server, "contents").await, 6);
    server.rest.delete("/mailboxes/alice@example.org?permanent=maybe").await.points_at("/permanent");
    let gone = server.rest.delete("/mailboxes/alice@example.org?permanent=true").await.data();
    assert_eq!((&gone["address"], &gone["deleted_messages"]), (&json!("alice@example.org"), &json!(6)));
    assert_eq!((rows(&server, "contents").await, rows(&server, "messages").await), (1, 1));
    assert_eq!(server.subjects("bert@example.org").await, ["shared"]);
    assert!(server.rcpt("alice@example.org").await.starts_with("550 5.1.1 "));
    server.rest.get("/mailboxes/alice@example.org").await.problem(404, "mailbox_not_found");
    server.rest.delete("/mailboxes/alice@example.org?permanent=true").await.problem(404, "mailbox_not_found");

    let again = server.mailbox("alice@example.org").await;
    assert_eq!(counts(&again), (0, 0));
    server.rest.delete("/mailboxes/alice@example.org").await.data();
    // From the trash too.
    server.rest.delete("/mailboxes/alice@example.org?permanent=true").await.data();
    assert!(server.rest.all("/mailboxes/deleted", 50).await.is_empty());
}

#[tokio::test]
async fn mail_that_was_collected_belongs_to_whoever_makes_the_mailbox() {
    let server = Server::start().await;
    server.rest.patch("/domains/example.org", json!({ "unknown": "collect" })).await.data();
    server.mail(&["Later@example.org"], note("early", "Your verification code is 482913.")).await;
    server.mail(&["later@example.org", "later+tag@example.org"], note("second", "Good day.")).await;
    assert!(server.rest.all("/mailboxes", 50).await.is_empty());
    let collected = server.rest.all("/mailboxes?lifecycle=collected", 50).await;
    assert!(addresses(&collected).contains(&"later@example.org"), "{collected:?}");

    let adopted = server.mailbox("later@example.org").await;
    assert_eq!(adopted["lifecycle"], "active");
    assert_eq!(counts(&adopted), (2, 2));
    assert_eq!(server.subjects("later@example.org").await, ["second", "early"]);
    let code = server.rest.get("/admin/verification-code?mailbox=later@example.org").await.data();
    assert_eq!(code["code"], "482913");
    server.rest.post("/mailboxes", json!({ "address": "later@example.org" })).await.problem(409, "mailbox_exists");
}

#[tokio::test]
async fn a_sub_address_lands_in_its_mailbox_unless_it_has_one_of_its_own() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server.mail(&["Alice+Shop@example.org"], note("tagged", "Good day.")).await;
    let message = server.newest("alice@example.org").await;
    assert_eq!((&message["mailbox"], &message["recipient"]), (&json!("alice@example.org"), &json!("alice+shop@example.org")));
    server.mailbox("alice+shop@example.org").await;
    server.mail(&["alice+shop@example.org"], note("own", "Good day.")).await;
    assert_eq!(server.subjects("alice+shop@example.org").await, ["own"]);
    assert_eq!(server.subjects("alice@example.org").await, ["tagged"]);
    assert!(server.rcpt("bert+shop@example.org").await.starts_with("550 5.1.1 "));
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    server.rest.patch("/mailboxes/alice@example.org", json!({ "note": "x" })).await.data();
    server.rest.delete("/mailboxes/alice@example.org").await.data();
    server.rest.post("/mailboxes/alice@example.org/restore", json!({})).await.data();
    let purge = server.rest.delete("/mailboxes/alice@example.org?permanent=true").await;
    let log = server.rest.all("/audit-log?action=mailbox.", 2).await;
    let actions: Vec<&str> = log.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["mailbox.purge", "mailbox.restore", "mailbox.trash", "mailbox.update", "mailbox.create"]);
    assert!(log.iter().all(|row| row["target"] == "alice@example.org" && row["outcome"] == "done"));
    let last = &log[0];
    assert_eq!((&last["actor_kind"], &last["actor_name"], &last["surface"]), (&json!("api_key"), &json!("test"), &json!("rest")));
    assert_eq!(last["request_id"], purge.header("x-request-id"));
    assert_eq!(last["remote_address"], "127.0.0.1");
}
