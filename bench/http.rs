//! An HTTP/1.1 client that keeps its connection, small enough not to be what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, address};

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    key: String,
    host: SocketAddr,
    input: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(server: &Server) -> Result<Self> {
        let stream = TcpStream::connect(server.http).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, key: server.key.clone(), host: server.http, input: Vec::with_capacity(16 * 1024) })
    }

    /// Asks for the code of a mailbox and returns the body of the answer, which has to be a success.
    pub(crate) async fn code(&mut self, mailbox: usize, wait: u32) -> Result<String> {
        self.get(&format!("/api/v1/admin/verification-code?mailbox={}&seconds=3600&wait={wait}", address(mailbox))).await
    }

    /// The body of the answer, which has to be a success.
    pub(crate) async fn get(&mut self, path: &str) -> Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n", self.host, self.key);
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<String> {
        self.input.clear();
        loop {
            if let Some(end) = memchr::memmem::find(&self.input, b"\r\n\r\n") {
                let head = std::str::from_utf8(self.input.get(..end).unwrap_or_default())?.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.context("an answer without its length")?.trim().parse()?;
                while self.input.len() < end + 4 + length {
                    self.more().await?;
                }
                let body = String::from_utf8_lossy(self.input.get(end + 4..).unwrap_or_default()).into_owned();
                if !head.starts_with("http/1.1 200") {
                    bail!("{}: {body}", head.lines().next().unwrap_or_default());
                }
                return Ok(body);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.input).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

/// The code in an answer.
pub(crate) fn code_in(body: &str) -> Option<&str> {
    body.split_once("\"code\":\"")?.1.split('"').next()
}
