//! What RFC 5321 and its extensions ask of a receiving server, asked of the real one over real sockets, octet by octet.
//!
//! Each row names the section that it comes from. A failing test lists every row that does not hold, not only the first.

mod chunking;
mod content;
mod encryption;
mod endurance;
mod international;
mod line_ends;
mod order;
mod paths;
mod recipients;
mod session;
mod trace;

use pillarbox::config::RawConfig;
use sqlx::Row as _;

use crate::harness::server::Server;
use crate::harness::smtp_client::SmtpClient;

/// What is sent, and how the reply begins: in one of several ways, joined by `/`.
struct Row {
    /// The section that asks for it.
    rule: &'static str,
    send: Vec<u8>,
    expect: &'static str,
}

fn row(rule: &'static str, send: impl AsRef<[u8]>, expect: &'static str) -> Row {
    Row { rule, send: send.as_ref().to_vec(), expect }
}

impl Row {
    fn holds(&self, reply: &str) -> bool {
        self.expect.split('/').any(|start| reply.starts_with(start))
    }
}

const EHLO: (&str, &str) = ("EHLO peer.example.net", "250-");
const MAIL: (&str, &str) = ("MAIL FROM:<sender@example.net>", "250 2.1.0");
const RCPT: (&str, &str) = ("RCPT TO:<alice@example.org>", "250 2.1.5");
const DATA: (&str, &str) = ("DATA", "354 ");

/// A server for `example.org` with the mailboxes of alice and bob, and what was found wrong with it.
struct Examined {
    server: Server,
    faults: Vec<String>,
}

impl Examined {
    async fn new() -> Self {
        Self::with(RawConfig::default()).await
    }

    async fn with(settings: RawConfig) -> Self {
        let server = Server::start_with(settings).await;
        server.mailbox("alice@example.org").await;
        server.mailbox("bob@example.org").await;
        Self { server, faults: Vec::new() }
    }

    /// A connection that was greeted.
    async fn greeted(&self) -> SmtpClient {
        let mut peer = SmtpClient::connect(self.server.smtp).await;
        peer.expect("220 ").await;
        peer
    }

    /// A session after EHLO.
    async fn hello(&self) -> SmtpClient {
        SmtpClient::hello(self.server.smtp).await
    }

    fn fault(&mut self, rule: &str, what: &[u8], found: &str) {
        let shown = what.get(..120).unwrap_or(what).escape_ascii();
        self.faults.push(format!("[{rule}] {shown}: {found}"));
    }

    /// Sends each row in turn, in one session, with CRLF after it.
    async fn in_turn(&mut self, peer: &mut SmtpClient, rows: &[Row]) {
        for row in rows {
            peer.send([row.send.as_slice(), b"\r\n"].concat()).await;
            let reply = peer.reply().await;
            if !row.holds(&reply) {
                self.fault(row.rule, &row.send, &format!("{reply}, not {}", row.expect));
            }
        }
    }

    /// Sends each row in a session of its own, after these lines. One reply must come, and the session must go on.
    async fn each_alone(&mut self, before: &[(&str, &str)], rows: &[Row]) {
        for row in rows {
            let mut peer = self.greeted().await;
            peer.dialogue(before).await;
            self.in_turn(&mut peer, std::slice::from_ref(row)).await;
            peer.send("NOOP\r\n").await;
            let reply = peer.reply().await;
            if !reply.starts_with("250 ") {
                self.fault(row.rule, &row.send, &format!("then NOOP: {reply}"));
            }
        }
    }

    /// All that is stored: octets, trace fields, recipient, in the order in which it came.
    async fn stored(&self) -> Vec<(Vec<u8>, String, String)> {
        let query =
            "select octets, encoding, trace, recipient from messages join contents using (content_id) order by message_id";
        let rows = sqlx::query(query).fetch_all(&self.server.db).await.unwrap();
        let read = |row: sqlx::postgres::PgRow| {
            let octets: Vec<u8> = row.get("octets");
            let is_packed = row.get::<&str, _>("encoding") == "zstd";
            let octets = if is_packed { zstd::decode_all(octets.as_slice()).unwrap() } else { octets };
            (octets, row.get("trace"), row.get("recipient"))
        };
        rows.into_iter().map(read).collect()
    }

    /// Ends the examination: nothing may be wrong.
    fn passed(self) {
        assert!(self.faults.is_empty(), "{} rows do not hold:\n{}", self.faults.len(), self.faults.join("\n"));
    }
}

/// As a sender does: one more dot before each line that opens with one (RFC 5321 section 4.5.2).
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 16);
    for (at, &octet) in content.iter().enumerate() {
        if octet == b'.' && (at == 0 || content[..at].ends_with(b"\r\n")) {
            out.push(b'.');
        }
        out.push(octet);
    }
    out
}

/// Expects a reply to be well formed: lines of at most 512 octets, the same code in each, text in ASCII (RFC 5321 section 4.2).
fn is_well_formed(reply: &str) -> bool {
    let lines: Vec<&str> = reply.split('|').collect();
    let code = reply.get(..3).unwrap_or_default();
    lines.iter().enumerate().all(|(n, line)| {
        let mark = if n + 1 < lines.len() { '-' } else { ' ' };
        line.len() <= 510 && line.is_ascii() && line.starts_with(code) && line.chars().nth(3) == Some(mark)
    }) && matches!(code.as_bytes(), [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9'])
}
