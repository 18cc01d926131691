//! Messages in chunks (RFC 3030).

use super::*;

const BINARY: (&str, &str) = ("MAIL FROM:<sender@example.net> BODY=BINARYMIME", "250 2.1.0");

#[tokio::test]
async fn chunks_are_put_together_octet_for_octet() {
    let every: Vec<u8> = (0..=255).collect();
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, BINARY, RCPT]).await;
    peer.send([b"BDAT 256\r\n", every.as_slice(), b"bdat 0\r\nBDAT 7\r\n\r\n.\r\n\n."].concat()).await;
    for octets in [256, 0, 7] {
        assert_eq!(peer.reply().await, format!("250 2.0.0 {octets} octets received"));
    }
    peer.send("BDAT 5 last\r\n.\r\nxyQUIT\r\n").await;
    assert!(peer.reply().await.starts_with("250 2.0.0 Stored as "));
    assert!(peer.reply().await.starts_with("221"));
    assert_eq!(peer.kept.contents(), [[every.as_slice(), b"\r\n.\r\n\n.", b".\r\nxy"].concat()]);
}

#[tokio::test]
async fn the_last_chunk_may_be_empty_and_so_may_the_message() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT]).await;
    peer.send("BDAT 3\r\none").await;
    assert!(peer.reply().await.starts_with("250 2.0.0 3"));
    peer.dialogue(&[("BDAT 0 LAST", "250 2.0.0 Stored"), MAIL, RCPT, ("BDAT 0 LAST", "250 2.0.0 Stored")]).await;
    peer.dialogue(&[MAIL, RCPT, DATA, ("two\r\n.", "250 2.0.0 Stored")]).await;
    assert_eq!(peer.kept.contents(), [&b"one"[..], b"", b"two\r\n"]);
}

#[tokio::test]
async fn a_refused_chunk_is_swallowed_and_its_octets_are_no_commands() {
    let smuggled = "MAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n";
    let bdat = format!("BDAT {}\r\n{smuggled}", smuggled.len());
    let last = bdat.replacen("\r\n", " LAST\r\n", 1);
    let odd = bdat.replacen("\r\n", " FIRST\r\n", 1);
    let mut peer = greeted(settings()).await;
    let mut refused = async |chunk: &str, expected: &str, before: &[(&str, &str)]| {
        peer.dialogue(before).await;
        peer.send(chunk).await;
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{chunk}: {reply}");
        assert!(peer.say("NOOP").await.starts_with("250 2.0.0"), "in step");
        assert_eq!(peer.kept.contents().len(), 0);
    };
    refused(&bdat, "503 5.5.1", &[]).await;
    refused(&bdat, "503 5.5.1", &[HELLO]).await;
    refused(&last, "554 5.5.1", &[MAIL]).await;
    refused(&last, "554 5.5.1", &[("RCPT TO:<nobody@example.org>", "550 5.1.1")]).await;
    refused(&odd, "501 5.5.4", &[RCPT]).await;
    refused(&bdat, "250 2.0.0", &[]).await;
    refused("BDAT\r\n", "501 5.5.4", &[]).await;
    refused("BDAT x LAST\r\n", "501 5.5.4", &[]).await;
    refused("RSET\r\n", "250 2.0.0", &[]).await;
    refused(&last, "503 5.5.1", &[]).await;
}

#[tokio::test]
async fn data_and_chunks_do_not_mix() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT]).await;
    peer.send("BDAT 3\r\none").await;
    assert!(peer.reply().await.starts_with("250 2.0.0"));
    peer.dialogue(&[
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<bob@example.org>", "503 5.5.1"),
        ("MAIL FROM:<a@example.net>", "503 5.5.1"),
        ("RSET", "250"),
        ("BDAT 0 LAST", "503 5.5.1"),
        BINARY,
        RCPT,
        ("DATA", "503 5.5.1"),
        HELLO,
        ("BDAT 0 LAST", "503 5.5.1"),
        MAIL,
        RCPT,
        DATA,
        ("x\r\n.", "250 2.0.0 Stored"),
        ("BDAT 0 LAST", "503 5.5.1"),
    ])
    .await;
    assert_eq!(peer.kept.contents(), [b"x\r\n"], "what RSET and EHLO dropped is in no message");
}

#[tokio::test]
async fn of_a_message_that_is_too_large_every_further_chunk_is_refused() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, BINARY, RCPT]).await;
    let chunk = [b"BDAT 60000\r\n".as_slice(), &vec![b'x'; 60_000]].concat();
    for expected in ["250 2.0.0", "552 5.3.4", "552 5.3.4"] {
        peer.send(&chunk).await;
        let reply = peer.reply().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    peer.dialogue(&[("DATA", "503"), ("BDAT 0 LAST", "552 5.3.4"), ("BDAT 0 LAST", "503 5.5.1"), MAIL, RCPT]).await;
    peer.send([b"BDAT 100000 LAST\r\n".as_slice(), &vec![b'x'; 100_000]].concat()).await;
    assert!(peer.reply().await.starts_with("250 2.0.0"), "just as large as allowed");
    peer.dialogue(&[MAIL, RCPT]).await;
    peer.send([b"BDAT 100001\r\n".as_slice(), &vec![b'x'; 100_001]].concat()).await;
    assert!(peer.reply().await.starts_with("552 5.3.4"));
    peer.dialogue(&[MAIL, RCPT, DATA, ("y\r\n.", "250 2.0.0 Stored")]).await;
    assert_eq!(peer.kept.contents().iter().map(Vec::len).collect::<Vec<_>>(), [100_000, 3], "MAIL starts anew after a refusal");
}

#[tokio::test]
async fn a_chunk_that_never_ends_is_cut_by_the_clock() {
    let mut peer = greeted(config::Smtp { data_timeout: Duration::from_millis(50), ..settings() }).await;
    peer.dialogue(&[HELLO, MAIL, RCPT]).await;
    peer.send("BDAT 99999999999999999999 LAST\r\nx\r\n.\r\nQUIT\r\n").await;
    assert!(peer.rest().await.starts_with("421 4.4.2"));
    assert!(peer.kept.contents().is_empty());
}
