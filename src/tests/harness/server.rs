//! The whole server in this process, on a database and ports of its own.

use std::net::SocketAddr;

use pillarbox::app::Running;
use pillarbox::config::RawConfig;
use pillarbox::types::Int;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio_util::sync::CancellationToken;

use super::cable::Cable;
use super::database::{TestDatabase, database};
use super::rest::Rest;
use super::scratch::Scratch;
use super::smtp_client::SmtpClient;

/// A server with the domain example.org, and a caller whose key may do everything.
pub(crate) struct Server {
    pub(crate) smtp: SocketAddr,
    pub(crate) http: SocketAddr,
    /// The caller with the key.
    pub(crate) rest: Rest,
    /// The key.
    pub(crate) key: String,
    /// The database, to look behind the doors.
    pub(crate) db: PgPool,
    running: Running,
    stop: CancellationToken,
    cable: Option<Cable>,
    options: PgConnectOptions,
    _own: Option<TestDatabase>,
    /// Where its files lie.
    pub(crate) data_dir: Scratch,
    /// Where HTTPS is served, where the settings ask for it.
    pub(crate) https: Option<SocketAddr>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(RawConfig::default()).await
    }

    /// With some settings of the test's own.
    pub(crate) async fn start_with(settings: RawConfig) -> Self {
        let server = Self::empty(settings).await;
        server.rest.post("/domains", json!({ "name": "example.org" })).await.data();
        server
    }

    /// Without a domain.
    pub(crate) async fn empty(settings: RawConfig) -> Self {
        let db = database().await;
        let options = db.options();
        Box::pin(Self::on(Some(db), &options, settings)).await
    }

    /// With a line to the database that can be cut.
    pub(crate) async fn behind_a_cable() -> Self {
        Self::behind_a_cable_with(RawConfig::default()).await
    }

    pub(crate) async fn behind_a_cable_with(settings: RawConfig) -> Self {
        let db = database().await;
        let cable = Cable::to(&db.options());
        let options = cable.options(&db.options());
        let server = Self { cable: Some(cable), ..Box::pin(Self::on(Some(db), &options, settings)).await };
        server.rest.post("/domains", json!({ "name": "example.org" })).await.data();
        server
    }

    pub(crate) fn cable(&self) -> &Cable {
        self.cable.as_ref().unwrap()
    }

    /// Another server on the same database.
    pub(crate) async fn another_node(&self) -> Self {
        self.another_node_with(RawConfig::default()).await
    }

    pub(crate) async fn another_node_with(&self, settings: RawConfig) -> Self {
        let options = self.options.clone();
        Box::pin(Self::on(None, &options, settings)).await
    }

    async fn on(own: Option<TestDatabase>, options: &PgConnectOptions, settings: RawConfig) -> Self {
        let data_dir = Scratch::new(0o700);
        let settings = RawConfig {
            data_dir: Some(data_dir.path().to_owned()),
            database_url: Some(options.to_url_lossy().into()),
            http_listen: Some("127.0.0.1:0".to_owned()),
            smtp_listen: Some("127.0.0.1:0".to_owned()),
            hostname: Some("mx.example.org".to_owned()),
            // As text, a first start greets whoever reads standard output.
            log_format: Some("json".to_owned()),
            ..settings
        };
        let stop = CancellationToken::new();
        let running = Running::start(settings.check().unwrap(), stop.clone()).await.unwrap();
        let http = running.http_address().unwrap();
        let https = running.https_address();
        let smtp = running.services().smtp_addresses.first().copied().unwrap();
        let key = first_key(&running).await;
        let rest = Rest::new(http).with_key(&key);
        let (cable, options) = (None, options.clone());
        // Straight to the database, whatever becomes of the cable.
        let pool = own.as_ref().map_or_else(|| PgPool::connect_lazy_with(options.clone()), |own| (**own).clone());
        Self { smtp, http, rest, key, running, stop, cable, options, db: pool, _own: own, data_dir, https }
    }

    /// The names of the certificate that is presented now.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        self.running.services().certificate.as_ref().unwrap().facts().unwrap().names
    }

    /// Where its certificate and other files lie.
    pub(crate) fn data_dir(&self) -> &std::path::Path {
        self.data_dir.path()
    }

    /// The caller without a key.
    pub(crate) fn stranger(&self) -> Rest {
        Rest::new(self.http)
    }

    /// A caller whose key has just these scopes.
    pub(crate) async fn caller(&self, scopes: &[&str]) -> Rest {
        let made = self.rest.post("/api-keys", json!({ "name": "narrow", "scopes": scopes })).await.data();
        self.rest.with_key(made["key"].as_str().unwrap())
    }

    /// Makes a mailbox.
    pub(crate) async fn mailbox(&self, address: &str) -> Value {
        self.rest.post("/mailboxes", json!({ "address": address })).await.data()["mailbox"].take()
    }

    /// A mailbox as it is now.
    pub(crate) async fn look(&self, address: &str) -> Value {
        self.rest.get(&format!("/mailboxes/{address}")).await.data()
    }

    /// Sends one message in a session of its own, which ends as it should; expects it to be stored.
    pub(crate) async fn mail(&self, recipients: &[&str], content: impl AsRef<[u8]>) {
        let mut session = SmtpClient::hello(self.smtp).await;
        let reply = session.deliver(recipients, content.as_ref()).await;
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
        session.dialogue(&[("QUIT", "221 ")]).await;
    }

    /// What RCPT hears for this address.
    pub(crate) async fn rcpt(&self, address: &str) -> String {
        let mut session = SmtpClient::hello(self.smtp).await;
        session.dialogue(&[("MAIL FROM:<sender@example.net>", "250 ")]).await;
        session.send(format!("RCPT TO:<{address}>\r\n")).await;
        session.reply().await
    }

    /// The subjects in a mailbox, newest first.
    pub(crate) async fn subjects(&self, address: &str) -> Vec<String> {
        let rows = self.rest.all(&format!("/mailboxes/{address}/messages"), 200).await;
        rows.iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect()
    }

    /// The newest message of a mailbox, as lists show it.
    pub(crate) async fn newest(&self, address: &str) -> Value {
        let (mut rows, _) = self.rest.get(&format!("/mailboxes/{address}/messages?limit=1")).await.page();
        rows.pop().unwrap_or_else(|| panic!("{address} has no message"))
    }

    /// What the doors of this server work with.
    pub(crate) fn services(&self) -> &pillarbox::operations::Services {
        self.running.services()
    }

    /// Tells the server to end, as SIGTERM does.
    pub(crate) fn end(&self) {
        self.stop.cancel();
    }

    /// Waits until the server has ended.
    pub(crate) async fn finish(self) {
        self.running.finish().await;
    }
}

/// A short message with this subject and text.
pub(crate) fn note(subject: &str, text: &str) -> String {
    format!("From: Sender <sender@example.net>\r\nTo: somebody@example.org\r\nSubject: {subject}\r\n\r\n{text}\r\n")
}

async fn first_key(running: &Running) -> String {
    let ctx = pillarbox::operations::Ctx::operator(running.services().clone());
    let name = pillarbox::types::Text::new("test").unwrap();
    let new = pillarbox::operations::api_keys::CreateApiKey {
        name,
        reads_per_minute: Int::new(1_000_000),
        writes_per_minute: Int::new(1_000_000),
        ..Default::default()
    };
    ctx.call(new).await.unwrap().key
}
