//! What callers may take of the HTTP listener, octet by octet.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pillarbox::config::RawConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::server::Server;

async fn impatient() -> Server {
    let settings = RawConfig {
        http_header_timeout_seconds: Some(1.into()),
        http_body_timeout_seconds: Some(1.into()),
        ..RawConfig::default()
    };
    Server::start_with(settings).await
}

async fn connect(server: SocketAddr, octets: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(octets.as_ref()).await.unwrap();
    stream
}

/// Everything up to where the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("the server closes");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn who_is_slow_with_headers_or_body_is_not_waited_for() {
    let server = impatient().await;
    let began = Instant::now();
    let mut idle = connect(server.http, b"").await;
    let mut slow_headers = connect(server.http, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    let key = &server.key;
    let post = format!(
        "POST /api/v1/mailboxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    );
    let mut slow_body = connect(server.http, format!("{post}Content-Length: 100\r\n\r\n{{\"address\"")).await;
    let mut endless = connect(server.http, format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"add\r\n")).await;
    assert_eq!(rest(&mut idle).await, "");
    assert!(!rest(&mut slow_headers).await.starts_with("HTTP/1.1 200"));
    assert!(rest(&mut slow_body).await.starts_with("HTTP/1.1 408"));
    assert!(rest(&mut endless).await.starts_with("HTTP/1.1 408"));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(server.stranger().request("GET", "/domains", None).await.status, 401, "the others are served");
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let server = Server::start().await;
    let many: String = (0..10_000).map(|n| format!("X-{n}: x\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "x".repeat(300_000));
    for headers in [many, large] {
        let mut stream = TcpStream::connect(server.http).await.unwrap();
        // The server may close before all is written.
        let _ = stream.write_all(format!("GET /livez HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 431");
    }
    let key = &server.key;
    let post = format!(
        "POST /api/v1/mailboxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    );
    for framing in ["Content-Length: 1073741824\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
        let mut stream = connect(server.http, format!("{post}{framing}")).await;
        let piece = format!("10000\r\n{}\r\n", "1".repeat(0x10000));
        for _ in 0..40 {
            if stream.write_all(piece.as_bytes()).await.is_err() {
                break;
            }
        }
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 413", "{framing}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_are_told_to_come_back() {
    let server = Server::start_with(RawConfig { http_max_connections: Some(3.into()), ..RawConfig::default() }).await;
    let request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    // The connections that the set-up used may linger for a moment.
    let mut held = Vec::new();
    while held.len() < 3 {
        let mut stream = connect(server.http, request).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        if &start == b"HTTP/1.1 200" {
            held.push(stream);
        }
    }
    let mut turned_away = connect(server.http, request).await;
    let answer = rest(&mut turned_away).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 5"), "{answer}");
    drop(held);
    let again = async {
        loop {
            let mut stream = connect(server.http, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            if rest(&mut stream).await.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("there is room again");
}
