//! Users, what they own and share, the ways into a mailbox, and that none of them outlives its end.

use pillarbox::crypto::Password;
use pillarbox::operations::portal::{self, SignedIn};
use pillarbox::operations::sign_in::Browser;
use pillarbox::types::Reach;
use serde_json::{Value, json};

use crate::harness::server::{Server, note};

pub(crate) fn browser() -> Browser {
    Browser { remote: Some([192, 0, 2, 7].into()), user_agent: "test".to_owned(), request_id: "test".to_owned() }
}

/// A user's id and token.
pub(crate) async fn user(server: &Server, name: &str) -> (String, String) {
    let made = server.rest.post("/users", json!({ "name": name })).await.data();
    (made["user"]["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

async fn is_good(server: &Server, session: &SignedIn) -> bool {
    portal::caller_of(server.services(), &session.token).await.unwrap().is_some()
}

fn seen(session: &SignedIn) -> Vec<String> {
    match session.caller.reach() {
        Reach::All => panic!("a user sees everything"),
        Reach::Only { mailboxes, .. } => {
            let mut seen: Vec<String> = mailboxes.iter().map(ToString::to_string).collect();
            seen.sort();
            seen
        }
    }
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_digest_and_can_be_replaced() {
    let server = Server::start().await;
    let (id, token) = user(&server, "Anna").await;
    assert!(token.starts_with("xmail_user_") && token.len() > 40, "{token}");
    let listed = server.rest.get("/users?q=ann").await;
    assert!(!listed.text().contains(&token));
    assert_eq!(listed.page().0[0]["name"], "Anna");
    let stored: Vec<u8> =
        sqlx::query_scalar("select token_digest from principals where kind = 'user'").fetch_one(&server.db).await.unwrap();
    assert_eq!(stored, pillarbox::crypto::digest(&token));
    assert_eq!(server.rest.get(&format!("/users/-?token={token}")).await.data()["id"], id);

    let session = portal::sign_in_user(server.services(), &browser(), &token).await.unwrap();
    let other = server.rest.post(&format!("/users/{id}/token"), json!({})).await.data()["token"].as_str().unwrap().to_owned();
    assert_ne!(other, token);
    assert!(!is_good(&server, &session).await, "the old token's session goes on");
    assert!(portal::sign_in_user(server.services(), &browser(), &token).await.is_err());
    portal::sign_in_user(server.services(), &browser(), &other).await.unwrap();
    let log = server.rest.all("/audit-log?action=portal.sign_in", 10).await;
    let outcomes: Vec<&Value> = log.iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["done", "denied", "done"]);
    assert_eq!(log[0]["actor_kind"], "user");
    sqlx::query("update principals set token_expires_at = now() where kind = 'user'").execute(&server.db).await.unwrap();
    assert!(portal::sign_in_user(server.services(), &browser(), &other).await.is_err(), "an expired token");
}

#[tokio::test]
async fn a_user_who_is_disabled_or_removed_is_signed_out_at_once() {
    let server = Server::start().await;
    let (id, token) = user(&server, "Anna").await;
    server.mailbox("mine@example.org").await;
    server.rest.request("PUT", "/mailboxes/mine@example.org/owner", Some(json!({ "user_id": id }))).await.data();
    let session = portal::sign_in_user(server.services(), &browser(), &token).await.unwrap();
    assert!(is_good(&server, &session).await);
    server.rest.patch(&format!("/users/{id}"), json!({ "isActive": false })).await.data();
    assert!(!is_good(&server, &session).await);
    assert!(portal::sign_in_user(server.services(), &browser(), &token).await.is_err());
    server.rest.patch(&format!("/users/{id}"), json!({ "is_active": true })).await.data();
    assert!(!is_good(&server, &session).await, "a session came back");
    let session = portal::sign_in_user(server.services(), &browser(), &token).await.unwrap();
    server.rest.delete(&format!("/users/{id}")).await.data();
    assert!(!is_good(&server, &session).await);
    assert_eq!(server.look("mine@example.org").await["user_id"], json!(null));
    server.rest.get(&format!("/users/{id}")).await.problem(404, "user_not_found");
}

#[tokio::test]
async fn a_token_in_place_of_a_key_reaches_the_users_own_and_no_more() {
    let server = Server::start().await;
    let (id, token) = user(&server, "Anna").await;
    for address in ["mine@example.org", "theirs@example.org"] {
        server.mailbox(address).await;
        server.mail(&[address], note("Login", "Your verification code is 482913.")).await;
    }
    server.rest.request("PUT", "/mailboxes/mine@example.org/owner", Some(json!({ "user_id": id }))).await.data();
    let anna = server.rest.with_key(&token);
    let stranger = server.stranger();
    let plain = stranger.header("X-API-Key", &token);
    for caller in [&anna, &plain] {
        let seen = caller.all("/mailboxes", 10).await;
        assert_eq!((seen.len(), &seen[0]["address"]), (1, &json!("mine@example.org")));
        assert_eq!(caller.all("/messages", 10).await.len(), 1);
        let code = caller.get("/admin/verification-code?mailbox=mine@example.org").await;
        assert_eq!(code.data()["code"], "482913");
        assert!(code.header("ratelimit-policy").contains("q=600"), "a program has a pace: {code}");
        caller.get("/mailboxes/theirs@example.org/messages").await.problem(404, "mailbox_not_found");
        let refused = caller.delete("/mailboxes/mine@example.org").await.problem(403, "missing_scope");
        assert!(refused["detail"].as_str().unwrap().contains("mailbox:write"), "{refused}");
        caller.get("/users").await.problem(403, "missing_scope");
        caller.post("/api-keys", json!({ "name": "more" })).await.problem(403, "missing_scope");
    }
    let message = server.newest("mine@example.org").await["id"].as_str().unwrap().to_owned();
    anna.patch(&format!("/messages/{message}"), json!({ "is_starred": true })).await.data();

    // What ends the token or takes the mailbox away holds for the very next request.
    server.rest.request("PUT", "/mailboxes/mine@example.org/owner", Some(json!({ "user_id": null }))).await.data();
    assert!(anna.all("/mailboxes", 10).await.is_empty());
    server.rest.patch(&format!("/users/{id}"), json!({ "is_active": false })).await.data();
    anna.get("/mailboxes").await.problem(401, "unauthenticated");
    server.rest.patch(&format!("/users/{id}"), json!({ "is_active": true })).await.data();
    let other = server.rest.post(&format!("/users/{id}/token"), json!({})).await.data()["token"].as_str().unwrap().to_owned();
    anna.get("/mailboxes").await.problem(401, "unauthenticated");
    assert!(server.rest.with_key(&other).get("/mailboxes").await.data().is_array());
    server.rest.with_key("xmail_user_made-up").get("/mailboxes").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_users_session_is_none_of_the_panel() {
    let server = Server::start().await;
    let (_, token) = user(&server, "Anna").await;
    let session = portal::sign_in_user(server.services(), &browser(), &token).await.unwrap();
    let found = pillarbox::operations::sign_in::session_of(server.services(), &session.token).await.unwrap();
    assert!(found.is_none(), "a user would be an administrator");
}

#[tokio::test]
async fn a_mailbox_has_an_owner_or_members_and_nobody_loses_it_unasked() {
    let server = Server::start().await;
    let (anna, anna_token) = user(&server, "Anna").await;
    let (bert, _) = user(&server, "Bert").await;
    server.mailbox("a@example.org").await;
    server.mailbox("b@example.org").await;
    let assigned = server
        .rest
        .post("/mailboxes/assign", json!({ "addresses": ["a@example.org", "no@example.org"], "userId": anna }))
        .await
        .data();
    assert_eq!((&assigned[0]["assigned"], &assigned[1]["code"]), (&json!(true), &json!("mailbox_not_assignable")));
    let list = async |query: &str| -> Vec<String> {
        let (rows, _) = server.rest.get(&format!("/mailboxes?{query}")).await.page();
        rows.iter().map(|row| row["address"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&format!("user_id={anna}")).await, ["a@example.org"]);
    assert_eq!(list("unassignedOnly=true").await, ["b@example.org"]);
    assert_eq!(list("shared_only=true").await, Vec::<String>::new());
    assert_eq!(server.rest.get("/stats").await.data()["unassigned_mailboxes"], 1);

    let members = format!("/mailboxes/a@example.org/members/{bert}");
    server.rest.request("PUT", &members, Some(json!({}))).await.problem(409, "mailbox_not_shared");
    let share = async |body: Value| server.rest.request("PUT", "/mailboxes/a@example.org/shared", Some(body)).await;
    let shared = share(json!({ "is_shared": true })).await.data();
    assert_eq!((&shared["is_shared"], &shared["user_id"]), (&json!(true), &json!(null)));
    let both = server.rest.request("PUT", &members, Some(json!({}))).await.data();
    assert_eq!(both.as_array().unwrap().len(), 2, "the owner became a member");
    let session = portal::sign_in_user(server.services(), &browser(), &anna_token).await.unwrap();
    assert_eq!(seen(&session), ["a@example.org"]);
    server
        .rest
        .request("PUT", "/mailboxes/a@example.org/owner", Some(json!({ "user_id": anna })))
        .await
        .problem(409, "mailbox_is_shared");
    share(json!({ "is_shared": false })).await.problem(409, "several_members");
    let private = share(json!({ "is_shared": false, "owner_id": bert })).await.data();
    assert_eq!((&private["is_shared"], &private["user_id"]), (&json!(false), &json!(bert)));
    let session = portal::sign_in_user(server.services(), &browser(), &anna_token).await.unwrap();
    assert_eq!(seen(&session), Vec::<String>::new());
    let gone = server.rest.delete(&members).await;
    gone.problem(404, "member_not_found");
}

#[tokio::test]
async fn a_password_opens_its_mailbox_until_it_is_replaced_and_each_reveal_is_written_down() {
    let server = Server::start().await;
    let made = server.rest.post("/mailboxes", json!({ "address": "a@example.org" })).await.data();
    let drawn = made["password"].as_str().unwrap();
    let revealed = server.rest.get("/mailboxes/a@example.org/password").await.data();
    assert_eq!(revealed["password"], drawn);
    assert_eq!(server.rest.all("/audit-log?action=mailbox.reveal_password", 10).await.len(), 1);
    let enter = async |password: &str| {
        portal::sign_in_mailbox(server.services(), &browser(), "A@example.org", &Password::new(password)).await
    };
    let session = enter(drawn).await.unwrap();
    assert_eq!(seen(&session), ["a@example.org"]);
    assert!(enter("wrong password").await.is_err());
    assert_ne!(server.look("a@example.org").await["last_login_at"], json!(null));
    let set = async |body: Value| server.rest.request("PUT", "/mailboxes/a@example.org/password", Some(body)).await;
    set(json!({ "password": "short" })).await.points_at("/password");
    set(json!({ "password": " 密码 with spaces " })).await.data();
    assert!(!is_good(&server, &session).await, "the old password's session goes on");
    assert!(enter(drawn).await.is_err());
    let session = enter(" 密码 with spaces ").await.unwrap();
    server.rest.delete("/mailboxes/a@example.org").await.data();
    assert!(!is_good(&server, &session).await, "a mailbox in the trash is read");
    assert!(enter(" 密码 with spaces ").await.is_err());
    server.rest.post("/mailboxes/a@example.org/restore", json!({})).await.data();

    server.rest.patch("/settings", json!({ "keep_readable_passwords": false })).await.data();
    let revealed = server.rest.get("/mailboxes/a@example.org/password").await.data();
    assert_eq!(revealed, json!({ "password": null, "is_set": true }));
    server.mailbox("b@example.org").await;
    let sealed: i64 = sqlx::query_scalar("select count(*) from mailboxes where sealed_password is not null")
        .fetch_one(&server.db)
        .await
        .unwrap();
    assert_eq!(sealed, 0);
}

#[tokio::test]
async fn an_access_link_reads_one_mailbox_until_it_is_revoked() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    let made = server.rest.post("/mailboxes/a@example.org/access-links", json!({ "note": "for Bert" })).await.data();
    let (url, id) = (made["url"].as_str().unwrap(), made["access_link"]["id"].as_str().unwrap());
    let token = url.split_once("/?link=").unwrap().1;
    let listed = server.rest.get("/mailboxes/a@example.org/access-links").await;
    assert!(!listed.text().contains(token));
    assert_eq!(listed.data()[0]["note"], "for Bert");
    let session = portal::sign_in_link(server.services(), &browser(), token).await.unwrap();
    assert_eq!(seen(&session), ["a@example.org"]);
    assert!(portal::sign_in_link(server.services(), &browser(), &format!("{token}x")).await.is_err());
    let revoked = server.rest.delete(&format!("/mailboxes/a@example.org/access-links/{id}")).await.data();
    assert_ne!(revoked["revoked_at"], json!(null));
    assert!(!is_good(&server, &session).await, "the link's session goes on");
    assert!(portal::sign_in_link(server.services(), &browser(), token).await.is_err());
    let made = server.rest.post("/mailboxes/a@example.org/access-links", json!({ "expires_in_hours": null })).await.data();
    assert_eq!(made["access_link"]["expires_at"], json!(null));
}

#[tokio::test]
async fn the_table_of_mailboxes_has_those_that_are_seen_and_no_formulas() {
    let server = Server::start().await;
    server.rest.post("/mailboxes", json!({ "address": "a@example.org", "note": "=HYPERLINK(\"x\")" })).await.data();
    server.mailbox("b@example.org").await;
    let all = server.rest.get("/mailboxes/export.csv").await;
    assert_eq!(all.header("content-type"), "text/csv; charset=utf-8");
    let text = all.text();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[2].starts_with("\"a@example.org\",active,\"'=HYPERLINK(\"\"x\"\")\",0,0,,false,"), "{text}");
    let key = server.rest.post("/api-keys", json!({ "name": "b", "mailboxes": ["b@example.org"] })).await.data();
    let limited = server.rest.with_key(key["key"].as_str().unwrap()).get("/mailboxes/export.csv").await.text();
    assert!(limited.contains("b@example.org") && !limited.contains("a@example.org"), "{limited}");
    server.caller(&["mail:read"]).await.get("/mailboxes/export.csv").await.problem(403, "missing_scope");
}
