//! How sessions end.

use super::*;

#[tokio::test]
async fn browsers_and_junk_are_sent_away() {
    let mut peer = greeted(settings()).await;
    peer.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO a\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n")
        .await;
    let rest = peer.rest().await;
    assert!(rest.starts_with("421 4.7.0") && rest.lines().count() == 1, "{rest}");
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[("XYZZY", "500 5.5.1"), ("NOOP", "250")]).await;
    for _ in 1..40 {
        peer.send("junk\r\n").await;
    }
    let rest = peer.rest().await;
    assert_eq!(rest.lines().filter(|line| line.starts_with("500 ")).count(), 39);
    assert!(rest.lines().last().expect("a last line").starts_with("421 4.7.0"), "{rest}");
}

#[tokio::test]
async fn who_takes_too_long_is_told_so() {
    let fast = config::Smtp { command_timeout: Duration::from_millis(50), ..settings() };
    assert!(greeted(fast.clone()).await.rest().await.starts_with("421 4.4.2"), "no command");
    let slow_data = config::Smtp { data_timeout: Duration::from_millis(50), ..settings() };
    let mut peer = greeted(slow_data).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    assert!(peer.rest().await.starts_with("421 4.4.2"), "no data");
    let short = config::Smtp { session_timeout: Duration::from_millis(50), ..settings() };
    assert!(greeted(short).await.rest().await.starts_with("421 4.4.2"), "no end");
}

#[tokio::test]
async fn when_the_server_stops_idle_sessions_end_and_messages_finish() {
    let mut idle = greeted(settings()).await;
    idle.shutdown.cancel();
    assert!(idle.rest().await.starts_with("421 4.3.2"));
    let mut busy = greeted(settings()).await;
    busy.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    busy.shutdown.cancel();
    busy.send("late\r\n").await;
    tokio::task::yield_now().await;
    assert!(busy.say(".").await.starts_with("250 2.0.0"));
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    assert_eq!(busy.kept.contents(), [b"late\r\n"]);
}

#[tokio::test]
async fn a_peer_that_is_gone_before_the_answer_has_not_got_it() {
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA]).await;
    peer.send("x\r\n.\r\n").await;
    drop(peer.stream);
    peer.session.await.expect("no fault");
    assert_eq!((peer.kept.contents().len(), peer.kept.confirmed()), (1, 0), "stored, and not known to be heard of");
    let mut peer = greeted(settings()).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA, ("x\r\n.", "250 2.0.0")]).await;
    drop(peer.stream);
    peer.session.await.expect("no fault");
    assert_eq!(peer.kept.confirmed(), 1, "closed after the answer");
}

#[tokio::test]
async fn messages_in_one_session_are_limited() {
    let mut peer = greeted(config::Smtp { max_messages_per_session: 1, ..settings() }).await;
    peer.dialogue(&[HELLO, MAIL, RCPT, DATA, ("x\r\n.", "250"), ("MAIL FROM:<a@example.net>", "421 4.7.0")]).await;
    assert_eq!(peer.rest().await, "");
}
