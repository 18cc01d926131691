//! The order of commands (RFC 5321 sections 3.3 and 4.1.4).

use super::*;

#[tokio::test]
async fn commands_out_of_order_are_refused_and_change_nothing() {
    let mut examined = Examined::new().await;
    let mut peer = examined.greeted().await;
    let rows = [
        row("5321 4.1.4", "MAIL FROM:<a@example.net>", "503 5.5.1 "),
        row("5321 4.1.4", "RCPT TO:<alice@example.org>", "503 5.5.1 "),
        row("5321 4.1.4", "DATA", "503 5.5.1 "),
        row("3030 2", "BDAT 0 LAST", "503 5.5.1 "),
        row("5321 4.1.4", "EHLO peer.example.net", "250-"),
        row("5321 3.3", "RCPT TO:<alice@example.org>", "503 5.5.1 "),
        row("5321 3.3", "DATA", "503 5.5.1 /554 5.5.1 "),
        row("5321 4.1.1.2", "MAIL FROM:<a@example.net>", "250 2.1.0 "),
        row("5321 4.1.4, a refused MAIL keeps the first", "MAIL FROM:<b@example.net>", "503 5.5.1 "),
        row("5321 3.3", "DATA", "554 5.5.1 /503 5.5.1 "),
        row("5321 3.3, refused recipients are none", "RCPT TO:<nobody@example.org>", "550 5.1.1 "),
        row("5321 3.3", "DATA", "554 5.5.1 /503 5.5.1 "),
        row("5321 4.1.4, a refused EHLO changes nothing", "EHLO", "501 "),
        row("5321 4.1.4, nor does junk", "JUNK", "500 "),
        row("5321 4.1.4, nor NOOP, VRFY, HELP", "NOOP", "250 "),
        row("5321 3.3", "RCPT TO:<alice@example.org>", "250 2.1.5 "),
        row("5321 4.1.1.5", "RSET", "250 "),
        row("5321 4.1.1.5", "RCPT TO:<alice@example.org>", "503 5.5.1 "),
        row("5321 4.1.4", "MAIL FROM:<a@example.net>", "250 "),
        row("5321 4.1.4, EHLO is a RSET", "EHLO again.example.net", "250-"),
        row("5321 4.1.4", "RCPT TO:<alice@example.org>", "503 5.5.1 "),
        row("5321 4.1.4", "MAIL FROM:<a@example.net>", "250 "),
        row("5321 4.1.4, so is HELO", "HELO again.example.net", "250 "),
        row("5321 4.1.4", "DATA", "503 5.5.1 "),
        row("5321 4.1.1.5, RSET needs no transaction", "RSET", "250 "),
    ];
    examined.in_turn(&mut peer, &rows).await;
    // A refused MAIL in between must not have replaced the sender.
    let rows = [
        row("5321 3.3", "MAIL FROM:<first@example.net>", "250 "),
        row("5321 3.3", "MAIL FROM:<second@example.net>", "503 "),
        row("5321 3.3", "RCPT TO:<alice@example.org>", "250 "),
        row("5321 3.3", "DATA", "354 "),
        row("5321 3.3", "Subject: x\r\n\r\nx\r\n.", "250 2.0.0 "),
        row("5321 3.3, a transaction ends with its message", "DATA", "503 5.5.1 "),
        row("5321 3.3", "RCPT TO:<alice@example.org>", "503 5.5.1 "),
    ];
    examined.in_turn(&mut peer, &rows).await;
    let stored = examined.stored().await;
    assert_eq!(stored.len(), 1);
    assert!(stored[0].1.starts_with("Return-Path: <first@example.net>\r\n"), "{}", stored[0].1);
    examined.passed();
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order_and_none_is_lost() {
    let examined = Examined::new().await;
    // RFC 2920 section 3.2; the second message sits in the buffer while the first is stored.
    let message = |to: &str, text: &str| format!("MAIL FROM:<a@example.net>\r\nRCPT TO:<{to}>\r\nDATA\r\n{text}\r\n.\r\n");
    let all = [
        "EHLO peer.example.net\r\nNOOP\r\n",
        &message("alice@example.org", "one"),
        "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nDATA\r\n",
        &message("bob@example.org", "two").replacen("MAIL FROM:<a@example.net>", "MAIL FROM:<again@example.net>", 1),
        "QUIT\r\n",
    ]
    .concat();
    for size in [all.len(), 1, 7] {
        let before = examined.stored().await.len();
        let mut peer = examined.greeted().await;
        for piece in all.as_bytes().chunks(size) {
            peer.send(piece).await;
        }
        let rest = peer.rest().await;
        let codes: Vec<&str> = rest.lines().filter(|line| line.get(3..4) == Some(" ")).filter_map(|line| line.get(..3)).collect();
        let expected = ["250", "250", "250", "250", "354", "250", "250", "250", "550", "554", "503", "250", "354", "250", "221"];
        assert_eq!(codes, expected, "in pieces of {size}: {rest}");
        let stored = examined.stored().await;
        let stored: Vec<&[u8]> = stored[before..].iter().map(|message| message.0.as_slice()).collect();
        assert_eq!(stored, [b"one\r\n", b"two\r\n"], "in pieces of {size}");
    }
}
