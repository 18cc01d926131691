//! Services that mailboxes are used for: templates, bindings, batches.

use serde_json::json;

use crate::harness::server::Server;

#[tokio::test]
async fn a_template_is_bound_filtered_by_changed_everywhere_and_removed() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    server.mailbox("b@example.org").await;
    let rules = json!({ "min_length": 6, "max_length": 6, "alphabet": "digits", "sender": "app.example" });
    let body = json!({ "name": "App", "loginUrl": "https://app.example/login", "extraction_rules": rules });
    let template = server.rest.post("/service-templates", body).await.data();
    assert_eq!(template["extraction_rules"], rules);
    let id = template["id"].as_str().unwrap();
    for (field, value) in [("login_url", json!("javascript:alert(1)")), ("name", json!(" "))] {
        let mut body = json!({ "name": "x", "login_url": "https://x.example" });
        body[field] = value;
        server.rest.post("/service-templates", body).await.points_at(&format!("/{field}"));
    }
    let body = json!({ "name": "x", "login_url": "https://x.example", "extraction_rules": { "pattern": "(" } });
    server.rest.post("/service-templates", body).await.points_at("/extraction_rules/pattern");

    let bound = server.rest.post("/mailboxes/a@example.org/services", json!({ "templateId": id, "expiresAt": 1 })).await.data();
    assert_eq!((&bound["name"], &bound["is_custom"], &bound["is_expired"]), (&json!("App"), &json!(false), &json!(true)));
    server.rest.post("/mailboxes/a@example.org/services", json!({ "template_id": id })).await.problem(409, "service_bound");
    let binding = bound["id"].as_str().unwrap();
    let later = server.rest.patch(&format!("/services/{binding}"), json!({ "expires_at": null })).await.data();
    assert_eq!((&later["expires_at"], &later["is_expired"]), (&json!(null), &json!(false)));
    let (rows, _) = server.rest.get(&format!("/mailboxes?service_template_id={id}")).await.page();
    assert_eq!((rows.len(), &rows[0]["address"]), (1, &json!("a@example.org")));

    server.rest.patch(&format!("/service-templates/{id}"), json!({ "name": "Application" })).await.data();
    let custom = json!({ "name": "Own", "login_url": "http://own.example/", "note": "n" });
    server.rest.post("/mailboxes/a@example.org/services/custom", custom.clone()).await.data();
    server.rest.post("/mailboxes/a@example.org/services/custom", custom).await.problem(409, "service_bound");
    let services = server.rest.get("/mailboxes/a@example.org/services").await.data();
    let names: Vec<&str> = services.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Application", "Own"]);
    assert_eq!(server.rest.delete(&format!("/service-templates/{id}")).await.data()["removed_bindings"], 1);
    let services = server.rest.get("/mailboxes/a@example.org/services").await.data();
    assert_eq!(services.as_array().unwrap().len(), 1);
    let own = services[0]["id"].as_str().unwrap();
    server.rest.delete(&format!("/services/{own}")).await.data();
    server.rest.delete(&format!("/services/{own}")).await.problem(404, "service_not_found");
}

#[tokio::test]
async fn a_batch_says_of_each_pair_what_became_of_it() {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    server.mailbox("b@example.org").await;
    let body = json!({ "name": "App", "login_url": "https://app.example/" });
    let id = server.rest.post("/service-templates", body).await.data()["id"].as_str().unwrap().to_owned();
    server.rest.post("/mailboxes/a@example.org/services", json!({ "template_id": id })).await.data();
    let batch = json!({
        "mailboxes": ["a@example.org", "b@example.org", "nobody@example.org", "b@example.org"],
        "templateIds": [id],
        "customServices": [{ "name": "Own", "loginUrl": "https://own.example/" }],
    });
    let done = server.rest.post("/services/batch-bind", batch.clone()).await.data();
    assert_eq!((&done["success_count"], &done["skipped_count"]), (&json!(3), &json!(3)));
    let of = |address: &str, name: &str| {
        let details = done["details"].as_array().unwrap();
        details.iter().find(|d| d["address"] == address && d["service_name"] == name).unwrap()["status"].clone()
    };
    assert_eq!(of("a@example.org", "App"), "skipped");
    assert_eq!(of("a@example.org", "Own"), "success");
    assert_eq!(of("b@example.org", "App"), "success");
    assert_eq!(of("nobody@example.org", "Own"), "skipped");
    let again = server.rest.post("/services/batch-bind", batch).await.data();
    assert_eq!((&again["success_count"], &again["skipped_count"]), (&json!(0), &json!(6)));
    server.rest.post("/services/batch-bind", json!({ "mailboxes": ["a@example.org"] })).await.points_at("/template_ids");
}
