//! A sender as the world has them: keeps a message until it is acknowledged, and comes back with it.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// How long a reply may take before the sender gives the connection up.
const REPLY: Duration = Duration::from_secs(30);
/// How long a sender keeps a message before the test fails.
const PATIENCE: Duration = Duration::from_mins(3);

/// One sender, with at most one connection.
pub(crate) struct Sender {
    server: SocketAddr,
    session: Option<BufStream<TcpStream>>,
}

impl Sender {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, session: None }
    }

    /// Sends a message until it is acknowledged. Anything but a 2yz or 4yz reply fails the test.
    pub(crate) async fn deliver(&mut self, recipient: &str, content: &[u8]) {
        let patience = Instant::now() + PATIENCE;
        while !matches!(self.attempt(recipient, content).await, Ok(true)) {
            // Whatever was wrong, it starts anew.
            self.session = None;
            assert!(Instant::now() < patience, "{recipient}: not acknowledged");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Ends the session as it should.
    pub(crate) async fn quit(mut self) {
        let _ = self.say(b"QUIT\r\n").await;
    }

    /// Tries once; false where the server asks to come back.
    async fn attempt(&mut self, recipient: &str, content: &[u8]) -> Result<bool> {
        if self.session.is_none() {
            self.session = Some(BufStream::new(TcpStream::connect(self.server).await?));
            if self.reply().await? != 220 || self.say(b"EHLO peer.example.net\r\n").await? != 250 {
                return Ok(false);
            }
        }
        let envelope = format!("RCPT TO:<{recipient}>\r\n");
        for (line, expected) in
            [(&b"MAIL FROM:<sender@example.net>\r\n"[..], 250), (envelope.as_bytes(), 250), (b"DATA\r\n", 354)]
        {
            if self.say(line).await? != expected {
                return Ok(false);
            }
        }
        Ok(self.say(&[content, b".\r\n"].concat()).await? == 250)
    }

    async fn say(&mut self, octets: &[u8]) -> Result<u16> {
        let session = self.session.as_mut().ok_or(ErrorKind::NotConnected)?;
        session.write_all(octets).await?;
        session.flush().await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<u16> {
        let session = self.session.as_mut().ok_or(ErrorKind::NotConnected)?;
        loop {
            let mut line = String::new();
            tokio::time::timeout(REPLY, session.read_line(&mut line)).await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(ErrorKind::UnexpectedEof)?;
            assert!(code < 500, "a refusal for good: {line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(code);
            }
        }
    }
}
