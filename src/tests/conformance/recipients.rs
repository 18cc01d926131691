//! Who is accepted at RCPT, and who is not (RFC 5321 sections 3.4, 3.6, 4.5.1).

use super::*;

#[tokio::test]
async fn recipients_are_accepted_in_every_form_and_none_is_relayed() {
    let mut examined = Examined::new().await;
    let accepted = [
        ("5321 4.5.1", "<Postmaster>"),
        ("5321 4.5.1", "<postmaster@example.org>"),
        ("5321 4.5.1", "<POSTMASTER@EXAMPLE.ORG>"),
        ("5321 4.5.1", "<\"Postmaster\"@example.org>"),
        ("5321 2.4, domains match without case", "<alice@EXAMPLE.Org>"),
        ("5321 2.4, so do our local parts", "<Alice@example.org>"),
        ("5321 4.1.2, quoted forms are equal", "<\"alice\"@example.org>"),
        ("5321 4.1.2, quoted pairs too", "<\"al\\ice\"@example.org>"),
        ("5233, sub-address", "<alice+news@example.org>"),
        ("5321 C, a source route is ignored", "<@hop.example,@other.example:alice@example.org>"),
    ];
    let rows: Vec<Row> = accepted.iter().map(|(rule, path)| row(rule, format!("RCPT TO:{path}"), "250 2.1.5 ")).collect();
    examined.each_alone(&[EHLO, MAIL], &rows).await;
    let refused = [
        ("5321 3.4", "<nobody@example.org>", "550 5.1.1 "),
        ("5321 3.6.2", "<alice@example.com>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, percent", "<alice%example.com@example.org>", "550 5."),
        ("no relay, bang", "<example.com!alice@example.org>", "550 5."),
        ("no relay, quoted @", "<\"alice@example.com\"@example.org>", "550 5."),
        ("no relay, two @", "<alice@example.com@example.org>", "501 5./553 5./550 5."),
        ("no relay, two @ at once", "<alice@@example.org>", "501 5./553 5."),
        ("no relay, source route", "<@example.org:alice@example.com>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, literal", "<alice@[127.0.0.1]>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, literal of version 6", "<alice@[IPv6:::1]>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, trailing dot", "<alice@example.org.>", "501 5./553 5./550 5."),
        ("no relay, subdomain", "<alice@sub.example.org>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, suffix", "<alice@notexample.org>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, prefix", "<alice@example.org.example.com>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, single label", "<alice@localhost>", "550 5.7.1 /554 5.7.1 "),
        ("no relay, encoded word", "<=?utf-8?q?alice@example.com?=@example.org>", "501 5./553 5./550 5."),
        ("5321 4.1.1.3", "<>", "501 5./550 5."),
        ("5321 4.1.1.3, only Postmaster needs no domain", "<alice>", "501 5./550 5."),
        ("5321 4.1.1.3", "alice@example.org", "501 5."),
        ("5321 4.1.1.3", "<alice@example.org", "501 5."),
        ("5321 4.1.1.3", "", "501 5."),
        ("5321 4.1.2", "<alice @example.org>", "501 5."),
        ("5321 4.1.2, a comment", "<alice(x)@example.org>", "501 5."),
        ("5321 4.1.2, a list", "<alice@example.org>,<bob@example.org>", "501 5."),
    ];
    let rows: Vec<Row> = refused.iter().map(|(rule, path, code)| row(rule, format!("RCPT TO:{path}"), code)).collect();
    examined.each_alone(&[EHLO, MAIL], &rows).await;
    examined.passed();
}

#[tokio::test]
async fn a_hundred_recipients_are_taken_and_above_the_limit_the_rest_is_asked_for_later() {
    let settings = RawConfig { smtp_max_recipients: Some(100.into()), ..RawConfig::default() };
    let mut examined = Examined::with(settings).await;
    let addresses: Vec<String> = (0..101).map(|n| format!("r{n}@example.org")).collect();
    examined.server.rest.post("/mailboxes/batch", serde_json::json!({ "addresses": addresses })).await.data();
    let mut peer = examined.hello().await;
    peer.dialogue(&[("MAIL FROM:<>", "250 ")]).await;
    for n in 0..100 {
        examined.in_turn(&mut peer, &[row("5321 4.5.3.1.8", format!("RCPT TO:<r{n}@example.org>"), "250 2.1.5 ")]).await;
    }
    let rows = [
        row("5321 4.5.3.1.10", "RCPT TO:<r100@example.org>", "452 4.5.3 "),
        row("5321 4.5.3.1.10, the others are kept", "DATA", "354 "),
        row("5321 4.5.3.1.10", "Subject: to many\r\n\r\nx\r\n.", "250 2.0.0 "),
    ];
    examined.in_turn(&mut peer, &rows).await;
    assert_eq!(examined.stored().await.len(), 100);
    examined.passed();
}
