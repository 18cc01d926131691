//! The server under test: a release build on its own private PostgreSQL, set up through the command line.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::process::{Child, Command};
use uuid::Uuid;

use pillarbox::store::private::running_options;

/// The domain that all mail of a run goes to.
pub(crate) const DOMAIN: &str = "bench.example.org";
/// How many mailboxes it has: `box0@` and on.
pub(crate) const MAILBOXES: usize = 10_000;
/// How many of them the loads of mail go to.
pub(crate) const BUSY_MAILBOXES: usize = 1000;

/// A running server.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    /// Where it takes mail.
    pub(crate) smtp: SocketAddr,
    /// Where it answers HTTP.
    pub(crate) http: SocketAddr,
    /// A key with every scope.
    pub(crate) key: String,
    /// The ids of the mailboxes, in the order of their numbers.
    pub(crate) mailboxes: Vec<Uuid>,
}

/// The address of a mailbox.
pub(crate) fn address(number: usize) -> String {
    format!("box{number}@{DOMAIN}")
}

impl Server {
    /// Starts it on a fresh directory, with a domain, mailboxes and a key.
    pub(crate) async fn start(program: &Path, data: &Path) -> Result<Self> {
        Self::start_with(program, data, &[]).await
    }

    /// Likewise, with settings of its own.
    pub(crate) async fn start_with(program: &Path, data: &Path, settings: &[(&str, String)]) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let (smtp, http) = (free_port()?, free_port()?);
        let log = std::fs::File::create(data.with_extension("log"))?;
        let child = Command::new(program)
            .arg("serve")
            .env("PILLARBOX_DATA_DIR", data)
            .env("PILLARBOX_SMTP_LISTEN", smtp.to_string())
            .env("PILLARBOX_HTTP_LISTEN", http.to_string())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut this = Self {
            child,
            program: program.to_owned(),
            data: data.to_owned(),
            smtp,
            http,
            key: String::new(),
            mailboxes: Vec::new(),
        };
        this.wait_until_up().await?;
        this.command(&["domain", "add", DOMAIN]).await?;
        let key = this
            .command(&["key", "create", "--name", "bench", "--reads-per-minute", "1000000", "--writes-per-minute", "1000000"])
            .await?;
        this.key.push_str(key.trim());
        let mut db = this.database().await?;
        this.mailboxes = make_mailboxes(&mut db, MAILBOXES).await?;
        Ok(this)
    }

    async fn wait_until_up(&self) -> Result<()> {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(self.smtp).await.is_err() {
            ensure!(started.elapsed() < Duration::from_mins(1), "the server did not start; see {}.log", self.data.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .env("PILLARBOX_DATA_DIR", &self.data)
            .stderr(Stdio::inherit())
            .output()
            .await?;
        ensure!(output.status.success(), "pillarbox {} failed", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// How to connect to its PostgreSQL.
    pub(crate) fn options(&self) -> Result<PgConnectOptions> {
        running_options(&self.data)?.context("the server's PostgreSQL is gone")
    }

    /// A connection to its PostgreSQL.
    pub(crate) async fn database(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.options()?).await?)
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid())?).context("the server is gone")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await??;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

/// Adds mailboxes to the domain; the tables are written directly, since making them is not what is measured.
pub(crate) async fn make_mailboxes(db: &mut PgConnection, count: usize) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let addresses: Vec<String> = (0..count).map(address).collect();
    sqlx::query(
        "insert into mailboxes (mailbox_id, address, domain_id, created_by)
         select id, address, domain_id, 'bench' from unnest($1::uuid[], $2::text[]) as t (id, address), domains where name = $3",
    )
    .bind(&ids)
    .bind(&addresses)
    .bind(DOMAIN)
    .execute(db)
    .await?;
    Ok(ids)
}

fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
