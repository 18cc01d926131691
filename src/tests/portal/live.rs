//! Live arrival, restricted to what a holder sees.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::House;
use crate::harness::server::{Server, note};
use crate::panel::Browser;

/// An open stream of events.
struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    async fn open(server: &Server, browser: &Browser) -> Self {
        let cookie = format!("pillarbox_portal={}", browser.cookie("pillarbox_portal").unwrap());
        let mut stream = TcpStream::connect(server.http).await.unwrap();
        let request = format!(
            "GET /portal/live HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n",
            server.http
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { stream, heard: String::new() };
        assert!(events.until("event: ready", 5).await, "{}", events.heard);
        events
    }

    /// Reads until a text was heard; false where it was not in time, or the stream ended.
    async fn until(&mut self, text: &str, seconds: u64) -> bool {
        let read = async {
            let mut piece = [0; 4096];
            while !self.heard.contains(text) {
                match self.stream.read(&mut piece).await {
                    Ok(0) | Err(_) => return false,
                    Ok(octets) => self.heard.push_str(&String::from_utf8_lossy(&piece[..octets])),
                }
            }
            true
        };
        tokio::time::timeout(Duration::from_secs(seconds), read).await.unwrap_or(false)
    }

    /// Whether the server ends the stream.
    async fn ends(&mut self, seconds: u64) -> bool {
        let read = async {
            let mut rest = Vec::new();
            let _ = self.stream.read_to_end(&mut rest).await;
        };
        tokio::time::timeout(Duration::from_secs(seconds), read).await.is_ok()
    }
}

#[tokio::test]
async fn a_stream_tells_of_own_mail_only_and_ends_with_its_session() {
    let house = House::build().await;
    let server = &house.server;
    let mut own = Events::open(server, &house.link().await).await;
    let mut shared = Events::open(server, &house.user().await).await;
    server.mail(&["theirs@example.org"], note("elsewhere", "text")).await;
    server.mail(&["ours@example.org"], note("for the members", "text")).await;
    assert!(shared.until("event: arrival", 5).await, "a member does not hear: {}", shared.heard);
    assert!(!own.until("event: arrival", 2).await, "a link hears of what it does not see");
    server.mail(&["mine@example.org"], note("for me", "text")).await;
    assert!(own.until("event: arrival", 5).await, "{}", own.heard);
    server.rest.delete(&format!("/mailboxes/mine@example.org/access-links/{}", house.link_id)).await.data();
    assert!(own.ends(9).await, "the stream goes on");
}
