//! Only CRLF ends a line, and only CRLF.CRLF a message (RFC 5321 sections 2.3.8 and 4.1.1.4; CVE-2023-51764, -51765, -51766).

use super::*;

/// What follows a false end, to see whether it is taken for commands.
const SMUGGLED: &str = "MAIL FROM:<admin@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n";

/// Looks like the end of a message, and is none.
const ALIKE: [&[u8]; 18] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\r.\n",
    b"\n.\r",
    b"\n\n.\r\n",
    b"\n\r.\r\n",
    b"\r\r.\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n. \r\n",
    b"\r\n .\r\n",
    b"\r\n\n.\r\n",
    b"\r\n\r.\r\n",
];

/// The same right after 354.
const AT_ONCE: [&[u8]; 5] = [b".\n", b".\r", b"\n.\r\n", b"\r.\r\n", b".\r\r\n"];

/// What a careful reader keeps of the octets between 354 and the end: one dot is gone from each line that opens with one.
fn kept(sent: &[u8]) -> Vec<u8> {
    let (mut out, mut at_start) = (Vec::new(), true);
    for (at, &octet) in sent.iter().enumerate() {
        if !(at_start && octet == b'.') {
            out.push(octet);
        }
        at_start = octet == b'\n' && at > 0 && sent[at - 1] == b'\r';
    }
    out
}

#[tokio::test]
async fn what_looks_like_the_end_of_a_message_is_content() {
    let mut examined = Examined::new().await;
    let inside = ALIKE.iter().map(|end| [b"Subject: one\r\n\r\na", *end, SMUGGLED.as_bytes()].concat());
    let at_once = AT_ONCE.iter().map(|end| [*end, SMUGGLED.as_bytes()].concat());
    for (n, content) in inside.chain(at_once).enumerate() {
        for size in [content.len(), 1] {
            let mut peer = examined.hello().await;
            peer.dialogue(&[MAIL, RCPT, DATA]).await;
            for piece in content.chunks(size) {
                peer.send(piece).await;
            }
            peer.send(".\r\nQUIT\r\n").await;
            let rest = peer.rest().await;
            let codes: Vec<&str> = rest.lines().filter_map(|line| line.get(..3)).collect();
            if codes != ["250", "221"] {
                examined.fault("5321 4.1.1.4", &content, &format!("number {n}, in pieces of {size}: {rest}"));
            }
            let (octets, _, recipient) = examined.stored().await.pop().unwrap_or_default();
            if octets != kept(&content) || recipient != "alice@example.org" {
                examined.fault("5321 4.1.1.4", &content, &format!("number {n} is not kept as it came"));
            }
        }
    }
    assert_eq!(examined.stored().await.len(), 2 * (ALIKE.len() + AT_ONCE.len()), "one message each");
    assert!(examined.server.subjects("bob@example.org").await.is_empty(), "none was smuggled");
    examined.passed();
}

#[tokio::test]
async fn a_bare_line_feed_or_carriage_return_ends_no_command() {
    let mut examined = Examined::new().await;
    for end in ["\n", "\r", "\n\r", "\0\n", "\r\0\n"] {
        let mut peer = examined.hello().await;
        peer.send(["MAIL FROM:<a@example.net>", "RCPT TO:<alice@example.org>", "DATA", "x", "."].join(end)).await;
        peer.send(format!("{end}NOOP\r\nNOOP\r\n")).await;
        let (first, second) = (peer.reply().await, peer.reply().await);
        if !first.starts_with("500 5.5.2 ") || !second.starts_with("250 2.0.0 ") {
            examined.fault("5321 2.3.8", end.as_bytes(), &format!("{first}, then {second}"));
        }
    }
    assert!(examined.stored().await.is_empty());
    examined.passed();
}
