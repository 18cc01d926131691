//! The private PostgreSQL: a real cluster below the data directory, started and stopped with the process.
//!
//! Used when no database URL is set. It listens on a socket in a directory of mode 0700 and nowhere else, runs as
//! an ordinary account even when the process is root, keeps every durability setting at its safest, and is
//! recovered after a crash of either side. What is stored in it is not this module's matter.

mod account;
mod cluster;
mod launch;
mod layout;
mod locate;
mod lock;
mod log;
mod postmaster;
mod settings;
mod supervise;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use tokio::sync::oneshot;

pub use self::lock::Purpose;
use self::supervise::Control;

/// The database and its owner have the product's name.
const NAME: &str = "pillarbox";
/// Part of the socket's name; nothing listens on a network port.
const PORT: u16 = 5432;

/// How long a command waits for the PostgreSQL of a server that is just starting.
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

/// What the private PostgreSQL needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory that holds everything of this installation. Made when it is missing.
    pub data_dir: PathBuf,
    /// Where `postgres` and `initdb` lie; `None` looks in the usual places and in `PATH`.
    pub binaries: Option<PathBuf>,
    /// Who asks: a server holds the directory for its life, a command for a moment.
    pub purpose: Purpose,
    /// Settings of PostgreSQL (name, value) that win over the built-in ones.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// The usual options for a server on this data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), binaries: None, purpose: Purpose::Serve, settings: Vec::new() }
    }
}

/// A running private PostgreSQL. Stop it with [`PrivatePostgres::stop`]; dropping it asks it to stop without waiting.
#[derive(Debug)]
pub struct PrivatePostgres {
    control: Arc<Control>,
    supervisor: Option<JoinHandle<()>>,
    socket_dir: PathBuf,
}

impl PrivatePostgres {
    /// Starts the cluster, makes it first where there is none, and answers once the database takes connections.
    ///
    /// From then on a thread starts PostgreSQL again whenever it dies, with growing pauses of at most 5 s.
    /// Fails with one sentence for the operator when another process holds the directory, the server programs are
    /// missing or of the wrong version, or the directory belongs to another account.
    pub async fn start(options: &Options) -> Result<Self> {
        let control = Arc::new(Control::default());
        let (report, ready) = oneshot::channel();
        let supervisor = {
            let (control, options) = (Arc::clone(&control), options.clone());
            std::thread::Builder::new()
                .name("postgres".into())
                .spawn(move || supervise::run(&options, &control, report))
                .context("starting the thread that watches PostgreSQL")?
        };
        let mut this = Self { control, supervisor: Some(supervisor), socket_dir: PathBuf::new() };
        this.socket_dir = ready.await.context("the thread that watches PostgreSQL ended early")??;
        create_database(&this.socket_dir).await.context("creating the database in the private PostgreSQL")?;
        Ok(this)
    }

    /// How to connect to the product's database.
    pub fn connect_options(&self) -> PgConnectOptions {
        options_for(&self.socket_dir).database(NAME)
    }

    /// Stops PostgreSQL in order (open transactions are rolled back, a checkpoint is written) and waits for its end.
    pub async fn stop(mut self) {
        self.control.stop();
        if let Some(supervisor) = self.supervisor.take() {
            // A panic of that thread is already in the log, and PostgreSQL stops with the thread that started it.
            let _ = tokio::task::spawn_blocking(move || supervisor.join()).await;
        }
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.control.stop();
    }
}

/// The database for one command: the server's own when it runs, else a PostgreSQL for as long as the command takes.
#[derive(Debug)]
pub struct Attached {
    options: PgConnectOptions,
    own: Option<PrivatePostgres>,
}

impl Attached {
    /// How to connect to the product's database.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Whether PostgreSQL was started for this command, so that no server can have migrated it meanwhile.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Stops what was started for this command; leaves a server's database alone.
    pub async fn stop(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// Connects a command to the running server's PostgreSQL, or starts one for the command's duration.
///
/// Fails as [`PrivatePostgres::start`] does.
pub async fn attach_or_start(options: &Options) -> Result<Attached> {
    let since = Instant::now();
    // Without a server, a PostgreSQL that still runs was left by a killed one and is about to stop.
    while lock::is_held_by_server(&options.data_dir) && since.elapsed() < SERVER_PATIENCE {
        if let Some(running) = running_options(&options.data_dir)? {
            return Ok(Attached { options: running, own: None });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let own = PrivatePostgres::start(&Options { purpose: Purpose::Command, ..options.clone() }).await?;
    Ok(Attached { options: own.connect_options(), own: Some(own) })
}

/// How to connect to the private PostgreSQL that runs on this data directory now; `None` when none is ready.
///
/// Fails when the directory may not be read by this account.
pub fn running_options(data_dir: &Path) -> Result<Option<PgConnectOptions>> {
    let socket_dir = postmaster::running_socket_dir(&layout::Layout::new(data_dir)?)?;
    Ok(socket_dir.map(|dir| options_for(&dir).database(NAME)))
}

fn options_for(socket_dir: &Path) -> PgConnectOptions {
    // Everything that the environment (PGPORT, PGSSLMODE, PGDATABASE ...) could bend is set here.
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(PORT)
        .username(NAME)
        .ssl_mode(PgSslMode::Disable)
        .application_name(NAME)
        // "Already exists, skipping" is no news in our log.
        .options([("client_min_messages", "warning")])
}

async fn create_database(socket_dir: &Path) -> Result<(), sqlx::Error> {
    let mut db = PgConnection::connect_with(&options_for(socket_dir).database("postgres")).await?;
    let found: Option<i32> =
        sqlx::query_scalar("select 1 from pg_database where datname = $1").bind(NAME).fetch_optional(&mut db).await?;
    if found.is_none() {
        sqlx::query("create database pillarbox").execute(&mut db).await?;
    }
    db.close().await
}
