//! Sizes, and peers that break off, dawdle or talk rubbish.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_session_lives_on() {
    let settings = RawConfig { smtp_max_message_bytes: Some(70_000.into()), ..RawConfig::default() };
    let examined = Examined::with(settings).await;
    let mut peer = examined.hello().await;
    let content = |size: usize| [vec![b'x'; size - 2], b"\r\n".to_vec()].concat();
    for (size, expected) in [(70_001, "552 5.3.4 "), (5_000_000, "552 5.3.4 "), (70_000, "250 2.0.0 "), (69_999, "250 2.0.0 ")] {
        let reply = peer.deliver(&["alice@example.org"], &content(size)).await;
        assert!(reply.starts_with(expected), "RFC 1870 6.3: {size}: {reply}");
    }
    let sizes: Vec<usize> = examined.stored().await.iter().map(|message| message.0.len()).collect();
    assert_eq!(sizes, [70_000, 69_999], "dots that were added do not count");
}

#[tokio::test]
async fn peers_that_break_off_leave_nothing_behind() {
    let examined = Examined::new().await;
    let whole = b"EHLO a\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n";
    for cut in 0..whole.len() {
        let mut peer = SmtpClient::connect(examined.server.smtp).await;
        peer.send(&whole[..cut]).await;
        if cut % 3 == 0 {
            peer.finish_sending().await;
        }
    }
    let mut peer = examined.hello().await;
    peer.dialogue(&[MAIL, RCPT]).await;
    peer.send("BDAT 100 LAST\r\nonly some").await;
    drop(peer);
    let mut peer = examined.hello().await;
    assert!(peer.deliver(&["alice@example.org"], b"after\r\n").await.starts_with("250 "));
    let stored = examined.stored().await;
    assert_eq!(stored.len(), 1, "RFC 5321 4.1.1.4: without the end there is no message");
    assert_eq!(stored[0].0, b"after\r\n");
}

#[tokio::test]
async fn endless_rubbish_is_cut_off_and_harms_nobody() {
    let examined = Examined::new().await;
    let mut rubbish = examined.greeted().await;
    let mut well = examined.hello().await;
    let said: Vec<u8> = (0..2_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    rubbish.send_what_goes(&said).await;
    assert!(well.deliver(&["alice@example.org"], b"well\r\n").await.starts_with("250 "));
    let mut junk = examined.greeted().await;
    junk.send_what_goes("junk\r\n".repeat(1000).as_bytes()).await;
    let rest = junk.rest_octets().await;
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.lines().last().unwrap_or_default().starts_with("421 4.7.0 "), "RFC 5321 3.8: told before it is closed: {rest}");
    assert_eq!(examined.stored().await.len(), 1);
}

#[tokio::test]
async fn two_hundred_connections_at_once_are_all_served() {
    let examined = Examined::new().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(examined.greeted().await);
    }
    let mut senders = JoinSet::new();
    for n in 0..100 {
        let address = examined.server.smtp;
        senders.spawn(async move {
            let mut peer = SmtpClient::hello(address).await;
            let content = format!("Subject: {n}\r\n\r\nx\r\n");
            assert!(peer.deliver(&["alice@example.org"], content.as_bytes()).await.starts_with("250 2.0.0 "));
            peer.dialogue(&[("QUIT", "221 ")]).await;
        });
    }
    senders.join_all().await;
    for peer in &mut idle {
        peer.dialogue(&[("NOOP", "250 ")]).await;
    }
    let mut stored: Vec<Vec<u8>> = examined.stored().await.into_iter().map(|message| message.0).collect();
    stored.sort();
    stored.dedup();
    assert_eq!(stored.len(), 100, "each exactly once");
}

/// RFC 5321 section 4.5.3.2: a slow peer is waited for. The waiting is real, so this takes half a minute.
#[tokio::test]
async fn slow_peers_are_waited_for() {
    let examined = Examined::new().await;
    let (mut idle, mut slow) = (examined.hello().await, examined.hello().await);
    slow.dialogue(&[MAIL, RCPT, DATA]).await;
    slow.send("Subject: slow\r\n\r\nfirst").await;
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(20)).await;
    slow.send(" and second\r\n.\r").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    slow.send("\n").await;
    slow.expect("250 2.0.0 ").await;
    idle.dialogue(&[("NOOP", "250 ")]).await;
    assert!(begun.elapsed() >= Duration::from_secs(30));
    assert_eq!(examined.stored().await[0].0, b"Subject: slow\r\n\r\nfirst and second\r\n");
}
