//! CHUNKING and BINARYMIME (RFC 3030).

use super::*;

#[tokio::test]
async fn chunks_make_a_message_octet_for_octet() {
    let examined = Examined::new().await;
    let every: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let content = [b"Subject: binary\r\n\r\n", every.as_slice(), b"\r\n.\r\nMAIL FROM:<x>\r\n.\n..\r"].concat();
    for sizes in [vec![content.len()], vec![1, 2, 3, 0, 70_000], vec![10_000; 9]] {
        let mut peer = examined.hello().await;
        peer.dialogue(&[("MAIL FROM:<a@example.net> BODY=BINARYMIME", "250 "), RCPT]).await;
        let (mut all, mut rest) = (Vec::new(), content.as_slice());
        for size in &sizes {
            let (chunk, after) = rest.split_at(*size);
            all.extend(format!("BDAT {size}\r\n").into_bytes());
            all.extend(chunk);
            rest = after;
        }
        all.extend([format!("BDAT {} LAST\r\n", rest.len()).as_bytes(), rest, b"NOOP\r\n"].concat());
        // In one go (RFC 3030 section 4.2), and cut anywhere.
        for piece in all.chunks(33_333) {
            peer.send(piece).await;
        }
        for size in sizes {
            peer.expect(&format!("250 2.0.0 {size} octets")).await;
        }
        peer.expect("250 2.0.0 Stored").await;
        peer.expect("250 2.0.0 OK").await;
    }
    let stored = examined.stored().await;
    assert_eq!(stored.len(), 3);
    assert!(stored.iter().all(|message| message.0 == content));
}

#[tokio::test]
async fn a_chunk_that_is_refused_is_swallowed() {
    let mut examined = Examined::new().await;
    let commands = "RSET\r\nMAIL FROM:<x@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nsmuggled\r\n.\r\n";
    let chunk = |last: &str| format!("BDAT {}{last}\r\n{commands}", commands.len() + 2);
    let rows = [row("3030 2, before EHLO", chunk(" LAST"), "503 5.5.1 "), row("3030 2, before EHLO", chunk(""), "503 5.5.1 ")];
    examined.each_alone(&[], &rows).await;
    examined.each_alone(&[EHLO], &[row("3030 2, before MAIL", chunk(" LAST"), "503 5.5.1 ")]).await;
    examined.each_alone(&[EHLO, MAIL], &[row("3030 2, before RCPT", chunk(" LAST"), "554 5.5.1 /503 5.5.1 ")]).await;
    let rows = [
        row("3030 2, another word", chunk(" MIDDLE"), "501 5.5.4 "),
        row("3030 2, too much", chunk(" LAST LAST"), "501 5.5.4 "),
        row("3030 2, no size", "BDAT", "501 5.5.4 "),
        row("3030 2, no size", "BDAT LAST", "501 5.5.4 "),
        row("3030 2, no number", "BDAT -5 LAST", "501 5.5.4 "),
        row("3030 2, no number", "BDAT 0x5", "501 5.5.4 "),
    ];
    examined.each_alone(&[EHLO, MAIL, RCPT], &rows).await;
    assert!(examined.stored().await.is_empty());
    examined.passed();
}

#[tokio::test]
async fn chunks_data_and_rset_do_not_mix() {
    let mut examined = Examined::new().await;
    let mut peer = examined.hello().await;
    let rows = [
        row("3030 2", "MAIL FROM:<a@example.net>", "250 "),
        row("3030 2", "RCPT TO:<alice@example.org>", "250 "),
        row("3030 2", "BDAT 5\r\nabc", "250 2.0.0 5 "),
        row("3030 2, DATA after BDAT", "DATA", "503 5.5.1 "),
        row("3030 2", "RSET", "250 "),
        row("3030 2, RSET drops", "BDAT 5 LAST\r\nabc", "503 5.5.1 "),
        row("3030 3", "MAIL FROM:<a@example.net> BODY=BINARYMIME", "250 "),
        row("3030 3", "RCPT TO:<alice@example.org>", "250 "),
        row("3030 3, BINARYMIME needs BDAT", "DATA", "503 5.5.1 /554 "),
        row("3030 3", "BDAT 7 LAST\r\nkept\n", "250 2.0.0 Stored"),
        row("3030 2, after LAST", "BDAT 5 LAST\r\nabc", "503 5.5.1 "),
        row("3030 2, an empty last chunk", "MAIL FROM:<a@example.net>", "250 "),
        row("3030 2", "RCPT TO:<bob@example.org>", "250 "),
        row("3030 2", "BDAT 6\r\ntwo.", "250 2.0.0 6 "),
        row("3030 2", "BDAT 0 LAST", "250 2.0.0 Stored"),
    ];
    examined.in_turn(&mut peer, &rows).await;
    let stored: Vec<Vec<u8>> = examined.stored().await.into_iter().map(|message| message.0).collect();
    assert_eq!(stored, [b"kept\n\r\n".to_vec(), b"two.\r\n".to_vec()]);
    examined.passed();
}

#[tokio::test]
async fn a_message_in_chunks_has_the_same_limit() {
    let settings = RawConfig { smtp_max_message_bytes: Some(65_536.into()), ..RawConfig::default() };
    let examined = Examined::with(settings).await;
    let mut peer = examined.hello().await;
    let chunk = |size: usize, last: &str| [format!("BDAT {size}{last}\r\n").into_bytes(), vec![b'x'; size]].concat();
    peer.dialogue(&[MAIL, RCPT]).await;
    // One that says its size, and is too large, is read to its end (RFC 1870 section 6.3).
    peer.send([chunk(65_537, " LAST"), b"NOOP\r\n".to_vec()].concat()).await;
    peer.expect("552 5.3.4 ").await;
    peer.expect("250 ").await;
    peer.dialogue(&[MAIL, RCPT]).await;
    peer.send([chunk(40_000, ""), chunk(40_000, ""), chunk(5, " LAST")].concat()).await;
    peer.expect("250 ").await;
    peer.expect("552 5.3.4 ").await;
    peer.expect("552 5.3.4 ").await;
    peer.dialogue(&[MAIL, RCPT]).await;
    peer.send(chunk(65_536, " LAST")).await;
    peer.expect("250 2.0.0 Stored").await;
    assert_eq!(examined.stored().await.len(), 1);
}
