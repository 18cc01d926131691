//! Commands and their answers.

use super::*;

#[tokio::test]
async fn a_message_goes_through_from_greeting_to_goodbye() {
    let mut peer = greeted(settings()).await;
    let hello = peer.say("EHLO peer.example.net").await;
    let keywords = "PIPELINING|250-SIZE 100000|250-8BITMIME|250-SMTPUTF8|250-CHUNKING|250-BINARYMIME|\
                    250-ENHANCEDSTATUSCODES|250-LIMITS MAILMAX=1000 RCPTMAX=100|250 HELP";
    assert_eq!(hello, format!("250-mx.example.org|250-{keywords}"), "only what works is announced");
    peer.dialogue(&[MAIL, RCPT, ("rcpt to:<bob@EXAMPLE.org>", "250 2.1.5"), DATA]).await;
    let reply = peer.say("Subject: x\r\n\r\n..dot\r\n.").await;
    assert!(reply.starts_with("250 2.0.0 Stored as "), "{reply}");
    assert_eq!(peer.kept.confirmed(), 0, "nothing shows yet that the peer has the answer");
    peer.dialogue(&[("QUIT", "221 2.0.0")]).await;
    assert_eq!(peer.rest().await, "");
    peer.session.await.expect("no fault");
    assert_eq!(peer.kept.confirmed(), 1, "QUIT came after the answer");
    assert_eq!(peer.kept.contents(), [b"Subject: x\r\n\r\n.dot\r\n"]);
    let messages = peer.kept.messages.lock().expect("sound");
    let message = messages.first().expect("kept");
    assert_eq!(message.envelope.reverse_path, "sender@example.net");
    assert_eq!((message.envelope.protocol, message.envelope.helo.as_str()), ("ESMTP", "peer.example.net"));
    assert!(message.trace.starts_with("Return-Path: <sender@example.net>\r\nReceived: from peer.example.net ([192.0.2.1])\r\n"));
    assert!(!message.trace.contains("alice"), "with two recipients none is named");
}

#[tokio::test]
async fn commands_out_of_order_change_nothing() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        ("MAIL FROM:<a@example.net>", "503 5.5.1"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("VRFY alice", "252 2.0.0"),
        ("HELP", "214-2.0.0"),
        ("EHLO", "501 5.5.4"),
        ("MAIL FROM:<a@example.net>", "503 5.5.1"),
        HELLO,
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:<a@@example.net>", "501 5.1.7"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        MAIL_AGAIN,
        ("DATA", "554 5.5.1"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("DATA", "554 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("XYZZY", "500 5.5.1"),
        RCPT,
        ("RSET", "250 2.0.0"),
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        HELLO,
        ("RCPT TO:<alice@example.org>", "503 5.5.1"),
        MAIL,
        ("HELO peer", "250 mx.example.org"),
        ("DATA", "503 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("EXPN list", "502 5.5.1"),
        ("QUIT x", "501 5.5.4"),
        ("QUIT", "221 2.0.0"),
    ])
    .await;
}

const MAIL_AGAIN: (&str, &str) = ("MAIL FROM:<other@example.net>", "503 5.5.1");

#[tokio::test]
async fn recipients_are_decided_each_on_its_own() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        HELLO,
        ("MAIL FROM:<>", "250 2.1.0"),
        ("RCPT TO:<Postmaster>", "250 2.1.5"),
        ("RCPT TO:<POSTMASTER@example.org>", "250 2.1.5"),
        ("RCPT TO:<alice@example.org>", "250 2.1.5"),
        ("RCPT TO:<\"alice\"@EXAMPLE.ORG>", "250 2.1.5"),
        ("RCPT TO:<\"al\\ice\"@example.org>", "250 2.1.5"),
        ("RCPT TO:<@a.example,@b.example:bob@example.org>", "250 2.1.5"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("RCPT TO:<trashed@example.org>", "550 5.2.1"),
        ("RCPT TO:<a@example.net>", "550 5.7.1"),
        ("RCPT TO:<away@example.org>", "451 4.3.0"),
        ("RCPT TO:<@example.org:a@example.net>", "550 5.7.1"),
        ("RCPT TO:<a@sub.example.org>", "550 5.7.1"),
        ("RCPT TO:<a@xexample.org>", "550 5.7.1"),
        ("RCPT TO:<a@[192.0.2.9]>", "550 5.7.1"),
        ("RCPT TO:<a@localhost>", "550 5.7.1"),
        ("RCPT TO:<a@example.net.>", "501 5.1.3"),
        ("RCPT TO:<a@example.net@example.org>", "501 5.1.3"),
        ("RCPT TO:<a@@example.org>", "501 5.1.3"),
        ("RCPT TO:<\"a@example.net\"@example.com>", "550 5.7.1"),
        ("RCPT TO:alice@example.org", "501 5.1.3"),
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<alice>", "501 5.1.3"),
        ("RCPT TO:<alice@example.org> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<用户@example.org>", "553 5.6.7"),
        DATA,
    ])
    .await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(peer.kept.recipients(), [["alice@example.org", "bob@example.org", "postmaster@example.org"]], "each once");
}

#[tokio::test]
async fn parameters_of_mail_are_checked() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[
        HELLO,
        ("MAIL FROM:<a@example.net> SIZE=100001", "552 5.3.4"),
        ("MAIL FROM:<a@example.net> SIZE=18446744073709551617", "552 5.3.4"),
        ("MAIL FROM:<a@example.net> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:<a@example.net> BODY=BINARY", "501 5.5.4"),
        ("MAIL FROM:<a@example.net> REQUIRETLS", "555 5.5.4"),
        ("MAIL FROM:<ü@example.net>", "553 5.6.7"),
        ("MAIL FROM:a@example.net", "501 5.1.7"),
        ("MAIL FROM:<Postmaster>", "501 5.1.7"),
        ("MAIL FROM <a@example.net>", "501 5.5.2"),
        ("MAIL FROM:<ü@example.net> SMTPUTF8 BODY=8BITMIME SIZE=100000", "250 2.1.0"),
        ("RCPT TO:<用户@example.org>", "250 2.1.5"),
        DATA,
    ])
    .await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    let messages = peer.kept.messages.lock().expect("sound");
    assert_eq!(messages.first().expect("kept").envelope.protocol, "UTF8SMTP");
}

#[tokio::test]
async fn above_the_limit_of_recipients_the_rest_is_asked_for_later() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL]).await;
    for n in 0..100 {
        peer.dialogue(&[(&format!("RCPT TO:<r{n}@example.org>"), "250 2.1.5")]).await;
    }
    peer.dialogue(&[("RCPT TO:<more@example.org>", "452 4.5.3"), DATA]).await;
    assert!(peer.say("x\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(peer.kept.recipients().first().expect("kept").len(), 100);
}

#[tokio::test]
async fn lines_that_are_broken_or_too_long_are_one_command_each() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, ("NOOP\nQUIT", "500 5.5.2"), ("NOOP\rQUIT", "500 5.5.2"), ("NOOP\0", "500 5.5.2")]).await;
    peer.send([b"MAIL FROM:<".as_slice(), &vec![b'a'; 100_000], b"\r\nNOOP\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("500 5.5.6"));
    assert!(peer.reply().await.starts_with("250 2.0.0"), "the session goes on");
    peer.send(b"NOOP \xff\xfe\r\n").await;
    assert!(peer.reply().await.starts_with("500 5.5.2"));
    peer.dialogue(&[(&format!("NOOP {}", "x".repeat(505)), "250 2.0.0")]).await;
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order_and_none_is_lost() {
    let mut peer = greeted(settings()).await;
    peer.send(
        "EHLO a.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n",
    )
    .await;
    for expected in ["250-", "250 2.1.0", "550 5.1.1", "250 2.1.5", "354 "] {
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{reply}, not {expected}");
    }
    peer.send("one\r\n.\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n").await;
    let rest = peer.rest().await;
    let codes: Vec<&str> = rest.lines().filter_map(|line| line.get(..3)).collect();
    assert_eq!(codes, ["250", "250", "250", "354", "250", "221"]);
    assert_eq!(peer.kept.contents(), [b"one\r\n", b"two\r\n"]);
}
