//! Greeting, EHLO, the verbs and their replies.

use super::*;

#[tokio::test]
async fn the_verbs_answer_as_they_must() {
    let mut examined = Examined::new().await;
    let mut peer = SmtpClient::connect(examined.server.smtp).await;
    let greeting = peer.reply().await;
    assert!(greeting.starts_with("220 mx.example.org "), "RFC 5321 4.2, the name comes first: {greeting}");
    let rows = [
        row("5321 4.1.1.9", "NOOP", "250 2.0.0 "),
        row("5321 4.1.1.9", "NOOP with an argument", "250 2.0.0 "),
        row("5321 4.1.1.5", "RSET", "250 2.0.0 "),
        row("5321 4.1.1.8", "HELP", "214-2.0.0 "),
        row("5321 4.1.1.8", "HELP MAIL", "214-2.0.0 "),
        row("5321 7.3", "VRFY alice", "252 2."),
        row("5321 7.3", "VRFY nobody", "252 2."),
        row("5321 3.5.1", "VRFY", "501 5.5.4 "),
        row("5321 4.2.4", "EXPN list", "502 5.5.1 "),
        row("5321 4.2.4", "TURN", "502 5.5.1 /500 5.5.1 "),
        row("5321 4.2.4", "ETRN example.org", "502 5.5.1 /500 5.5.1 "),
        row("5321 4.2.4", "AUTH PLAIN AGEAYg==", "502 5.5.1 /503 5.5.1 "),
        row("5321 4.2.4", "XYZZY", "500 5.5.1 "),
        row("5321 4.2.4", "", "500 5."),
        row("5321 4.2.4", "EHLOX peer.example.net", "500 5.5.1 "),
        row("5321 4.1.1.1", "EHLO", "501 5.5."),
        row("5321 4.1.1.1", "HELO", "501 5.5."),
        row("5321 4.1.1.1", "EHLO peer.example.net", "250-mx.example.org|"),
        row("5321 2.4", "eHlO peer.example.net", "250-mx.example.org|"),
        row("5321 4.1.1.1", "HELO peer.example.net", "250 mx.example.org"),
        row("5321 4.1.1.1", "EHLO [192.0.2.1]", "250-"),
        row("5321 4.1.3", "EHLO [IPv6:2001:db8::1]", "250-"),
        row("5321 4.1.4, taken although it does not resolve", "EHLO no-such-host.invalid", "250-"),
        row("5321 4.1.1.1, tolerated", "EHLO my_host", "250-"),
        row("5321 4.1.1, spaces at the end", "NOOP   ", "250 "),
        row("5321 4.1.1.5", "RSET now", "501 5.5.4 "),
        row("5321 4.1.1.4", "DATA now", "501 5.5.4 "),
        row("5321 4.1.1.10", "QUIT now", "501 5.5.4 "),
        row("3207 4", "STARTTLS now", "501 5.5.4 "),
        row("5321 4.1.1.10", "QUIT", "221 2.0.0 "),
    ];
    examined.in_turn(&mut peer, &rows).await;
    assert_eq!(peer.rest().await, "", "RFC 5321 4.1.1.10: closed after QUIT");
    assert!(examined.stored().await.is_empty());
    examined.passed();
}

#[tokio::test]
async fn every_announced_keyword_works_and_no_other() {
    let mut examined = Examined::new().await;
    let mut peer = examined.greeted().await;
    peer.send("EHLO peer.example.net\r\n").await;
    let reply = peer.reply().await;
    assert!(is_well_formed(&reply), "{reply}");
    let keywords: Vec<&str> = reply.split('|').skip(1).filter_map(|line| line.get(4..)).collect();
    assert_eq!(
        keywords,
        [
            "PIPELINING",
            "SIZE 26214400",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "BINARYMIME",
            "ENHANCEDSTATUSCODES",
            "STARTTLS",
            "LIMITS MAILMAX=10000 RCPTMAX=1000",
            "HELP",
        ]
    );
    let rows = [
        row("1870 6.1", "MAIL FROM:<a@example.net> SIZE=26214400", "250 "),
        row("1870 6.1", "MAIL FROM:<a@example.net> SIZE=26214401", "552 5.3.4 "),
        row("6152", "MAIL FROM:<a@example.net> BODY=8BITMIME", "250 "),
        row("6152", "MAIL FROM:<a@example.net> body=7bit", "250 "),
        row("3030 3", "MAIL FROM:<a@example.net> BODY=BINARYMIME", "250 "),
        row("6531 3.4", "MAIL FROM:<a@example.net> SMTPUTF8", "250 "),
        row("8689 2, not announced outside TLS", "MAIL FROM:<a@example.net> REQUIRETLS", "555 5.5.4 "),
        row("3461, not announced", "MAIL FROM:<a@example.net> RET=HDRS ENVID=x", "555 5.5.4 "),
        row("4954, not announced", "MAIL FROM:<a@example.net> AUTH=<>", "555 5.5.4 "),
        row("2852, not announced", "MAIL FROM:<a@example.net> BY=100;R", "555 5.5.4 "),
        row("6710, not announced", "MAIL FROM:<a@example.net> MT-PRIORITY=3", "555 5.5.4 "),
    ];
    examined.each_alone(&[EHLO], &rows).await;
    let rows = [
        row("3461, not announced", "RCPT TO:<alice@example.org> NOTIFY=NEVER", "555 5.5.4 "),
        row("5321 4.1.1.11", "RCPT TO:<alice@example.org> X=Y", "555 5.5.4 "),
    ];
    examined.each_alone(&[EHLO, MAIL], &rows).await;
    examined.passed();
}

#[tokio::test]
async fn a_browser_cannot_be_led_here() {
    let examined = Examined::new().await;
    for verb in ["GET", "POST", "PUT", "OPTIONS", "CONNECT"] {
        let mut peer = examined.greeted().await;
        peer.send(format!(
            "{verb} / HTTP/1.1\r\nHost: mx.example.org\r\n\r\nEHLO a\r\nMAIL FROM:<a@example.net>\r\n\
             RCPT TO:<alice@example.org>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
        ))
        .await;
        let rest = peer.rest().await;
        assert!(rest.lines().all(|line| line.starts_with("421 ")), "{verb}: {rest}");
    }
    assert!(examined.stored().await.is_empty());
}

#[tokio::test]
async fn replies_are_well_formed_whatever_is_said() {
    let mut examined = Examined::new().await;
    let mut peer = examined.greeted().await;
    let long = format!("MAIL FROM:<{}@example.net>", "a".repeat(3000));
    let said =
        ["EHLO a", "XX", "HELP", "MAIL FROM:<x@>", &long, "MAIL FROM:<ü@example.net>", "RCPT TO:<x@y>", "VRFY %s%n", "DATA"];
    for line in said {
        peer.send(format!("{line}\r\n")).await;
        let reply = peer.reply().await;
        let has_enhanced = reply.split('|').all(|line| line.get(4..6).is_some_and(|code| code.ends_with('.')));
        if !is_well_formed(&reply) || (line != "EHLO a" && !has_enhanced) {
            examined.fault("5321 4.2, 2034 4", line.as_bytes(), &reply);
        }
        for inner in ["sqlx", "panicked", "/src/", "postgres", "rust"] {
            assert!(!reply.to_lowercase().contains(inner), "{reply}");
        }
    }
    examined.passed();
}
