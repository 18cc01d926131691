//! Each holder sees its own mailboxes and nothing else, and does no more than it may.

use serde_json::{Value, json};

use super::House;
use crate::search::indexed;

#[tokio::test]
async fn each_holder_sees_its_own_and_nothing_else_is_there() {
    let house = House::build().await;
    let foreign = house.message("theirs@example.org").await;
    let own = house.message("mine@example.org").await;
    let made_up = uuid::Uuid::now_v7().to_string();
    indexed(&house.server, 3).await;
    for (who, mut browser) in house.holders().await {
        let sees = |text: &str| -> Vec<&str> {
            ["mine", "ours", "theirs"].into_iter().filter(|name| text.contains(&format!("Letter for {name}"))).collect()
        };
        let expected: &[&str] = if who == "a user" { &["mine", "ours"] } else { &["mine"] };
        assert_eq!(sees(&browser.get("/portal/messages").await.text()), expected, "{who}");
        assert_eq!(sees(&browser.get("/portal/messages?q=verification").await.text()), expected, "{who} searches");
        let page = browser.get("/portal").await;
        if who == "a user" {
            let text = page.text();
            assert!(text.contains("mine@example.org") && text.contains("ours@example.org"), "{text}");
            assert!(!text.contains("theirs@example.org"), "{text}");
        } else {
            assert_eq!(page.header("location"), "/portal/mailboxes/mine@example.org", "{who}");
        }
        let list = browser.get("/portal/mailboxes/mine@example.org").await;
        assert!(list.status == 200 && list.text().contains("482913"), "{who}: {list}");
        let read = browser.get(&format!("/portal/messages/{own}")).await.text();
        assert!(read.contains("class=\"found-value\"") && read.contains("data-copy-code"), "{who}: {read}");
        assert!(!read.contains("/admin"), "{who}: a way into the panel: {read}");
        for part in ["html", "raw", "raw?download=1"] {
            let answer = browser.get(&format!("/portal/messages/{own}/{part}")).await;
            assert!(answer.status == 200 && answer.header("content-security-policy").starts_with("sandbox"), "{who}: {answer}");
        }
        for id in [&foreign, &made_up] {
            for part in ["", "?view=raw", "/html", "/raw", "/raw?download=1", "/attachments/0"] {
                assert_eq!(browser.get(&format!("/portal/messages/{id}{part}")).await.status, 404, "{who}: {id}{part}");
            }
        }
        for address in ["theirs@example.org", "absent@example.org", "%00"] {
            for path in [format!("/portal/mailboxes/{address}"), format!("/portal/mailboxes/{address}/about")] {
                assert_eq!(browser.get(&path).await.status, 404, "{who}: {path}");
            }
            let beside = browser.get(&format!("/portal/messages/{own}?in={address}")).await;
            assert_eq!(beside.status, 404, "{who}: {address}");
        }
    }
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs_and_a_link_changes_nothing() {
    let house = House::build().await;
    let foreign = house.message("theirs@example.org").await;
    let own = house.message("mine@example.org").await;
    for (who, mut browser) in house.holders().await {
        browser.get("/portal/messages").await;
        let is_link = who == "a link";
        let refused = if is_link { 403 } else { 404 };
        for action in ["read", "unread", "star", "unstar", "release", "delete"] {
            let answer = browser.post(&format!("/portal/messages/{foreign}/{action}"), &[("confirm", "yes")]).await;
            assert_eq!(answer.status, refused, "{who}: {action}");
        }
        let answer = browser.post(&format!("/portal/messages/{own}/star"), &[]).await;
        assert_eq!(answer.status, if is_link { 403 } else { 303 }, "{who}");
        let page = browser.get(&format!("/portal/messages/{own}")).await.text();
        assert_eq!(page.contains("data-act=\"delete\""), !is_link, "{who}");
        assert!(page.contains("raw?download=1"), "{who}");
        for address in ["mine@example.org", "theirs@example.org"] {
            let answer = browser.post(&format!("/portal/mailboxes/{address}/password"), &[]).await;
            let expected = match (who, address) {
                ("a user", "mine@example.org") => 200,
                ("a user", _) => 404,
                _ => 403,
            };
            assert_eq!(answer.status, expected, "{who}: {address}");
            assert_eq!(answer.text().contains(&house.password), expected == 200, "{who}: {address}");
        }
        let answer = browser.post("/portal/mailboxes/theirs@example.org/trash", &[("confirm", "yes")]).await;
        assert_eq!(answer.status, 404, "{who}");
        if who != "a user" {
            let answer = browser.post("/portal/mailboxes/mine@example.org/trash", &[("confirm", "yes")]).await;
            assert_eq!(answer.status, 409, "{who}");
            let about = browser.get("/portal/mailboxes/mine@example.org/about").await.text();
            assert!(!about.contains("/password") && !about.contains("/trash"), "{who}: {about}");
        }
    }
    let message = house.server.newest("theirs@example.org").await;
    assert_eq!((&message["is_read"], &message["is_starred"]), (&json!(false), &json!(false)));
    let reveals = house.server.rest.all("/audit-log?action=mailbox.reveal_password", 10).await;
    let outcomes: Vec<_> = reveals.iter().filter(|row| row["outcome"] == "done").collect();
    assert_eq!(outcomes.len(), 1, "{reveals:?}");
    assert_eq!((&outcomes[0]["actor_kind"], &outcomes[0]["actor_name"]), (&json!("user"), &json!("Anna")));
}

#[tokio::test]
async fn marks_and_removal_are_the_panels() {
    let house = House::build().await;
    let own = house.message("mine@example.org").await;
    let mut browser = house.mailbox().await;
    browser.get("/portal/messages").await;
    let next = "/portal/mailboxes/mine@example.org";
    for (action, field, value) in [("read", "is_read", true), ("star", "is_starred", true), ("unread", "is_read", false)] {
        let answer = browser.post(&format!("/portal/messages/{own}/{action}"), &[("next", next)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, next));
        assert_eq!(house.server.newest("mine@example.org").await[field], value, "{action}");
    }
    let question = browser.post(&format!("/portal/messages/{own}/delete"), &[]).await;
    assert!(question.status == 200 && question.text().contains("id=\"confirm\""), "{question}");
    let done = browser.post(&format!("/portal/messages/{own}/delete"), &[("confirm", "yes")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/portal/messages?done=message_deleted"));
    assert_eq!(browser.get(&format!("/portal/messages/{own}")).await.status, 404);
    assert!(house.server.subjects("mine@example.org").await.is_empty());
}

#[tokio::test]
async fn what_the_operator_withholds_stays_withheld() {
    let house = House::build().await;
    house.server.rest.patch("/mailboxes/mine@example.org", json!({ "sender_policy": "aligned" })).await.data();
    let own = house.message("mine@example.org").await;
    for (who, mut browser) in house.holders().await {
        let list = browser.get("/portal/mailboxes/mine@example.org").await.text();
        assert!(list.contains("class=\"link-chip\"") && !list.contains("data-copy=\"482913\""), "{who}: {list}");
        let page = browser.get(&format!("/portal/messages/{own}?in=mine@example.org")).await.text();
        assert!(page.contains("form-alert-warn") && !page.contains("found-value"), "{who}: {page}");
        assert!(!page.contains("data-copy=\"482913\"") && !page.contains("/settings"), "{who}: {page}");
    }
}

#[tokio::test]
async fn a_user_puts_an_own_mailbox_into_the_trash_but_no_shared_one() {
    let house = House::build().await;
    let mut browser = house.user().await;
    let about = browser.get("/portal/mailboxes/ours@example.org/about").await.text();
    assert!(!about.contains("/trash"), "{about}");
    let shared = browser.post("/portal/mailboxes/ours@example.org/trash", &[("confirm", "yes")]).await;
    assert_eq!(shared.status, 409, "{shared}");
    browser.get("/portal/mailboxes/mine@example.org/about").await;
    let question = browser.post("/portal/mailboxes/mine@example.org/trash", &[]).await;
    assert!(question.text().contains("id=\"confirm\""), "{question}");
    let done = browser.post("/portal/mailboxes/mine@example.org/trash", &[("confirm", "yes")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/portal?done=mailbox_trashed"));
    let trashed = house.server.look("mine@example.org").await;
    assert_eq!((&trashed["lifecycle"], &trashed["trashed_by"]), (&json!("trashed"), &json!("Anna")));
    assert_eq!(browser.get("/portal/mailboxes/mine@example.org").await.status, 404);
    assert_eq!(house.server.rest.all("/audit-log?action=mailbox.trash", 5).await[0]["actor_kind"], "user");
}

#[tokio::test]
async fn a_user_sees_what_mailboxes_are_used_for_and_until_when() {
    let house = House::build().await;
    let bind = async |address: &str, name: &str, end: Value| {
        let body = json!({ "name": name, "login_url": "https://app.example/login", "note": "plan B", "expires_at": end });
        house.server.rest.post(&format!("/mailboxes/{address}/services/custom"), body).await.data();
    };
    bind("mine@example.org", "Zeta", json!(1_000_000_000)).await;
    bind("mine@example.org", "Alpha", json!(null)).await;
    bind("theirs@example.org", "Secret service", json!(null)).await;
    let mut browser = house.user().await;
    let page = browser.get("/portal").await.text();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(at("Alpha") < at("Zeta") && at("Zeta") < at("ours@example.org"), "{page}");
    assert!(page.contains("2001-09-09") && page.contains("pill-expired"), "{page}");
    assert!(!page.contains("Secret service"), "{page}");
    let about = browser.get("/portal/mailboxes/mine@example.org/about").await.text();
    assert!(about.contains("href=\"https://app.example/login\"") && about.contains("plan B"), "{about}");
    let found = browser.get("/portal?q=ours").await.text();
    assert!(found.contains("ours@example.org") && !found.contains("mine@example.org"), "{found}");
}
