//! API keys: made, shown once, refused.

use pillarbox::config::RawConfig;
use serde_json::json;

use crate::harness::rest::Rest;
use crate::harness::server::Server;

/// Whether a caller gets in.
async fn is_known(caller: &Rest) -> bool {
    let answer = caller.get("/stats").await;
    if answer.status != 200 {
        answer.problem(401, "unauthenticated");
    }
    answer.status == 200
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_digest() {
    let server = Server::empty(RawConfig::default()).await;
    let body = json!({ "name": "ci", "scopes": ["mailbox:read", "mail:read", "mail:read"], "expiresInDays": 30 });
    let made = server.rest.post("/api-keys", body).await.data();
    let (key, row) = (made["key"].as_str().unwrap(), &made["api_key"]);
    let (prefix, secret) = key.split_once('.').unwrap();
    assert!(prefix.starts_with("sk_live_") && prefix.len() == 16 && secret.len() == 32, "{key}");
    assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'), "{key}");
    assert_eq!(row["prefix"], prefix);
    assert_eq!(row["scopes"], json!(["mail:read", "mailbox:read"]));
    assert_eq!(row["created_by"], "test");
    assert_eq!(row["expires_at"].as_i64().unwrap() - row["created_at"].as_i64().unwrap(), 30 * 86_400);
    assert_eq!((&row["last_used_at"], &row["revoked_at"]), (&json!(null), &json!(null)));

    assert!(is_known(&server.rest.with_key(key)).await);
    let listed = server.rest.get("/api-keys").await;
    assert!(!listed.text().contains(secret));
    let used = listed.page().0.into_iter().find(|row| row["prefix"] == prefix).unwrap();
    assert!(used["last_used_at"].is_i64(), "{used}");
    let stored: Vec<String> = sqlx::query_scalar("select k::text from api_keys k union all select a::text from audit_log a")
        .fetch_all(&server.db)
        .await
        .unwrap();
    assert!(stored.iter().all(|row| !row.contains(secret)));
}

#[tokio::test]
async fn anything_but_the_very_key_is_refused_in_the_same_words() {
    let server = Server::empty(RawConfig::default()).await;
    let key = &server.key;
    let (prefix, secret) = key.split_once('.').unwrap();
    let other = if secret.starts_with('a') { "b" } else { "a" };
    let altered = format!("{prefix}.{other}{}", &secret[1..]);
    let unknown = format!("sk_live_AAAAAAAA.{secret}");
    let mut words = std::collections::BTreeSet::new();
    let padded = format!("{key}=");
    let doubled = format!("{key}{key}");
    for wrong in [
        &key[..key.len() - 1],
        &padded,
        &doubled,
        &key.to_lowercase(),
        &key.to_uppercase(),
        prefix,
        secret,
        &altered,
        &unknown,
        "x",
        "sk_live_.",
        "sk_live_' or 1=1.--",
    ] {
        let problem = server.stranger().with_key(wrong).get("/stats").await.problem(401, "unauthenticated");
        words.insert(problem["detail"].to_string());
    }
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(is_known(&server.rest).await);
}

#[tokio::test]
async fn a_key_ends_at_once_when_it_is_revoked_or_deleted() {
    let server = Server::empty(RawConfig::default()).await;
    let make = async || {
        let made = server.rest.post("/api-keys", json!({ "name": "short" })).await.data();
        (server.rest.with_key(made["key"].as_str().unwrap()), made["api_key"]["id"].as_str().unwrap().to_owned())
    };
    let ((first, first_id), (second, second_id)) = (make().await, make().await);
    assert!(is_known(&first).await && is_known(&second).await);

    let revoked = server.rest.post(&format!("/api-keys/{first_id}/revoke"), json!({})).await.data();
    assert!(revoked["revoked_at"].is_i64());
    assert!(!is_known(&first).await);
    let again = server.rest.post(&format!("/api-keys/{first_id}/revoke"), json!({})).await.data();
    assert_eq!(again["revoked_at"], revoked["revoked_at"]);
    assert!(server.rest.all("/api-keys", 10).await.iter().any(|row| row["id"] == first_id.as_str()));

    server.rest.delete(&format!("/api-keys/{second_id}")).await.data();
    assert!(!is_known(&second).await);
    assert!(server.rest.all("/api-keys", 10).await.iter().all(|row| row["id"] != second_id.as_str()));
    server.rest.delete(&format!("/api-keys/{second_id}")).await.problem(404, "api_key_not_found");
    server.rest.post(&format!("/api-keys/{second_id}/revoke"), json!({})).await.problem(404, "api_key_not_found");
}

#[tokio::test]
async fn a_key_ends_with_its_time() {
    let server = Server::empty(RawConfig::default()).await;
    let made = server.rest.post("/api-keys", json!({ "name": "day", "expires_in_days": 1 })).await.data();
    let caller = server.rest.with_key(made["key"].as_str().unwrap());
    let expire = "update api_keys set expires_at = now() - interval '1 second' where name = 'day'";
    sqlx::query(expire).execute(&server.db).await.unwrap();
    assert!(!is_known(&caller).await);
}

#[tokio::test]
async fn a_key_makes_none_that_may_more_than_itself() {
    let server = Server::empty(RawConfig::default()).await;
    let caller = server.caller(&["settings:admin", "mail:read"]).await;
    caller.post("/api-keys", json!({ "name": "all" })).await.points_at("/scopes");
    caller.post("/api-keys", json!({ "name": "more", "scopes": ["mail:read", "mail:write"] })).await.points_at("/scopes");
    let made = caller.post("/api-keys", json!({ "name": "same", "scopes": ["mail:read"] })).await.data();
    let narrow = server.rest.with_key(made["key"].as_str().unwrap());
    narrow.get("/messages").await.data();
    narrow.get("/stats").await.problem(403, "missing_scope");
    // No scope at all is a list too.
    let made = caller.post("/api-keys", json!({ "name": "none", "scopes": [] })).await.data();
    server.rest.with_key(made["key"].as_str().unwrap()).get("/messages").await.problem(403, "missing_scope");
}

#[tokio::test]
async fn what_makes_no_key_is_pointed_at() {
    let server = Server::empty(RawConfig::default()).await;
    for (body, pointer) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "  " }), "/name"),
        (json!({ "name": "x".repeat(101) }), "/name"),
        (json!({ "name": "x", "scopes": ["mail:all"] }), "/scopes/0"),
        (json!({ "name": "x", "scopes": "mail:read" }), "/scopes"),
        (json!({ "name": "x", "expires_in_days": 0 }), "/expires_in_days"),
        (json!({ "name": "x", "expires_in_days": 3651 }), "/expires_in_days"),
    ] {
        server.rest.post("/api-keys", body).await.points_at(pointer);
    }
    assert_eq!(server.rest.all("/api-keys", 10).await.len(), 1);
}

#[tokio::test]
async fn both_headers_are_taken_and_must_not_differ() {
    let server = Server::empty(RawConfig::default()).await;
    let (stranger, key) = (server.stranger(), server.key.as_str());
    let bearer = format!("Bearer {key}");
    assert!(is_known(&stranger.header("X-API-Key", key)).await);
    assert!(is_known(&stranger.header("x-api-key", key).header("authorization", &bearer)).await);
    assert!(is_known(&stranger.header("Authorization", &format!("bearer  {key}"))).await);
    let other = server.caller(&["mail:read"]).await.header("X-API-Key", key);
    other.get("/stats").await.points_at("/X-API-Key");
    let twice = stranger.header("Authorization", &bearer).header("Authorization", &bearer);
    twice.get("/stats").await.problem(400, "invalid_input");
    for wrong in ["Basic dTpw", "Bearer", "Bearer ", key, &format!("Token {key}")] {
        assert!(!is_known(&stranger.header("Authorization", wrong)).await, "{wrong}");
    }
    // A key in the address would end in logs and histories.
    for query in [format!("api_key={key}"), format!("key={key}"), format!("access_token={key}")] {
        assert_eq!(stranger.get(&format!("/stats?{query}")).await.status, 401);
    }
}
