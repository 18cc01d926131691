//! A migrated database for each test, on a PostgreSQL that this checkout starts for itself.
//!
//! Nothing has to be set up but PostgreSQL's server programs; `TEST_DATABASE_URL` names another server, where the
//! account may create databases. A test's database goes with the test and stays, by name, when it fails.

use std::fs::File;
use std::ops::Deref;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use pillarbox::store::MIGRATOR;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, Executor};

/// Serialises the making of the template among all test processes.
const TEMPLATE_LOCK: i64 = 4711;

/// One test's own database; derefs to its pool.
pub(crate) struct TestDatabase {
    pool: PgPool,
    options: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// How to connect to it, for a program that makes its own pool.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

impl Deref for TestDatabase {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        if std::thread::panicking() {
            let socket = self.options.get_socket().map(|dir| dir.display().to_string()).unwrap_or_default();
            eprintln!("kept for a look: psql -h '{socket}' -U pillarbox {name}");
            return;
        }
        // A drop is not async, and the test's own runtime may be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut db = PgConnection::connect_with(&cluster().options).await?;
                db.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await
            })
        });
        if !matches!(dropped.join(), Ok(Ok(_))) {
            eprintln!("a test's database could not be dropped");
        }
    }
}

/// A new database with all migrations run.
pub(crate) async fn database() -> TestDatabase {
    let cluster = tokio::task::spawn_blocking(cluster).await.unwrap();
    let mut db = PgConnection::connect_with(&cluster.options).await.unwrap();
    let template = template(&mut db, &cluster.options).await;
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    // Copying files is quicker than logging their pages where nothing is synced.
    let create = format!("create database {name} template {template} strategy = file_copy");
    let create = if version(&mut db).await >= 15 { create } else { create.replace(" strategy = file_copy", "") };
    db.execute(AssertSqlSafe(create)).await.unwrap();
    db.close().await.unwrap();
    let options = cluster.options.clone().database(&name);
    let pool = PgPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(30));
    TestDatabase { pool: pool.connect_lazy_with(options.clone()), options, name }
}

/// The PostgreSQL of this checkout, held for the life of this process.
struct Cluster {
    options: PgConnectOptions,
    /// While anyone holds it, the cluster is not stopped.
    _lease: Option<File>,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => Cluster { options: url.parse().unwrap(), _lease: None },
        Err(_) => start(),
    })
}

fn start() -> Cluster {
    for _ in 0..5 {
        let dir = run_script();
        let lease = File::open(dir.join("lease")).unwrap();
        lease.lock_shared().unwrap();
        // It may have been stopped between the script's answer and our lease.
        if UnixStream::connect(dir.join(".s.PGSQL.5432")).is_ok() {
            let options = PgConnectOptions::new_without_pgpass().socket(&dir).port(5432).ssl_mode(PgSslMode::Disable);
            return Cluster { options: options.username("pillarbox").database("postgres"), _lease: Some(lease) };
        }
    }
    panic!("the PostgreSQL for tests does not stay; see scripts/test-cluster");
}

fn run_script() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/test-cluster");
    let out = Command::new(&script).env_remove("PGPORT").env_remove("PGDATA").output().unwrap();
    assert!(out.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&out.stderr));
    PathBuf::from(String::from_utf8(out.stdout).unwrap().trim())
}

/// The name of the template for the present migrations, made by whoever needs it first.
async fn template(db: &mut PgConnection, server: &PgConnectOptions) -> String {
    let name = template_name();
    if !has(db, &name).await {
        sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *db).await.unwrap();
        if !has(db, &name).await {
            make_template(db, server, &name).await;
        }
        sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut *db).await.unwrap();
    }
    name
}

async fn make_template(db: &mut PgConnection, server: &PgConnectOptions, name: &str) {
    db.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await.unwrap();
    db.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let fresh = PgPool::connect_lazy_with(server.clone().database(name));
    MIGRATOR.run(&fresh).await.unwrap();
    // A template that someone is connected to cannot be copied.
    fresh.close().await;
    db.execute(AssertSqlSafe(format!("alter database {name} is_template true"))).await.unwrap();
}

fn template_name() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATOR.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let tag = hash.finalize().iter().take(6).fold(String::new(), |tag, octet| format!("{tag}{octet:02x}"));
    format!("template_{tag}")
}

async fn has(db: &mut PgConnection, template: &str) -> bool {
    let query = "select exists (select 1 from pg_database where datname = $1 and datistemplate)";
    sqlx::query_scalar(query).bind(template).fetch_one(db).await.unwrap()
}

async fn version(db: &mut PgConnection) -> i32 {
    sqlx::query_scalar("select current_setting('server_version_num')::int / 10000").fetch_one(db).await.unwrap()
}
