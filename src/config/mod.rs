//! Settings: flags before environment before the file before defaults, read once into one validated value.
//!
//! Nothing else in the program looks at the environment.

mod acme;
mod dns;
mod file;
mod names;
mod network;
mod peers;
mod raw;
mod verdicts;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use acme::Acme;
pub use names::Names;
pub use network::{InvalidNetwork, Network};
pub use peers::Peers;
pub use raw::RawConfig;

/// All settings, checked. The field docs are the manual.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the private PostgreSQL cluster, generated keys and the certificate lie.
    pub data_dir: PathBuf,
    /// An external PostgreSQL; `None` starts the private one under the data directory.
    pub database_url: Option<SecretString>,
    /// Where panel, REST and the rest of HTTP listen.
    pub http_listen: SocketAddr,
    /// Where the same is served over HTTPS, with the certificate of the SMTP listener.
    pub https_listen: Option<SocketAddr>,
    /// Whom to ask for certificates.
    pub acme: Option<Acme>,
    /// What the world calls this server.
    pub names: Names,
    /// The name in the SMTP greeting and in DNS advice.
    pub hostname: String,
    /// The base of links, without a trailing slash.
    pub public_url: Url,
    /// The key that seals stored secrets, where it is given and not generated.
    pub secret_key: SecretKeySource,
    /// The first administrator, made only while there is none.
    pub first_admin: Option<(String, SecretString)>,
    /// Which parts of the work this process does.
    pub roles: Roles,
    /// What is logged, and how.
    pub log: Log,
    /// The SMTP listener.
    pub smtp: Smtp,
    /// The way from the listener into the database.
    pub ingest: Ingest,
    /// How much of a message is read.
    pub mail: Mail,
    /// Whom to ask about names.
    pub dns: Dns,
    /// What is found out about senders.
    pub verdicts: Verdicts,
    /// Addresses of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Origins that browsers may call the API from; none by default.
    pub cors_origins: Vec<String>,
    /// How patient the HTTP listener is.
    pub http: Http,
}

/// What callers may take of the HTTP listener.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    /// The most connections at once.
    pub max_connections: usize,
    /// How long the header section of a request may take, and how long a connection may wait for one.
    pub header_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
}

/// Where the sealing key comes from.
#[derive(Debug, Clone)]
pub enum SecretKeySource {
    /// Given as text.
    Given(SecretString),
    /// In this file.
    File(PathBuf),
    /// Generated once in the data directory, mode 0600.
    Generated,
}

/// Which parts of the work a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of four parts, each on or off by itself")]
pub struct Roles {
    /// Accept mail.
    pub smtp: bool,
    /// Serve panel and API.
    pub http: bool,
    /// Import external accounts.
    pub connector: bool,
    /// Background work.
    pub worker: bool,
}

/// The domain name system.
#[derive(Debug, Clone)]
pub struct Dns {
    /// The servers to ask; none means those of the system.
    pub servers: Vec<SocketAddr>,
    /// The longest that one question may take.
    pub timeout: Duration,
    /// Most answers that are kept; 0 keeps none.
    pub cache_answers: usize,
}

/// What is found out about senders: SPF, DKIM, DMARC, ARC, reverse DNS.
#[derive(Debug, Clone)]
pub struct Verdicts {
    /// Whether anything is.
    pub enabled: bool,
    /// The longest that it may take for a message.
    pub timeout: Duration,
    /// Peers whose mail is not judged.
    pub trusted_networks: Vec<Network>,
    /// DNS lists of addresses that are asked.
    pub lists: Vec<DnsList>,
}

/// A DNS list of addresses (RFC 5782).
#[derive(Debug, Clone)]
pub struct DnsList {
    /// The zone below which addresses are asked for.
    pub zone: String,
    /// Whether mail from listed addresses is refused; otherwise it is marked.
    pub rejects: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// A filter as of `tracing`: `info`, or `pillarbox=debug,info`.
    pub filter: String,
    /// One JSON object a line in place of text.
    pub json: bool,
}

/// The SMTP listener's settings.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Certificate chain and key in PEM; `None` uses a self-signed one made at first start.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The largest message in octets, announced in SIZE and enforced while reading (RFC 1870).
    pub max_message_octets: usize,
    /// The most recipients of one transaction; RFC 5321 section 4.5.3.1.8 asks for at least 100.
    pub max_recipients: usize,
    /// The longest command line in octets with its line end; RFC 5321 section 4.5.3.1.4 asks for at least 512.
    pub max_command_octets: usize,
    /// The most messages in one session.
    pub max_messages_per_session: usize,
    /// The most sessions at once, over all listeners.
    pub max_sessions: usize,
    /// The most sessions at once from one address that is not trusted.
    pub max_sessions_per_address: usize,
    /// The most failed commands before the session is ended with 421.
    pub max_errors: usize,
    /// How long the server waits for the next command; RFC 5321 section 4.5.3.2.7 asks for at least five minutes.
    pub command_timeout: Duration,
    /// How long the server waits for more of the message inside DATA; RFC 5321 section 4.5.3.2.5 has three minutes.
    pub data_timeout: Duration,
    /// How long a whole session may take.
    pub session_timeout: Duration,
    /// How many octets of unfinished and unstored messages may lie in memory, over all sessions. What finds no room there
    /// waits on disk.
    pub max_memory_octets: usize,
    /// Above this many octets a message waits on disk, below the data directory, until it is its turn to be stored.
    pub spool_above_octets: usize,
    /// What each peer may take, and the ledger of sessions.
    pub peers: Peers,
}

/// The settings of the way from the listener into the database.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// How many connections write at once.
    pub writers: usize,
    /// The most messages in one transaction.
    pub batch_messages: usize,
    /// The most octets in one transaction.
    pub batch_octets: usize,
    /// How many messages may wait for a writer before senders hear 451.
    pub queue_messages: usize,
    /// How long a sender waits for the commit before it hears 451.
    pub commit_timeout: Duration,
    /// How many octets of messages from disk may be in memory at once to be read and written; one message always may.
    pub large_octets: usize,
    /// How much of a message is read.
    pub mail: Mail,
}

/// How much of a message is read for its view. Beyond it the rest is left out, with a word that says so; all octets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mail {
    /// Header fields of one header section.
    pub header_fields: usize,
    /// MIME parts, multiparts included.
    pub parts: usize,
    /// Multiparts inside each other.
    pub depth: usize,
}

impl Config {
    /// The URL of a page or route of this installation.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}
