//! How fast the protocol alone is.

use super::*;

/// The protocol alone: `cargo test --release --lib -- --ignored --nocapture messages_a_second`.
#[tokio::test]
#[ignore = "a measurement, for a release build"]
async fn messages_a_second() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let shared = Arc::new(Shared {
        room: room(&config::Smtp { max_memory_octets: 1 << 26, ..settings() }),
        settings: config::Smtp { max_messages_per_session: usize::MAX, ..settings() },
        hostname: "mx.example.org".to_owned(),
        intake: Kept::default(),
        tls: None,
        shutdown: CancellationToken::new(),
    });
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(Session::new(stream, peer.ip(), Arc::clone(&shared)).run());
        }
    });
    let (sessions, each) = (20, 2000);
    let message = format!("Subject: x\r\n\r\n{}.\r\n", "a line of text\r\n".repeat(120));
    let send = move || {
        let mut stream = std::net::TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("no delay");
        let mut octets = [0_u8; 1024];
        let mut say = |text: &str| {
            std::io::Write::write_all(&mut stream, text.as_bytes()).expect("sent");
            assert_ne!(std::io::Read::read(&mut stream, &mut octets).expect("a reply"), 0);
        };
        say("");
        say("EHLO a.example\r\n");
        for _ in 0..each {
            for part in ["MAIL FROM:<a@example.net>\r\n", "RCPT TO:<alice@example.org>\r\n", "DATA\r\n", &message] {
                say(part);
            }
        }
    };
    let start = std::time::Instant::now();
    let senders: Vec<_> = (0..sessions).map(|_| tokio::task::spawn_blocking(send.clone())).collect();
    for sender in senders {
        sender.await.expect("sent");
    }
    let rate = f64::from(sessions * each) / start.elapsed().as_secs_f64();
    eprintln!("{rate:.0} messages of 2 KB a second with {sessions} sessions, one thread for the server");
}
