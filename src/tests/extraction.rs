//! Trying out the extraction over REST.

use serde_json::json;

use crate::harness::server::Server;

#[tokio::test]
async fn a_message_sent_along_is_read_by_the_live_engine_and_told_with_reasons() {
    let server = Server::start().await;
    let parts = json!({
        "subject": "Sign in", "from": "no-reply@service.example",
        "text": "Your verification code is 482913. It expires in 10 minutes. Order 771204 is on its way.",
    });
    let found = server.rest.post("/extract/test", parts).await.data();
    assert_eq!(found["code"]["value"], "482913");
    assert_eq!(found["code"]["expires_in_seconds"], 600);
    let best = &found["codes"][0];
    assert_eq!((&best["value"], &best["source"]), (&json!("482913"), &json!("text")));
    assert_eq!(best["span"], json!({"part": 0, "start": 26, "end": 32}));
    assert!(best["confidence"].as_f64().unwrap() > 0.9);
    assert!(!best["rule"].as_str().unwrap().is_empty() && best["reason"].as_str().unwrap().ends_with('.'));
    assert!(found["codes"].as_array().unwrap().iter().any(|one| one["value"] == "771204"));

    let raw = "Subject: =?utf-8?Q?Sign_in?=\r\nContent-Type: text/html\r\n\r\n<p>Your login code:</p><h1>48 29 13</h1>";
    let found = server.rest.post("/extract/test", json!({"raw": raw})).await.data();
    assert_eq!((&found["code"]["value"], &found["code"]["display"]), (&json!("482913"), &json!("48 29 13")));
    assert_eq!(found["code"]["source"], "html");
}

#[tokio::test]
async fn the_rules_of_a_service_can_be_tried_out() {
    let server = Server::start().await;
    let text = "Ticket 55120. Item ZX-9911-Q is back in stock.";
    let rules = json!([{"sender": "service.example", "pattern": "\\b[A-Z]{2}-[0-9]{4}-[A-Z]\\b"}]);
    let ask = |from: &str| json!({"text": text, "from": from, "rules": rules});
    let found = server.rest.post("/extract/test", ask("team@mail.service.example")).await.data();
    assert_eq!(found["code"]["value"], "ZX-9911-Q");
    assert_eq!(found["code"]["rule"], "template:rules/0");
    let found = server.rest.post("/extract/test", ask("team@elsewhere.example")).await.data();
    assert_eq!(found["code"], json!(null));
    let wrong = json!({"text": "x", "rules": [{"pattern": "(\\w{500}){500}"}]});
    let problem = server.rest.post("/extract/test", wrong).await.problem(400, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/rules/0/pattern");
}

#[tokio::test]
async fn either_the_whole_message_or_its_parts_are_asked_for() {
    let server = Server::start().await;
    for body in [json!({}), json!({"raw": "x", "text": "y"})] {
        server.rest.post("/extract/test", body).await.problem(400, "invalid_input");
    }
}
