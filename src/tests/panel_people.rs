//! The panel's pages for users, services, keys, aliases and the trash: what their forms do, seen through the other doors.

use serde_json::{Value, json};

use super::harness::rest::Answer;
use super::harness::server::{Server, note};
use super::panel::{Browser, server};

/// What stands between two texts of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} after {before}")).0
}

fn leads_to(answer: &Answer, to: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, to), "{answer}");
}

async fn user(browser: &mut Browser, name: &str) -> (String, String) {
    browser.get("/admin/users").await;
    let made = browser.post("/admin/users", &[("name", name), ("note", "n"), ("expires_in_days", "30")]).await;
    assert_eq!(made.status, 200, "{made}");
    let page = made.text();
    let token = between(&page, r#"<pre id="new-token">"#, "<").to_owned();
    assert!(between(&page, r#"<pre id="new-link">"#, "<").ends_with(&format!("/?key={token}")), "{page}");
    (between(&page, "/admin/users/", "#").to_owned(), token)
}

#[tokio::test]
async fn a_user_is_made_its_token_shown_once_replaced_and_removed_without_loss() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let refused = browser.post("/admin/users", &[("name", " "), ("note", "kept")]).await;
    assert!(refused.status == 400 && refused.text().contains("error-name") && refused.text().contains("kept"), "{refused}");
    let (id, token) = user(&mut browser, "Anna <b>").await;
    let known = server.rest.get(&format!("/users/-?token={token}")).await.data();
    assert_eq!((&known["id"], &known["name"]), (&json!(id), &json!("Anna <b>")));
    let here = format!("/admin/users/{id}");
    let page = browser.get(&here).await.text();
    assert!(page.contains("Anna &#60;b&#62;") && !page.contains(&token), "{page}");

    leads_to(&browser.post(&here, &[("name", "Anna"), ("note", "")]).await, &format!("{here}?done=user_changed"));
    let changed = server.rest.get(&format!("/users/{id}")).await.data();
    assert_eq!((&changed["name"], &changed["note"], &changed["is_active"]), (&json!("Anna"), &json!(""), &json!(false)));
    assert!(browser.get("/admin/users?state=inactive&q=ann").await.text().contains(&id));
    assert!(!browser.get("/admin/users?state=active").await.text().contains(&id));
    browser.post(&here, &[("name", "Anna"), ("is_active", "yes")]).await;

    let question = browser.post(&format!("{here}/token"), &[("expires_in_days", "7")]).await.text();
    assert!(question.contains(r#"name="expires_in_days" value="7""#), "{question}");
    assert_eq!(server.rest.get(&format!("/users/-?token={token}")).await.status, 200, "asking changes nothing");
    let fields = [("expires_in_days", "7"), ("confirm", "yes")];
    let shown = browser.post(&format!("{here}/token"), &fields).await.text();
    let newer = between(&shown, r#"<pre id="new-token">"#, "<").to_owned();
    server.rest.get(&format!("/users/-?token={token}")).await.problem(404, "user_not_found");
    assert_eq!(server.rest.get(&format!("/users/-?token={newer}")).await.data()["id"], json!(id));

    server.mailbox("a@example.org").await;
    browser.post(&format!("{here}/mailboxes"), &[("addresses", "a@example.org")]).await;
    let question = browser.post(&format!("{here}/delete"), &[]).await.text();
    assert!(question.contains("1 mailbox stays with all its mail"), "{question}");
    leads_to(&browser.post(&format!("{here}/delete"), &[("confirm", "yes")]).await, "/admin/users?done=user_deleted");
    assert_eq!(server.look("a@example.org").await["user_id"], json!(null));
    assert_eq!(browser.get(&here).await.status, 404);
}

#[tokio::test]
async fn mailboxes_are_handed_over_each_with_its_own_result_and_taken_back() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    let (id, _) = user(&mut browser, "Ben").await;
    for address in ["own@example.org", "team@example.org"] {
        server.mailbox(address).await;
    }
    server.rest.request("PUT", "/mailboxes/team@example.org/shared", Some(json!({ "is_shared": true }))).await.data();
    let here = format!("/admin/users/{id}");
    let pasted = "own@example.org, team@example.org\nno-address\nnobody@example.org";
    let page = browser.post(&format!("{here}/mailboxes"), &[("addresses", pasted)]).await;
    assert_eq!(page.status, 200, "{page}");
    for said in ["is the owner", "is a member", "not there, or in the trash", "not an address"] {
        assert!(page.text().contains(said), "{said}: {page}");
    }
    let seen = server.rest.all(&format!("/mailboxes?user_id={id}"), 10).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    for address in ["own@example.org", "team@example.org"] {
        let taken = browser.post(&format!("{here}/mailboxes/{address}/take"), &[]).await;
        leads_to(&taken, &format!("{here}?done=user_taken"));
    }
    assert_eq!(server.rest.all(&format!("/mailboxes?user_id={id}"), 10).await, Vec::<Value>::new());
    let clean = browser.post(&format!("{here}/mailboxes"), &[("addresses", "own@example.org")]).await;
    leads_to(&clean, &format!("{here}?done=user_given"));
    assert!(browser.get("/admin/mailboxes?owner=unassigned").await.text().contains("No mailbox fits"));
    assert!(browser.get("/admin/mailboxes?owner=shared").await.text().contains("team@example.org"));
    assert_eq!(browser.get("/admin/mailboxes?owner=nonsense").await.status, 400);
}

async fn only_template(server: &Server) -> Value {
    server.rest.get("/service-templates").await.page().0.swap_remove(0)
}

#[tokio::test]
async fn a_service_is_made_with_its_rules_changed_and_removed() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    browser.get("/admin/services").await;
    let good = [("name", "App"), ("login_url", "https://app.example/login"), ("min_length", "6"), ("alphabet", "digits")];
    for (field, value) in
        [("login_url", "javascript:alert(1)"), ("pattern", "("), ("min_length", "65"), ("max_length", "2"), ("name", "")]
    {
        let fields: Vec<_> = good.iter().copied().filter(|(name, _)| *name != field).chain([(field, value)]).collect();
        let answer = browser.post("/admin/services", &fields).await;
        assert!(answer.status == 400 && answer.text().contains(&format!("error-{field}")), "{field}: {answer}");
    }
    leads_to(&browser.post("/admin/services", &good).await, "/admin/services?done=template_added");
    let made = only_template(&server).await;
    assert_eq!(made["extraction_rules"], json!({ "min_length": 6, "alphabet": "digits" }));
    let here = format!("/admin/services/{}", made["id"].as_str().unwrap());
    assert!(browser.get(&here).await.text().contains(r#"value="digits" selected"#));
    let fields = [("name", "Application"), ("login_url", "https://app.example/login"), ("sender", "app.example")];
    leads_to(&browser.post(&here, &fields).await, &format!("{here}?done=template_changed"));
    let changed = only_template(&server).await;
    assert_eq!((&changed["name"], &changed["extraction_rules"]), (&json!("Application"), &json!({ "sender": "app.example" })));
    let question = browser.post(&format!("{here}/delete"), &[]).await.text();
    assert!(question.contains("Delete the service Application?"), "{question}");
    leads_to(&browser.post(&format!("{here}/delete"), &[("confirm", "yes")]).await, "/admin/services?done=service_deleted");
    assert_eq!(browser.get(&here).await.status, 404);
}

#[tokio::test]
async fn services_are_bound_to_many_mailboxes_filtered_ended_and_taken_away() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    for address in ["a@example.org", "b@example.org"] {
        server.mailbox(address).await;
    }
    let body = json!({ "name": "App", "login_url": "https://app.example/" });
    let id = server.rest.post("/service-templates", body).await.data()["id"].as_str().unwrap().to_owned();
    let list = "/admin/services/bindings";
    browser.get(list).await;
    for (fields, named) in [
        (vec![("template", id.as_str()), ("addresses", " ")], "error-addresses"),
        (vec![("addresses", "a@example.org")], "error-template_ids"),
        (vec![("template", id.as_str()), ("addresses", "a@example.org"), ("expires_on", "soon")], "error-expires_at"),
    ] {
        let answer = browser.post(list, &fields).await;
        assert!(answer.status == 400 && answer.text().contains(named), "{answer}");
    }
    let fields = [("template", id.as_str()), ("addresses", "a@example.org b@example.org nobody@example.org rubbish")];
    let bound = browser.post(list, &fields).await.text();
    assert!(bound.contains("2 services bound") && bound.contains("1 was skipped") && bound.contains("rubbish"), "{bound}");

    let (rows, _) = server.rest.get("/services?mailbox=a@example.org").await.page();
    let binding = rows[0]["id"].as_str().unwrap().to_owned();
    let day = |days: i64| (chrono::Utc::now() + chrono::TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let filtered = format!("{list}?template={id}&mailbox=&ends=soon");
    let fields = [("expires_on", day(3)), ("next", filtered.clone())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    leads_to(&browser.post(&format!("{list}/{binding}"), &fields).await, &format!("{filtered}&done=binding_changed"));
    let seen = async |browser: &mut Browser, ends: &str| {
        let page = browser.get(&format!("{list}?ends={ends}")).await.text();
        ["a@example.org", "b@example.org"].map(|address| page.contains(&format!("/admin/mailboxes/{address}\"")))
    };
    assert_eq!(seen(&mut browser, "").await, [true, true]);
    assert_eq!(seen(&mut browser, "soon").await, [true, false]);
    assert_eq!(seen(&mut browser, "ended").await, [false, false]);
    browser.post(&format!("{list}/{binding}"), &[("expires_on", day(-3).as_str())]).await;
    assert_eq!(seen(&mut browser, "ended").await, [true, false]);
    assert_eq!(seen(&mut browser, "going").await, [false, true]);
    assert_eq!(browser.post(&format!("{list}/{binding}"), &[("expires_on", "never")]).await.status, 400);
    let wrong = browser.get(&format!("{list}?mailbox=two+words")).await;
    assert!(wrong.status == 400 && wrong.text().contains("error-mailbox"), "{wrong}");

    assert_eq!(browser.post(&format!("{list}/{binding}/delete"), &[]).await.status, 200, "a question first");
    // Nobody is led elsewhere by what a form says.
    let fields = [("confirm", "yes"), ("next", "/admin/logout")];
    leads_to(&browser.post(&format!("{list}/{binding}/delete"), &fields).await, &format!("{list}?done=binding_deleted"));
    assert_eq!(server.rest.get("/services").await.page().0.len(), 1);
}

#[tokio::test]
async fn the_services_of_all_mailboxes_come_in_pages() {
    let server = Server::start().await;
    for n in 0..5 {
        let address = format!("m{n}@example.org");
        server.mailbox(&address).await;
        let own = json!({ "name": "Own", "login_url": "https://own.example/", "expires_at": n * 10 + 10 });
        server.rest.post(&format!("/mailboxes/{address}/services/custom"), own).await.data();
    }
    let mailboxes = async |query: &str| {
        let rows = server.rest.all(&format!("/services?{query}"), 2).await;
        rows.iter().map(|row| row["mailbox"].as_str().unwrap()[1..2].parse::<u8>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(mailboxes("").await, [4, 3, 2, 1, 0]);
    assert_eq!(mailboxes("ends_before=30").await, [1, 0]);
    assert_eq!(mailboxes("is_expired=false").await, Vec::<u8>::new());
    server.rest.delete("/mailboxes/m4@example.org").await.data();
    assert_eq!(mailboxes("").await, [3, 2, 1, 0], "nothing of the trash");
    // A key with limits sees no more than its own mailboxes.
    let body = json!({ "name": "narrow", "mailboxes": ["m1@example.org"] });
    let key = server.rest.post("/api-keys", body).await.data()["key"].as_str().unwrap().to_owned();
    let narrow = server.rest.with_key(&key);
    assert_eq!(narrow.get("/services?mailbox=m1@example.org").await.page().0.len(), 1);
    assert_eq!(narrow.get("/services?mailbox=m2@example.org").await.status, 404);
    assert_eq!(narrow.get("/services").await.status, 403);
}

#[tokio::test]
async fn the_trash_is_emptied_after_a_question_and_spares_what_was_restored() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    for address in ["a@example.org", "b@example.org", "c@example.org"] {
        server.mailbox(address).await;
        server.mail(&[address], note("Hello", "text")).await;
    }
    for address in ["a@example.org", "b@example.org"] {
        server.rest.delete(&format!("/mailboxes/{address}")).await.data();
    }
    let trash = "/admin/mailboxes?state=trashed";
    let page = browser.get(trash).await.text();
    assert!(page.contains("/admin/mailboxes/empty-trash"), "{page}");
    let selected = [("action", "purge"), ("address", "a@example.org"), ("address", "c@example.org"), ("next", trash)];
    let question = browser.post("/admin/mailboxes/bulk", &selected).await.text();
    assert!(question.contains("Delete 2 mailboxes for good?"), "{question}");
    let confirmed = [selected.as_slice(), &[("confirm", "yes")]].concat();
    leads_to(&browser.post("/admin/mailboxes/bulk", &confirmed).await, &format!("{trash}&done=bulk_done"));
    server.rest.get("/mailboxes/a@example.org").await.problem(404, "mailbox_not_found");
    assert_eq!(server.look("c@example.org").await["message_count"], 1, "it is not in the trash");

    let question = browser.post("/admin/mailboxes/empty-trash", &[]).await.text();
    assert!(question.contains("Delete the 1 mailbox in the trash for good?"), "{question}");
    server.look("b@example.org").await;
    let emptied = browser.post("/admin/mailboxes/empty-trash", &[("confirm", "yes")]).await;
    leads_to(&emptied, &format!("{trash}&done=trash_emptied"));
    server.rest.get("/mailboxes/b@example.org").await.problem(404, "mailbox_not_found");
    assert_eq!(server.subjects("c@example.org").await, ["Hello"]);
}

#[tokio::test]
async fn an_alias_is_changed_where_it_stands() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    for address in ["a@example.org", "b@example.org"] {
        server.mailbox(address).await;
    }
    let here = "/admin/domains/example.org";
    browser.get(here).await;
    let fields = [("local", "sales"), ("mailboxes", "a"), ("note", "first")];
    leads_to(&browser.post(&format!("{here}/aliases"), &fields).await, &format!("{here}?done=alias_added"));
    let alias = format!("{here}/aliases/sales@example.org");
    let fields = [("mailboxes", "a, b@example.org"), ("note", "both")];
    leads_to(&browser.post(&alias, &fields).await, &format!("{here}?done=alias_changed"));
    let changed = server.rest.get("/aliases/sales@example.org").await.data();
    assert_eq!(changed["mailboxes"], json!(["a@example.org", "b@example.org"]));
    assert_eq!(changed["note"], "both");
    let refused = browser.post(&alias, &[("mailboxes", "two words@@"), ("note", "")]).await;
    assert!(refused.status == 400 && refused.text().contains("sales@example.org: "), "{refused}");
    let unknown = browser.post(&alias, &[("mailboxes", "nobody"), ("note", "")]).await;
    assert!((400..500).contains(&unknown.status), "{unknown}");
    assert_eq!(server.rest.get("/aliases/sales@example.org").await.data()["note"], "both");
}

#[tokio::test]
async fn a_key_gets_its_limits_and_its_pace() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    browser.get("/admin/api-keys").await;
    let fields = [("name", "ci"), ("preset", "ci"), ("limits", "example.org"), ("reads_per_minute", "0")];
    let refused = browser.post("/admin/api-keys", &fields).await;
    assert!(refused.status == 400 && refused.text().contains("error-reads_per_minute"), "{refused}");
    let fields =
        [("name", "ci"), ("preset", "ci"), ("limits", "example.org"), ("reads_per_minute", "5"), ("writes_per_minute", "")];
    assert_eq!(browser.post("/admin/api-keys", &fields).await.status, 200);
    let (keys, _) = server.rest.get("/api-keys").await.page();
    let key = keys.iter().find(|key| key["name"] == "ci").unwrap();
    assert_eq!((&key["reads_per_minute"], &key["writes_per_minute"]), (&json!(5), &json!(null)));
    assert!(browser.get("/admin/api-keys").await.text().contains("5 reads, 120 writes a minute"));
}
