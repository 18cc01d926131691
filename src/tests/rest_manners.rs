//! How the API treats its callers, whatever they ask.

use pillarbox::config::RawConfig;
use serde_json::json;

use crate::harness::server::Server;

#[tokio::test]
async fn a_route_or_method_that_is_not_there_is_said_to_be_so() {
    let server = Server::empty(RawConfig::default()).await;
    for path in ["", "/", "/nothing", "/mailboxes/a@example.org/nothing", "/messages/1/attachments", "/../etc/passwd"] {
        server.rest.get(path).await.problem(404, "route_not_found");
    }
    for (method, path) in [("PUT", "/mailboxes"), ("DELETE", "/stats"), ("POST", "/messages"), ("PATCH", "/api-keys")] {
        let answer = server.rest.request(method, path, None).await;
        answer.problem(405, "method_not_allowed");
        assert!(!answer.header("allow").is_empty(), "{method} {path}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused() {
    let server = Server::start().await;
    let post = async |media_type: &str, body: &[u8]| {
        server.rest.send("POST", "/api/v1/mailboxes", Some((media_type, body.to_vec()))).await
    };
    let json_type = "application/json; charset=utf-8";
    for broken in [&b"{"[..], b"[1]", b"\"text\"", b"null", b"{\"address\":\"a@example.org\"} x", b"{\"note\":\"\xff\"}"] {
        post(json_type, broken).await.problem(400, "invalid_input");
    }
    let deep = [b"{\"note\":".as_slice(), &b"[".repeat(100_000), &b"]".repeat(100_000), b"}"].concat();
    post(json_type, &deep).await.problem(400, "invalid_input");
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        post(media_type, b"{\"address\":\"a@example.org\"}").await.points_at("/Content-Type");
    }
    let large = [b"{\"note\":\"".as_slice(), &b"x".repeat(3 << 20), b"\"}"].concat();
    post(json_type, &large).await.problem(413, "invalid_input");
    assert!(server.rest.all("/mailboxes", 10).await.is_empty());
    post(json_type, b"{\"address\":\"a@example.org\"}").await.data();
    // Without a body there is nothing in it.
    server.rest.send("POST", "/api/v1/mailboxes", None).await.data();
}

#[tokio::test]
async fn every_fault_of_the_input_is_pointed_at() {
    let server = Server::start().await;
    let body = json!({ "addres": "a@example.org", "Note": "x", "expires": 1 });
    let answer = server.rest.post("/mailboxes", body).await;
    for pointer in ["/addres", "/expires"] {
        answer.points_at(pointer);
    }
    server.rest.post("/mailboxes", json!({ "expires_at": 1, "expiresAt": 2 })).await.problem(400, "invalid_input");
    server.rest.patch("/mailboxes/a@example.org", json!({ "address": "b@example.org" })).await.points_at("/address");
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=many", "/limit"),
        ("limit=1.5", "/limit"),
        ("limit=99999999999999999999", "/limit"),
        ("limit=5&limit=6", "/limit"),
        ("offset=-1", "/offset"),
        ("cursor=!", "/cursor"),
        ("LIMIT=5", "/LIMIT"),
    ] {
        for path in ["/mailboxes", "/messages", "/domains", "/api-keys", "/audit-log", "/mailboxes/deleted"] {
            server.rest.get(&format!("{path}?{query}")).await.points_at(pointer);
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused_rather_than_believed() {
    let server = Server::start().await;
    server.rest.post("/domains", json!({ "name": "second.example" })).await.data();
    let (_, cursor) = server.rest.get("/domains?limit=1").await.page();
    server.rest.get(&format!("/mailboxes?cursor={}", cursor.unwrap())).await.points_at("/cursor");
}

#[tokio::test]
async fn every_answer_is_guarded_and_named() {
    let server = Server::start().await;
    let answers = [
        server.rest.get("/stats").await,
        server.rest.get("/mailboxes?limit=0").await,
        server.rest.get("/nothing").await,
        server.stranger().get("/stats").await,
        server.stranger().send("GET", "/health", None).await,
        server.stranger().send("GET", "/api/openapi.json", None).await,
        server.stranger().send("GET", "/nothing", None).await,
    ];
    let mut ids = std::collections::BTreeSet::new();
    for answer in &answers {
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
        {
            assert_eq!(answer.header(name), value, "{answer}");
        }
        assert!(!answer.header("content-security-policy").is_empty(), "{answer}");
        assert!(answer.header("server").is_empty(), "{answer}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{answer}");
        ids.insert(answer.header("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), answers.len());
}

#[tokio::test]
async fn browsers_may_call_from_the_origins_of_the_settings_only() {
    let settings = RawConfig { cors_origins: Some("https://tools.example.org".to_owned()), ..RawConfig::default() };
    let server = Server::empty(settings).await;
    for (origin, allowed) in [
        ("https://tools.example.org", true),
        ("http://tools.example.org", false),
        ("https://tools.example.org.evil.example", false),
        ("https://tools.example.org:444", false),
        ("null", false),
    ] {
        let answer = server.rest.header("Origin", origin).get("/stats").await;
        let said = answer.header("access-control-allow-origin");
        assert_eq!(said == origin, allowed, "{origin}: {said:?}");
        assert_ne!(said, "*");
        assert!(answer.header("access-control-allow-credentials").is_empty());
    }
}

#[tokio::test]
async fn the_demands_of_json_hold_for_names_in_camel_case() {
    let server = Server::start().await;
    let made = server.rest.post("/mailboxes", json!({ "address": "a@example.org", "expiresAt": 4_000_000_000_i64 })).await.data();
    assert_eq!(made["mailbox"]["expires_at"], 4_000_000_000_i64);
    let changed = server.rest.patch("/mailboxes/a@example.org", json!({ "isActive": false, "expiresAt": null })).await.data();
    assert_eq!((&changed["lifecycle"], &changed["expires_at"]), (&json!("disabled"), &json!(null)));
}
