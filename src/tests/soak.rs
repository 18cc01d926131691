//! Many peers that do nothing, half of something, or nothing to an end: mail goes on, and each comes to its end.

use std::time::Duration;

use pillarbox::config::RawConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::server::{Server, note};

/// A peer that sent this and then nothing more.
async fn stuck(server: &Server, octets: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.smtp).await.unwrap();
    stream.write_all(octets).await.unwrap();
    stream
}

#[tokio::test]
async fn peers_that_stand_still_keep_nobody_out_and_are_ended() {
    let settings = RawConfig {
        smtp_command_timeout_seconds: Some(4.into()),
        smtp_data_timeout_seconds: Some(4.into()),
        ..RawConfig::default()
    };
    let server = Server::start_with(settings).await;
    server.mailbox("alice@example.org").await;
    let half_a_message = b"EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nSubject: half\r\n";
    let mut peers = Vec::new();
    for n in 0..150 {
        peers.push(match n % 5 {
            0 => stuck(&server, b"").await,
            1 => stuck(&server, b"EHLO x.example\r\n").await,
            2 => stuck(&server, b"EHLO x.exam").await,
            3 => stuck(&server, half_a_message).await,
            // Asks and does not read the answers.
            _ => stuck(&server, "HELP\r\n".repeat(50).as_bytes()).await,
        });
    }
    for n in 0..20 {
        server.mail(&["alice@example.org"], note(&format!("{n}"), "x")).await;
    }
    assert_eq!(server.subjects("alice@example.org").await.len(), 20);
    for mut peer in peers {
        let mut rest = Vec::new();
        let read = peer.read_to_end(&mut rest);
        let _ = tokio::time::timeout(Duration::from_mins(1), read).await.expect("each is ended");
        assert!(String::from_utf8_lossy(&rest).contains("\r\n421 4.4.2 "), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn who_sends_a_message_more_slowly_than_allowed_is_cut() {
    let settings = RawConfig {
        smtp_data_timeout_seconds: Some(3.into()),
        smtp_command_timeout_seconds: Some(3.into()),
        smtp_min_bytes_per_second: Some(1000.into()),
        ..RawConfig::default()
    };
    let server = Server::start_with(settings).await;
    server.mailbox("alice@example.org").await;
    let begin = b"EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n";
    let drip = async |begin: &[u8], drop: &[u8]| {
        let (mut read, mut write) = stuck(&server, begin).await.into_split();
        let mut rest = Vec::new();
        let dripping = async {
            // Well within the time for each octet.
            while write.write_all(drop).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        tokio::select! {
            () = dripping => {}
            _ = read.read_to_end(&mut rest) => {}
            () = tokio::time::sleep(Duration::from_secs(30)) => panic!("never cut"),
        }
        let _ = read.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    };
    let rest = drip(begin, b"x").await;
    assert!(rest.contains("421 4.4.2 The message comes too slowly"), "{rest}");
    let rest = drip(b"", b"N").await;
    assert!(rest.contains("421 4.4.2 Waited too long"), "a command that never ends: {rest}");
}
