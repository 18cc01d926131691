//! A peer that speaks SMTP as a test wants it, octet by octet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, plain or encrypted.
pub(crate) struct SmtpClient<S = TcpStream> {
    stream: BufStream<S>,
}

impl SmtpClient {
    /// Connects; the greeting is yet to be read.
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        Self { stream: BufStream::new(TcpStream::connect(server).await.unwrap()) }
    }

    /// Connects, reads the greeting and says EHLO.
    pub(crate) async fn hello(server: SocketAddr) -> Self {
        let mut client = Self::connect(server).await;
        client.expect("220 ").await;
        client.dialogue(&[("EHLO peer.example.net", "250-")]).await;
        client
    }

    /// Says STARTTLS and shakes hands, trusting this certificate only.
    pub(crate) async fn start_tls(mut self, certificate_pem: &[u8], name: &'static str) -> SmtpClient<TlsStream<TcpStream>> {
        self.dialogue(&[("STARTTLS", "220 2.0.0")]).await;
        self.shake_hands(certificate_pem, name).await
    }

    /// Shakes hands after the server said that it is ready to.
    pub(crate) async fn shake_hands(self, certificate_pem: &[u8], name: &'static str) -> SmtpClient<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate_pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, self.stream.into_inner()).await.unwrap();
        SmtpClient { stream: BufStream::new(stream) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SmtpClient<S> {
    /// Sends octets as they are.
    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends as much as the server takes before it closes.
    pub(crate) async fn send_what_goes(&mut self, octets: &[u8]) {
        let write = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        let _ = tokio::time::timeout(PATIENCE, write).await;
    }

    /// Closes this side for writing.
    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// One reply, its lines joined by `|`; empty where the server closed.
    pub(crate) async fn reply(&mut self) -> String {
        self.reply_within(PATIENCE).await
    }

    /// One reply, which may take so long.
    pub(crate) async fn reply_within(&mut self, patience: Duration) -> String {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            tokio::time::timeout(patience, self.stream.read_line(&mut line)).await.expect("a reply in time").unwrap();
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if last {
                return lines.join("|");
            }
        }
    }

    /// Reads one reply and expects it to start like this.
    pub(crate) async fn expect(&mut self, start: &str) -> String {
        let reply = self.reply().await;
        assert!(reply.starts_with(start), "{reply}, not {start}");
        reply
    }

    /// Says each line and expects its reply to start like this.
    pub(crate) async fn dialogue(&mut self, lines: &[(&str, &str)]) {
        for (line, expected) in lines {
            self.send(format!("{line}\r\n")).await;
            let reply = self.reply().await;
            assert!(reply.starts_with(expected), "{line}: {reply}, not {expected}");
        }
    }

    /// Goes through a whole transaction; returns the reply to the message, whose content is sent as it is, without dots added.
    pub(crate) async fn deliver(&mut self, recipients: &[&str], content: &[u8]) -> String {
        self.dialogue(&[("MAIL FROM:<sender@example.net>", "250 ")]).await;
        for recipient in recipients {
            self.dialogue(&[(&format!("RCPT TO:<{recipient}>"), "250 ")]).await;
        }
        self.dialogue(&[("DATA", "354 ")]).await;
        self.send([content, b".\r\n"].concat()).await;
        self.reply().await
    }

    /// Everything up to where the server closes, or breaks the connection.
    pub(crate) async fn rest_octets(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("the end in time");
        rest
    }

    /// Everything up to where the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("the end in time").unwrap();
        String::from_utf8(rest).unwrap()
    }
}
