//! Trace fields (RFC 5321 section 4.4), and what must not get into them.

use super::*;

#[tokio::test]
async fn the_trace_says_where_a_message_came_from_and_names_nobody_else() {
    let examined = Examined::new().await;
    let mut peer = examined.hello().await;
    let one = peer.deliver(&["alice@example.org"], b"Bcc: hidden@example.net\r\n\r\nx\r\n").await;
    let two = peer.deliver(&["alice@example.org", "bob@example.org"], b"Subject: two\r\n\r\nx\r\n").await;
    assert!(one.starts_with("250 ") && two.starts_with("250 "));
    peer.dialogue(&[("HELO old.example", "250 "), ("MAIL FROM:<>", "250 "), RCPT, DATA, ("old\r\n.", "250 ")]).await;
    let stored = examined.stored().await;
    let (trace, id) = (&stored[0].1, one.rsplit(' ').next().unwrap());
    let pattern = regex::Regex::new(
        r"^Return-Path: <sender@example\.net>\r\nReceived: from peer\.example\.net \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org with ESMTP id (\S+)\r\n\tfor <alice@example\.org>;\r\n\t[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\nAuthentication-Results: mx\.example\.org; none\r\n$",
    );
    let found = pattern.unwrap();
    assert_eq!(&found.captures(trace).unwrap_or_else(|| panic!("{trace}"))[1], id, "the id that the peer was told");
    assert!(!trace.contains("hidden"), "{trace}");
    for (_, trace, _) in &stored[1..3] {
        assert!(!trace.contains("for <") && !trace.contains("bob"), "RFC 5321 7.2: no recipient learns of another: {trace}");
    }
    assert!(stored[3].1.starts_with("Return-Path: <>\r\n") && stored[3].1.contains(" with SMTP id "), "{}", stored[3].1);
}

#[tokio::test]
async fn nothing_that_a_peer_says_adds_a_line_to_the_trace() {
    let mut examined = Examined::new().await;
    let rows = [
        row("CVE-2026-23829", "EHLO a\rX-Injected: 1", "500 5./501 5."),
        row("CVE-2026-23829", "EHLO a\nX-Injected: 1", "500 5./501 5."),
        row("CVE-2026-23829", "EHLO a) X-Injected: (1", "501 5."),
        row("CVE-2026-23829", "EHLO <a>", "501 5."),
        row("CVE-2026-23829", "MAIL FROM:<a@example.net\rX-Injected: 1>", "500 5./501 5."),
        row("CVE-2026-23829", "MAIL FROM:<\"a\nX-Injected: 1\"@example.net>", "500 5./501 5."),
        row("CVE-2026-23829", b"MAIL FROM:<\"a\\\rX\"@example.net>", "500 5./501 5."),
    ];
    examined.each_alone(&[EHLO], &rows).await;
    examined.passed();
}

#[tokio::test]
async fn a_message_that_runs_in_circles_is_refused() {
    let examined = Examined::new().await;
    let mut peer = examined.hello().await;
    // RFC 5321 section 6.3: at least 100 hops must pass.
    for (hops, expected) in [(99, "250 2.0.0 "), (100, "250 2.0.0 "), (101, "554 5.4.6 "), (10_000, "554 5.4.6 ")] {
        let content =
            format!("{}Subject: x\r\n\r\nx\r\n", "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n".repeat(hops));
        let reply = peer.deliver(&["alice@example.org"], content.as_bytes()).await;
        assert!(reply.starts_with(expected), "{hops}: {reply}");
    }
    let in_the_body = format!("Subject: x\r\n\r\n{}", "Received: from a by b\r\n".repeat(200));
    assert!(peer.deliver(&["alice@example.org"], in_the_body.as_bytes()).await.starts_with("250 2.0.0 "));
    assert_eq!(examined.stored().await.len(), 3);
}
