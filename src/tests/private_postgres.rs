//! The private PostgreSQL as an operator meets it: started, stopped, killed, refused.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pillarbox::store::private::{self, Options, PrivatePostgres, Purpose};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

use crate::harness::scratch::Scratch;

/// Tells the helper process below which directory to hold.
const HOLD: &str = "PILLARBOX_TEST_HOLD";

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.unwrap()
}

async fn show(db: &mut PgConnection, setting: &str) -> String {
    sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(db).await.unwrap()
}

async fn write(options: &PgConnectOptions, value: i32) {
    let mut db = connect(options).await;
    db.execute("create table if not exists kept (value int)").await.unwrap();
    sqlx::query("insert into kept values ($1)").bind(value).execute(&mut db).await.unwrap();
}

async fn read(options: &PgConnectOptions) -> Vec<i32> {
    let mut db = connect(options).await;
    sqlx::query_scalar("select value from kept order by value").fetch_all(&mut db).await.unwrap()
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// The process number in PostgreSQL's lock file.
fn postmaster(data_dir: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.contains("(postgres)") && !stat.contains(") Z ")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < patience, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Another process that holds the private PostgreSQL of a directory until it is killed.
struct Holder(Child);

impl Holder {
    fn start(data_dir: &Path) -> Self {
        Self::start_from(&std::env::current_exe().unwrap(), data_dir, None)
    }

    fn start_from(program: &Path, data_dir: &Path, account: Option<u32>) -> Self {
        let held = data_dir.join("held");
        let _ = std::fs::remove_file(&held);
        let mut this = Self::spawn(program, data_dir, account);
        wait_until("the other process has its PostgreSQL", || {
            assert!(this.0.try_wait().unwrap().is_none(), "the other process ended early");
            held.exists()
        });
        this
    }

    fn spawn(program: &Path, data_dir: &Path, account: Option<u32>) -> Self {
        let mut command = Command::new(program);
        command.args(["--exact", "private_postgres::holds_a_directory_for_another_test", "--ignored"]);
        command.env(HOLD, data_dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(id) = account {
            command.uid(id).gid(id);
        }
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
#[ignore = "a part of other tests, which run it in a process of its own"]
async fn holds_a_directory_for_another_test() {
    let Some(data_dir) = std::env::var_os(HOLD) else { return };
    let _server = PrivatePostgres::start(&Options::new(&data_dir)).await.unwrap();
    std::fs::write(Path::new(&data_dir).join("held"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn data_survives_a_restart_and_every_durability_setting_is_on() {
    let dir = Scratch::new(0o711);
    let server = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap();
    let options = server.connect_options();
    let mut db = connect(&options).await;
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("max_connections", "60"),
    ] {
        assert_eq!(show(&mut db, setting).await, expected, "{setting}");
    }
    assert_eq!(options.get_database(), Some("pillarbox"));
    write(&options, 1).await;
    let pid = postmaster(dir.path()).unwrap();
    server.stop().await;
    assert!(!is_alive(pid));
    assert!(private::running_options(dir.path()).unwrap().is_none());

    let server = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap();
    assert_eq!(read(&server.connect_options()).await, [1]);
    server.stop().await;
}

#[tokio::test]
async fn a_second_start_on_the_directory_is_refused_by_name_and_process() {
    let dir = Scratch::new(0o711);
    let holder = Holder::start(dir.path());
    let refused = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap_err().to_string();
    assert!(refused.contains(&dir.path().display().to_string()), "{refused}");
    assert!(refused.contains(&format!("process {}", holder.0.id())), "{refused}");

    // A command is let in beside the server and leaves its database running.
    let command = private::attach_or_start(&Options::new(dir.path())).await.unwrap();
    assert!(!command.is_own());
    write(&command.connect_options(), 1).await;
    command.stop().await;
    assert_eq!(read(&private::running_options(dir.path()).unwrap().unwrap()).await, [1]);
    holder.kill();
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_is_just_starting() {
    let dir = Scratch::new(0o711);
    let holder = Holder::spawn(&std::env::current_exe().unwrap(), dir.path(), None);
    let lock = dir.path().join("pillarbox.lock");
    wait_until("the server has the directory", || std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("serve")));
    let command = private::attach_or_start(&Options::new(dir.path())).await.unwrap();
    assert!(!command.is_own());
    command.stop().await;
    holder.kill();
}

#[tokio::test]
async fn a_command_without_a_server_has_the_database_for_itself_and_the_next_waits() {
    let dir = Scratch::new(0o711);
    let options = Options { purpose: Purpose::Command, ..Options::new(dir.path()) };
    let first = private::attach_or_start(&options).await.unwrap();
    assert!(first.is_own());
    write(&first.connect_options(), 1).await;
    let second = tokio::spawn(async move { private::attach_or_start(&options).await });
    first.stop().await;
    let second = second.await.unwrap().unwrap();
    assert_eq!(read(&second.connect_options()).await, [1]);
    second.stop().await;
    assert!(private::running_options(dir.path()).unwrap().is_none());
}

#[tokio::test]
async fn a_killed_server_takes_its_postgresql_along_and_loses_nothing() {
    let dir = Scratch::new(0o711);
    for round in 0..3 {
        let holder = Holder::start(dir.path());
        write(&private::running_options(dir.path()).unwrap().unwrap(), round).await;
        let pid = postmaster(dir.path()).unwrap();
        holder.kill();
        // Not waited for in every round: the next start has to cope with one that is still ending.
        if round == 0 {
            wait_until("PostgreSQL ended with its server", || !is_alive(pid));
        }
    }
    let server = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap();
    assert_eq!(read(&server.connect_options()).await, [0, 1, 2]);
    server.stop().await;
}

#[tokio::test]
async fn a_killed_postgresql_is_started_again_and_loses_nothing() {
    let dir = Scratch::new(0o711);
    let server = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap();
    for round in 0..3 {
        write(&server.connect_options(), round).await;
        let pid = postmaster(dir.path()).unwrap();
        kill(pid);
        wait_until("PostgreSQL runs again", || {
            postmaster(dir.path()).is_some_and(|now| now != pid) && private::running_options(dir.path()).unwrap().is_some()
        });
    }
    assert_eq!(read(&server.connect_options()).await, [0, 1, 2]);
    server.stop().await;
}

#[tokio::test]
async fn server_and_postgresql_killed_together_lose_nothing() {
    let dir = Scratch::new(0o711);
    let holder = Holder::start(dir.path());
    write(&private::running_options(dir.path()).unwrap().unwrap(), 7).await;
    kill(postmaster(dir.path()).unwrap());
    holder.kill();
    let server = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap();
    assert_eq!(read(&server.connect_options()).await, [7]);
    server.stop().await;
}

#[tokio::test]
async fn a_lock_file_whose_number_went_to_a_stranger_does_not_bar_the_start() {
    let dir = Scratch::new(0o711);
    PrivatePostgres::start(&Options::new(dir.path())).await.unwrap().stop().await;
    let cluster = dir.path().join("postgres/cluster");
    let owner = std::fs::metadata(&cluster).unwrap();
    // PostgreSQL minds only processes of its own account.
    let mut stranger = Command::new("sleep").arg("60").uid(owner.uid()).gid(owner.gid()).spawn().unwrap();
    let left = format!("{}\n{}\n1700000000\n5432\n\n\n\nready\n", stranger.id(), cluster.display());
    std::fs::write(cluster.join("postmaster.pid"), left).unwrap();

    assert!(private::running_options(dir.path()).unwrap().is_none());
    PrivatePostgres::start(&Options::new(dir.path())).await.unwrap().stop().await;
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_directory_that_only_its_owner_may_enter_serves_too() {
    let dir = Scratch::new(0o700);
    let deep = dir.path().join("a".repeat(60)).join("b".repeat(60));
    let server = PrivatePostgres::start(&Options::new(&deep)).await.unwrap();
    write(&server.connect_options(), 1).await;
    let running = private::running_options(&deep).unwrap().unwrap();
    assert_eq!(read(&running).await, [1]);
    server.stop().await;

    let short = dir.path().join("data");
    let server = PrivatePostgres::start(&Options::new(&short)).await.unwrap();
    write(&server.connect_options(), 2).await;
    assert_eq!(read(&private::running_options(&short).unwrap().unwrap()).await, [2]);
    server.stop().await;
}

#[tokio::test]
async fn an_ordinary_user_needs_no_other_account() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        // Then every other test in this file is this one.
        return;
    }
    let dir = Scratch::new(0o711);
    let program = dir.path().join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let holder = Holder::start_from(&program, &data, Some(NOBODY));
    write(&private::running_options(&data).unwrap().unwrap(), 1).await;
    holder.kill();

    // A start by root in between changes nothing for that account.
    let server = PrivatePostgres::start(&Options::new(&data)).await.unwrap();
    assert_eq!(read(&server.connect_options()).await, [1]);
    server.stop().await;
    Holder::start_from(&program, &data, Some(NOBODY)).kill();
}

#[tokio::test]
async fn programs_of_another_version_and_none_at_all_are_explained() {
    let dir = Scratch::new(0o711);
    let nowhere = Options { binaries: Some(dir.path().join("nowhere")), ..Options::new(dir.path()) };
    let text = PrivatePostgres::start(&nowhere).await.unwrap_err().to_string();
    assert!(text.contains("nowhere") && text.contains("initdb"), "{text}");

    let cluster = dir.path().join("postgres/cluster");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "12\n").unwrap();
    let text = PrivatePostgres::start(&Options::new(dir.path())).await.unwrap_err().to_string();
    assert!(text.contains("PostgreSQL 12") && text.contains("postgresql-12"), "{text}");
}

#[tokio::test]
async fn a_setting_that_postgresql_refuses_ends_the_start_with_its_words() {
    let dir = Scratch::new(0o711);
    let wrong = Options { settings: vec![("max_connections".into(), "many".into())], ..Options::new(dir.path()) };
    let text = PrivatePostgres::start(&wrong).await.unwrap_err().to_string();
    assert!(text.contains("max_connections") && text.contains("postgres.log"), "{text}");
}
