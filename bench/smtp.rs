//! A peer that sends mail as fast as it is taken, in the way of a mail server: commands in one packet, the message in the next.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A session.
pub(crate) struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Peer {
    /// Connects and says EHLO.
    pub(crate) async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let mut this = Self { stream, input: Vec::with_capacity(1024) };
        this.reply().await?;
        this.stream.write_all(b"EHLO peer.example.net\r\n").await?;
        this.reply().await?;
        Ok(this)
    }

    /// Sends a message and answers with the code of the last reply: 250 where it was stored, 4yz where it was put off.
    pub(crate) async fn send(&mut self, recipient: &str, message: &[u8]) -> Result<u16> {
        let commands = format!("MAIL FROM:<bounce@mail.example.net>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
        self.stream.write_all(commands.as_bytes()).await?;
        for expected in [250, 250, 354] {
            let code = self.reply().await?;
            ensure!(code == expected, "a reply {code} to {}", commands.replace("\r\n", " / "));
        }
        let mut octets = Vec::with_capacity(message.len() + 3);
        octets.extend_from_slice(message);
        octets.extend_from_slice(b".\r\n");
        self.stream.write_all(&octets).await?;
        self.reply().await
    }

    /// Says goodbye, so that the server knows that the last reply was read.
    pub(crate) async fn quit(mut self) -> Result<()> {
        self.stream.write_all(b"QUIT\r\n").await?;
        self.reply().await?;
        Ok(())
    }

    /// Reads one reply of any number of lines.
    async fn reply(&mut self) -> Result<u16> {
        loop {
            while let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                if line.get(3) != Some(&b'-') {
                    return Ok(std::str::from_utf8(line.get(..3).unwrap_or_default())?.parse()?);
                }
            }
            let read = self.stream.read_buf(&mut self.input).await?;
            ensure!(read > 0, "the server closed the connection");
        }
    }
}
