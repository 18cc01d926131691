//! The page of a mailbox in the panel: who sees it, the ways into it, what it is used for.

use serde_json::{Value, json};

use crate::harness::rest::Answer;
use crate::harness::server::Server;
use crate::panel::{self, Browser};
use crate::users::user;

const PAGE: &str = "/admin/mailboxes/a@example.org/settings";

async fn open(server: &Server) -> Browser {
    server.mailbox("a@example.org").await;
    let mut browser = Browser::signed_in(server).await;
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, 200, "{page}");
    browser
}

async fn act(browser: &mut Browser, action: &str, fields: &[(&str, &str)]) -> Answer {
    browser.post(&format!("/admin/mailboxes/a@example.org/{action}"), fields).await
}

/// What a form ends with when it did what it was asked for.
fn done(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, format!("{PAGE}?done={what}").as_str()), "{answer}");
}

#[tokio::test]
async fn a_mailbox_gets_an_owner_is_shared_and_becomes_private_again() {
    let server = panel::server().await;
    let mut browser = open(&server).await;
    let (anna, _) = user(&server, "Anna").await;
    let (bert, _) = user(&server, "Bert").await;
    done(&act(&mut browser, "owner", &[("user_id", &anna)]).await, "mailbox_assigned");
    assert_eq!(server.look("a@example.org").await["user_id"], json!(anna));
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("id=\"owner\">Anna<"), "{page}");
    let no_member = act(&mut browser, "members", &[("user_id", &bert)]).await;
    assert!(no_member.status == 409 && no_member.text().contains("is not shared"), "{no_member}");
    done(&act(&mut browser, "shared", &[("shared", "yes")]).await, "mailbox_shared");
    let nobody = act(&mut browser, "members", &[("user_id", "")]).await;
    assert!(nobody.status == 400 && nobody.text().contains("error-user_id"), "{nobody}");
    done(&act(&mut browser, "members", &[("user_id", &bert)]).await, "member_added");
    let page = browser.get(PAGE).await.text();
    let members = page.split_once("id=\"members\"").unwrap().1.split("</ul>").next().unwrap();
    assert!(members.contains("Anna") && members.contains("Bert"), "{members}");
    let owned = act(&mut browser, "owner", &[("user_id", &anna)]).await;
    assert!(owned.status == 409 && owned.text().contains("is shared"), "{owned}");
    let unsaid = act(&mut browser, "shared", &[("shared", "no"), ("user_id", "")]).await;
    assert!(unsaid.status == 409 && unsaid.text().contains("2 members"), "{unsaid}");
    done(&act(&mut browser, &format!("members/{anna}/remove"), &[]).await, "member_removed");
    done(&act(&mut browser, &format!("members/{anna}/remove"), &[]).await, "member_removed");
    done(&act(&mut browser, "shared", &[("shared", "no"), ("user_id", &bert)]).await, "mailbox_private");
    assert_eq!(server.look("a@example.org").await["user_id"], json!(bert));
    done(&act(&mut browser, "owner", &[]).await, "mailbox_unassigned");
    assert_eq!(server.look("a@example.org").await["user_id"], json!(null));
    let nowhere = act(&mut browser, "owner", &[("user_id", &uuid::Uuid::now_v7().to_string())]).await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn a_password_is_set_or_drawn_and_each_reveal_is_written_down() {
    let server = panel::server().await;
    let mut browser = open(&server).await;
    let secret = |page: &str| page.split_once("id=\"secret\">").unwrap().1.split('<').next().unwrap().to_owned();
    let drawn = act(&mut browser, "password", &[("password", "")]).await;
    let drawn = secret(&drawn.text());
    assert_eq!(drawn.len(), 12);
    let shown = act(&mut browser, "password/reveal", &[]).await;
    assert_eq!((shown.status, secret(&shown.text())), (200, drawn));
    assert_eq!(server.rest.all("/audit-log?action=mailbox.reveal_password", 5).await.len(), 1);
    let short = act(&mut browser, "password", &[("password", "short")]).await;
    assert!(short.status == 400 && short.text().contains("error-mailbox_password"), "{short}");
    done(&act(&mut browser, "password", &[("password", "chosen by hand")]).await, "mailbox_password_set");
    let page = browser.get(PAGE).await.text();
    assert!(!page.contains("chosen by hand"), "the page shows a password");
    server.rest.patch("/settings", json!({ "keep_readable_passwords": false })).await.data();
    let not_kept = act(&mut browser, "password/reveal", &[]).await.text();
    assert!(not_kept.contains("no readable copy") && !not_kept.contains("id=\"secret\""), "{not_kept}");
}

#[tokio::test]
async fn an_access_link_is_shown_once_listed_and_revoked_after_a_question() {
    let server = panel::server().await;
    let mut browser = open(&server).await;
    let made = act(&mut browser, "links", &[("note", "for Bert"), ("expires_in_hours", "1")]).await.text();
    let url = made.split_once("id=\"secret\">").unwrap().1.split('<').next().unwrap().to_owned();
    let token = url.split_once("/?link=").unwrap().1.to_owned();
    let reader = server.stranger().send("GET", &format!("/?link={token}"), None).await;
    assert_eq!((reader.status, reader.header("location")), (303, "/portal"));
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("for Bert") && !page.contains(&token), "{page}");
    let links = server.rest.get("/mailboxes/a@example.org/access-links").await.data();
    assert_eq!(links[0]["expires_at"].as_i64().unwrap() - links[0]["created_at"].as_i64().unwrap(), 3600);
    let id = links[0]["id"].as_str().unwrap();
    let question = act(&mut browser, &format!("links/{id}/revoke"), &[]).await;
    assert!(question.text().contains("id=\"confirm\""), "{question}");
    done(&act(&mut browser, &format!("links/{id}/revoke"), &[("confirm", "yes")]).await, "link_revoked");
    assert_eq!(server.stranger().send("GET", &format!("/?link={token}"), None).await.status, 401);
    let endless = act(&mut browser, "links", &[("expires_in_hours", "0")]).await;
    assert_eq!(endless.status, 200);
    assert_eq!(server.rest.get("/mailboxes/a@example.org/access-links").await.data()[0]["expires_at"], json!(null));
    let wrong = act(&mut browser, "links", &[("note", "kept"), ("expires_in_hours", "99999999")]).await;
    assert!(wrong.status == 400 && wrong.text().contains("value=\"kept\""), "{wrong}");
}

#[tokio::test]
async fn services_are_bound_get_an_end_and_are_taken_away() {
    let server = panel::server().await;
    let mut browser = open(&server).await;
    let template = json!({ "name": "Shop", "login_url": "https://shop.example/login" });
    let template = server.rest.post("/service-templates", template).await.data()["id"].as_str().unwrap().to_owned();
    let services = async || -> Value { server.rest.get("/mailboxes/a@example.org/services").await.data() };
    done(&act(&mut browser, "services", &[("template_id", &template), ("ends_on", "2031-01-31")]).await, "service_added");
    let bound = services().await;
    assert_eq!((&bound[0]["name"], &bound[0]["expires_at"]), (&json!("Shop"), &json!(1_927_584_000)));
    let again = act(&mut browser, "services", &[("template_id", &template)]).await;
    assert!(again.status == 409 && again.text().contains("already"), "{again}");
    let own = [("name", "Own"), ("login_url", "javascript:alert(1)"), ("service_note", "kept")];
    let wrong = act(&mut browser, "services", &own).await;
    assert!(
        wrong.status == 400 && wrong.text().contains("error-login_url") && wrong.text().contains("value=\"kept\""),
        "{wrong}"
    );
    let own = [("name", "Own"), ("login_url", "https://own.example/"), ("ends_on", "31.1.2031")];
    let wrong = act(&mut browser, "services", &own).await;
    assert!(wrong.status == 400 && wrong.text().contains("error-ends_on"), "{wrong}");
    done(&act(&mut browser, "services", &own[..2]).await, "service_added");
    let id = services().await[0]["id"].as_str().unwrap().to_owned();
    done(&act(&mut browser, &format!("services/{id}"), &[("ends_on", "")]).await, "service_changed");
    assert_eq!(services().await[0]["expires_at"], json!(null));
    done(&act(&mut browser, &format!("services/{id}/remove"), &[]).await, "service_removed");
    assert_eq!(services().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn how_long_messages_stay_is_set_and_left_to_the_domain_again() {
    let server = panel::server().await;
    let mut browser = open(&server).await;
    done(&act(&mut browser, "settings", &[("is_active", "yes"), ("retention_days", "30")]).await, "mailbox_changed");
    assert_eq!(server.look("a@example.org").await["retention_days"], 30);
    let wrong = act(&mut browser, "settings", &[("is_active", "yes"), ("retention_days", "0")]).await;
    assert!(wrong.status == 400 && wrong.text().contains("error-retention_days"), "{wrong}");
    done(&act(&mut browser, "settings", &[("is_active", "yes"), ("retention_days", "")]).await, "mailbox_changed");
    assert_eq!(server.look("a@example.org").await["retention_days"], json!(null));
}
