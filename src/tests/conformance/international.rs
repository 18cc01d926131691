//! Addresses and header fields beyond ASCII (RFC 6531, RFC 6532), and domains in both forms (RFC 5890).

use serde_json::json;

use super::*;

#[tokio::test]
async fn an_address_beyond_ascii_is_one_mailbox_in_every_form() {
    let examined = Examined::new().await;
    let server = &examined.server;
    server.rest.post("/domains", json!({ "name": "bücher.example" })).await.data();
    let made = server.rest.post("/mailboxes", json!({ "address": "Jörg@BÜCHER.example" })).await.data();
    let stored = "jörg@xn--bcher-kva.example";
    assert_eq!(made["mailbox"]["address"], stored);
    assert_eq!(made["mailbox"]["display_address"], "jörg@bücher.example");
    assert_eq!(made["mailbox"]["domain"], "xn--bcher-kva.example");
    let forms =
        ["jörg@bücher.example", "jörg@xn--bcher-kva.example", "JO\u{308}RG@XN--BCHER-KVA.example", "jörg@Bücher。example"];
    for (n, address) in forms.iter().enumerate() {
        let mut peer = examined.hello().await;
        peer.dialogue(&[
            ("MAIL FROM:<用户@例え.テスト> BODY=8BITMIME SMTPUTF8", "250 "),
            (&format!("RCPT TO:<{address}>"), "250 2.1.5 "),
            DATA,
            (&format!("From: 用户 <用户@例え.テスト>\r\nSubject: Grüße {n}\r\nX-Fün: f\r\n\r\nSchöne Grüße\r\n."), "250 2.0.0 "),
        ])
        .await;
        let shown = server.rest.get(&format!("/mailboxes/{address}")).await.data();
        assert_eq!((&shown["address"], &shown["message_count"]), (&json!(stored), &json!(n + 1)), "{address} over REST");
    }
    let newest = server.newest("jörg@bücher.example").await;
    assert_eq!((&newest["subject"], &newest["from_address"]), (&json!("Grüße 3"), &json!("用户@例え.テスト")));
    let email = server.rest.get(&format!("/messages/{}", newest["id"].as_str().unwrap())).await.data();
    assert_eq!(email["envelope"]["reverse_path"], "用户@例え.テスト");
    assert_eq!(email["envelope"]["protocol"], "UTF8SMTP");
    let trace = email["trace"].as_str().unwrap();
    assert!(trace.contains("with UTF8SMTP id ") && trace.contains("for <jörg@xn--bcher-kva.example>"), "{trace}");
    let domains = server.rest.all("/domains", 200).await;
    let domain = domains.iter().find(|domain| domain["name"] == "xn--bcher-kva.example").unwrap();
    assert_eq!(domain["display_name"], "bücher.example");
}

#[tokio::test]
async fn beyond_ascii_needs_smtputf8_and_a_labels_do_not() {
    let mut examined = Examined::new().await;
    examined.server.rest.post("/domains", json!({ "name": "bücher.example" })).await.data();
    examined.server.mailbox("info@bücher.example").await;
    let rows = [
        row("6531 3.5", "RCPT TO:<info@bücher.example>", "553 5.6.7 /550 5.6.7 "),
        row("6531 3.5", "RCPT TO:<jörg@example.org>", "553 5.6.7 /550 5.6.7 "),
        row("5890 2.3.2.1", "RCPT TO:<info@xn--bcher-kva.example>", "250 2.1.5 "),
        row("5890 2.3.2.1", "RCPT TO:<INFO@XN--BCHER-KVA.EXAMPLE>", "250 2.1.5 "),
        row("5890 2.3.2.1, no A-label", "RCPT TO:<info@xn--a.example>", "501 5./550 5."),
    ];
    examined.each_alone(&[EHLO, MAIL], &rows).await;
    let rows = [
        row("6531 3.3", "RCPT TO:<info@bücher.example>", "250 2.1.5 "),
        row("6531 3.3, mixed forms are one", "RCPT TO:<info@BÜCHER.example>", "250 2.1.5 "),
        row("6531 3.3, unknown", "RCPT TO:<niemand@bücher.example>", "550 5.1.1 "),
        row("6531 3.3, the same in another normal form", "RCPT TO:<info@bu\u{308}cher.example>", "250 2.1.5 "),
        row("6531 3.3, looks alike and is another", "RCPT TO:<info@b\u{fc}cher.ex\u{430}mple>", "550 5.7.1 /554 5.7.1 /501 5."),
        row("6531 3.1, VRFY", "VRFY jörg SMTPUTF8", "252 2."),
    ];
    examined.each_alone(&[EHLO, ("MAIL FROM:<a@example.net> SMTPUTF8", "250 ")], &rows).await;
    examined.passed();
}
