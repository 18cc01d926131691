//! What becomes of the octets of a message.

use super::*;

#[tokio::test]
async fn what_a_message_holds_is_kept_octet_for_octet() {
    let mut peer = greeted(settings()).await;
    let every: Vec<u8> = (0..=255).collect();
    let content = [every.as_slice(), b"\r\n", &[b'x'; 5000], b"\r\n a\rb\nc\n.\nd\r.\re\r\n"].concat();
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send([content.as_slice(), b".\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"));
    peer.dialogue(&[MAIL, RCPT, DATA]).await;
    assert!(peer.say(".").await.starts_with("250 2.0.0"), "an empty message");
    assert_eq!(peer.kept.contents(), [content, Vec::new()]);
}

#[tokio::test]
async fn what_looks_like_the_end_of_a_message_starts_no_second_one() {
    let alike = ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r\n.\r\r\n", "\r\n.\0\r\n", "\n\n.\r\n"];
    for end in alike {
        let mut peer = greeted(settings()).await;
        peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
        let smuggled = "MAIL FROM:<admin@example.org>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nsmuggled\r\n.\r\n";
        peer.send(format!("one{end}{smuggled}QUIT\r\n")).await;
        let rest = peer.rest().await;
        assert_eq!(rest.matches("250 ").count(), 1, "{end:?}: {rest}");
        assert_eq!(peer.kept.contents().len(), 1, "{end:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_read_to_its_end_and_refused() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    for _ in 0..2000 {
        peer.send([&[b'x'; 998][..], b"\r\n"].concat()).await;
    }
    assert!(peer.say(".").await.starts_with("552 5.3.4"));
    peer.dialogue(&[("DATA", "503 5.5.1"), MAIL, RCPT, DATA]).await;
    peer.send([vec![b'x'; 99_998].as_slice(), b"\r\n.\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"), "just as large as allowed");
    assert_eq!(peer.kept.contents().iter().map(Vec::len).collect::<Vec<_>>(), [100_000]);
}

#[tokio::test]
async fn without_memory_a_message_waits_on_disk() {
    let mut peer = greeted(config::Smtp { max_memory_octets: 16 * 1024, ..settings() }).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send([vec![b'x'; 50_000].as_slice(), b"\r\n.\r\n"].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"));
    assert_eq!(peer.kept.contents().iter().map(Vec::len).collect::<Vec<_>>(), [50_002]);
}

#[tokio::test]
async fn a_message_that_runs_in_circles_is_refused() {
    let mut peer = greeted(settings()).await;
    for (hops, expected) in [(100, "250 2.0.0"), (101, "554 5.4.6")] {
        peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
        peer.send(format!("{}\r\nx\r\n.\r\n", "Received: x\r\n".repeat(hops))).await;
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{hops}: {reply}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_put_off() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, ("MAIL FROM:<full@example.net>", "250"), RCPT, DATA]).await;
    assert!(peer.say("x\r\n.").await.starts_with("451 4.3.0"));
    peer.dialogue(&[MAIL, RCPT]).await;
}

#[tokio::test]
async fn a_message_of_a_forged_sender_is_refused_for_good_and_the_session_lives() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, ("MAIL FROM:<forged@example.net>", "250 2.1.0"), RCPT, DATA]).await;
    let reply = peer.say("text\r\n.").await;
    assert!(reply.starts_with("550 5.7.26 ") && reply.contains("example.net"), "{reply}");
    peer.dialogue(&[MAIL, RCPT, DATA]).await;
    assert!(peer.say("text\r\n.").await.starts_with("250 2.0.0"));
}
