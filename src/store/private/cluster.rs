//! The cluster on disk: where its files lie, how it is made, started, and found when another process runs it.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::account::{self, Account};
use super::launch::{Launcher, Place};
use super::locate::{self, Binaries};
use super::{NAME, Options, lock, log};

/// Part of the socket's name; nothing listens on a network port.
pub(super) const PORT: u16 = 5432;

/// The longest directory for a socket: 107 octets are the limit, less `/.s.PGSQL.5432.lock` with some room.
const LONGEST_SOCKET_DIR: usize = 85;

/// How long a PostgreSQL left by a killed server may take to stop.
const LEFTOVER_PATIENCE: Duration = Duration::from_mins(1);

/// Durability first; the rest suits many small commits on a small machine.
const SETTINGS: [(&str, &str); 24] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "64MB"),
    ("max_connections", "60"),
    ("work_mem", "8MB"),
    ("wal_buffers", "16MB"),
    ("wal_compression", "on"),
    // Fewer checkpoints mean fewer whole pages in the log; segments kept ready save making files at commit.
    ("min_wal_size", "128MB"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "10min"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // One call for the file system in place of one for each file, after a crash.
    ("recovery_init_sync_method", "syncfs"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    ("log_checkpoints", "off"),
    // A failed statement is the application's to report; here it could show what a message holds.
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("cluster_name", NAME),
];

/// Where the parts of an installation's database lie.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    data_dir: PathBuf,
    /// Mode 0700, owned by the account that PostgreSQL runs as.
    home: PathBuf,
}

impl Layout {
    /// Relative directories count from the present working directory.
    pub(super) fn new(data_dir: &Path) -> Result<Self> {
        let data_dir = std::path::absolute(data_dir).context("The data directory has no name")?;
        let home = data_dir.join("postgres");
        Ok(Self { data_dir, home })
    }

    fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// The socket of the PostgreSQL that runs here now, if one is ready.
    pub(super) fn running_socket_dir(&self) -> Result<Option<PathBuf>> {
        let Some(found) = PidFile::read(&self.cluster())? else { return Ok(None) };
        if !found.ready || !is_our_postgres(found.pid, &self.cluster()) {
            return Ok(None);
        }
        // It notes the directory as it was told: `..` stands for the one above the cluster.
        let dir = if found.socket_dir == Path::new("..") { self.home.clone() } else { found.socket_dir };
        Ok(Some(dir))
    }
}

/// A cluster that is ready to be started, and the hold on its directory.
#[derive(Debug)]
pub(super) struct Cluster {
    layout: Layout,
    binaries: Binaries,
    launcher: Launcher,
    /// The account cannot walk the path to the cluster, so the directory is handed over open.
    hidden: bool,
    socket_dir: PathBuf,
    settings: Vec<(String, String)>,
    /// Held for as long as this lives.
    _lock: File,
}

impl Cluster {
    /// Takes the directory, chooses programs and account, makes the cluster where there is none, and stops a
    /// PostgreSQL that a killed server left behind.
    pub(super) fn prepare(options: &Options) -> Result<Self> {
        let layout = Layout::new(&options.data_dir)?;
        fs::create_dir_all(&layout.data_dir)
            .with_context(|| format!("Cannot make the data directory {}", layout.data_dir.display()))?;
        let lock = lock::take(&layout.data_dir, options.purpose)?;
        let binaries = locate::find(options.binaries.as_deref(), layout.version()?)?;
        let launcher = Launcher::new(account::choose(&layout.data_dir, &layout.home)?);
        make_private_dir(&layout.home, launcher.account())?;
        let hidden = launcher.account().is_some_and(|account| account::is_barred_from(&layout.home, account));
        let socket_dir = socket_dir(&layout, launcher.account())?;
        let this = Self { layout, binaries, launcher, hidden, socket_dir, settings: options.settings.clone(), _lock: lock };
        if this.layout.version()?.is_none() {
            this.make()?;
        }
        this.stop_leftover()?;
        Ok(this)
    }

    /// Where clients find the socket.
    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.layout.home.join("postgres.log")
    }

    /// The present length of the log, in octets.
    pub(super) fn log_size(&self) -> u64 {
        fs::symlink_metadata(self.log_path()).map_or(0, |m| m.len())
    }

    /// What PostgreSQL wrote since then, in one line.
    pub(super) fn last_words(&self, since: u64) -> String {
        log::tail(&self.log_path(), since).lines().collect::<Vec<_>>().join(" / ")
    }

    /// Whether this very process has taken the cluster and accepts connections.
    pub(super) fn is_ready(&self, pid: u32) -> bool {
        let found = PidFile::read(&self.layout.cluster());
        matches!(found, Ok(Some(file)) if file.ready && i32::try_from(pid) == Ok(file.pid))
    }

    /// Starts PostgreSQL without waiting for it. It is told to stop when the calling thread ends.
    pub(super) fn spawn(&self) -> Result<Child> {
        let log = log::open(&self.log_path()).with_context(|| format!("Cannot write {}", self.log_path().display()))?;
        let cluster = self.layout.cluster();
        let place = self.place(&cluster)?;
        let mut command = self.program("postgres", &place);
        command.arg("-p").arg(PORT.to_string()).arg("-k").arg(self.socket_dir_told());
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("Cannot start {}", self.binaries.dir.join("postgres").display()))
    }

    fn place(&self, cluster: &Path) -> Result<Place> {
        let place = if self.hidden { Place::handed_over(cluster) } else { Ok(Place::by_path(cluster)) };
        place.with_context(|| format!("Cannot open {}", cluster.display()))
    }

    /// A server program on a cluster directory. The place has to live until the program is started.
    fn program(&self, name: &str, place: &Place) -> Command {
        let mut command = self.launcher.command(&self.binaries.dir.join(name));
        command.arg("-D").arg(place.name());
        command
    }

    /// The directory above the cluster is told as such where its path may be out of reach.
    fn socket_dir_told(&self) -> &Path {
        if self.hidden && self.socket_dir == self.layout.home { Path::new("..") } else { &self.socket_dir }
    }

    /// Makes a new cluster beside its place and moves it there when it is complete and on disk.
    fn make(&self) -> Result<()> {
        let unfinished = self.layout.home.join("cluster.new");
        if unfinished.symlink_metadata().is_ok() {
            fs::remove_dir_all(&unfinished).with_context(|| format!("Cannot remove the unfinished {}", unfinished.display()))?;
        }
        make_private_dir(&unfinished, self.launcher.account())?;
        let place = self.place(&unfinished)?;
        let mut initdb = self.program("initdb", &place);
        initdb.args(["-U", NAME, "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]);
        // Syncing a thousand files one by one takes seconds; one call below gives the same guarantee.
        initdb.args(["--auth-local=trust", "--auth-host=reject", "--no-instructions", "--no-sync"]);
        let out = initdb.output().with_context(|| format!("Cannot run {}", self.binaries.dir.join("initdb").display()))?;
        if !out.status.success() {
            let words = String::from_utf8_lossy(&out.stderr).lines().collect::<Vec<_>>().join(" / ");
            bail!("Making the private database in {} failed: {words}", self.layout.home.display());
        }
        rustix::fs::syncfs(File::open(&unfinished)?).context("syncing the new database to disk")?;
        fs::rename(&unfinished, self.layout.cluster())?;
        File::open(&self.layout.home)?.sync_all().context("syncing the new database to disk")
    }

    /// Stops a PostgreSQL that outlived its server; we hold the directory, so it serves nobody.
    fn stop_leftover(&self) -> Result<()> {
        let cluster = self.layout.cluster();
        let Some(file) = PidFile::read(&cluster)? else { return Ok(()) };
        if !is_our_postgres(file.pid, &cluster) {
            return forget_stranger(file.pid, &cluster);
        }
        let Some(pid) = Pid::from_raw(file.pid) else { return Ok(()) };
        tracing::info!(pid = file.pid, "stopping the PostgreSQL that an earlier server left behind");
        // It may end between the look and the signal; what counts is that it is gone below.
        let _ = kill_process(pid, Signal::INT);
        let patience = Instant::now() + LEFTOVER_PATIENCE;
        while is_our_postgres(file.pid, &cluster) {
            if Instant::now() > patience {
                bail!(
                    "A PostgreSQL (process {}) left by an earlier server still holds {} and does not stop. End it and start again.",
                    file.pid,
                    cluster.display()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.socket_dir != self.layout.home {
            // Only an empty one goes: after a stop in order there is no socket left in it.
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }
}

impl Layout {
    /// The version that made the cluster, if there is one.
    fn version(&self) -> Result<Option<u32>> {
        let path = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let version = text.trim().parse().with_context(|| format!("{} does not hold a version", path.display()))?;
                Ok(Some(version))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("Cannot read {}", path.display())),
        }
    }
}

/// Makes a directory for one account alone, or makes sure that the one there is such.
fn make_private_dir(path: &Path, account: Option<&Account>) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(account) = account {
                std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid))?;
            }
            return Ok(());
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("Cannot make the directory {}", path.display())),
    }
    let found = fs::symlink_metadata(path)?;
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    if !found.is_dir() || found.uid() != owner {
        bail!("{} is there already and is not a directory of the account that PostgreSQL runs as. Move it away.", path.display());
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The socket lies beside the cluster, or below the directory for temporary files when that path is too long for one.
fn socket_dir(layout: &Layout, account: Option<&Account>) -> Result<PathBuf> {
    if layout.home.as_os_str().len() <= LONGEST_SOCKET_DIR {
        return Ok(layout.home.clone());
    }
    let inode = fs::symlink_metadata(&layout.home)?.ino();
    let dir = std::env::temp_dir().join(format!("pillarbox-{inode}"));
    make_private_dir(&dir, account)?;
    Ok(dir)
}

/// The lines of `postmaster.pid` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: i32,
    socket_dir: PathBuf,
    ready: bool,
}

impl PidFile {
    fn read(cluster: &Path) -> Result<Option<Self>> {
        let path = cluster.join("postmaster.pid");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("Cannot read {}", path.display())),
        }
    }

    /// Line 1 is the process, line 5 the socket's directory, line 8 the state.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let pid = lines.next()?.parse().ok()?;
        let socket_dir = PathBuf::from(lines.nth(3).unwrap_or_default());
        Some(Self { pid, socket_dir, ready: lines.nth(2) == Some("ready") })
    }
}

/// Whether this process lives and is the PostgreSQL of this cluster, not another that got its number.
fn is_our_postgres(pid: i32, cluster: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let Ok(stat) = fs::read_to_string(process.join("stat")) else { return false };
    // `4711 (postgres) S ...`: the state follows the name, which may itself hold parentheses.
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    if state.starts_with(['Z', 'X']) || !stat.contains("(postgres)") {
        return false;
    }
    match (fs::read_link(process.join("cwd")), fs::canonicalize(cluster)) {
        (Ok(works_in), Ok(cluster)) => works_in == cluster,
        // Where the kernel does not show it, the name has to do.
        _ => true,
    }
}

/// Removes a lock file whose process number now belongs to a stranger, as happens after a container starts anew.
///
/// PostgreSQL itself would refuse to start for as long as that stranger lives. Backends that still use the
/// cluster are found by it through their shared memory.
fn forget_stranger(pid: i32, cluster: &Path) -> Result<()> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    if stat.is_empty() || stat.contains("(postgres)") {
        return Ok(());
    }
    fs::remove_file(cluster.join("postmaster.pid")).context("removing the lock file of an earlier PostgreSQL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_of_postgresql_is_read_in_every_stage() {
        let head = "4711\n/data/postgres/cluster\n1700000000\n5432\n/data/postgres\n\n";
        let ready = |ready| PidFile { pid: 4711, socket_dir: PathBuf::from("/data/postgres"), ready };
        let cases = [
            (format!("{head}  1 2\nready   \n"), Some(ready(true))),
            (format!("{head}  1 2\nstarting\n"), Some(ready(false))),
            (head.to_owned(), Some(ready(false))),
            ("4711\n".to_owned(), Some(PidFile { pid: 4711, socket_dir: PathBuf::new(), ready: false })),
            (String::new(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(PidFile::parse(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_process_that_is_no_postgresql_is_not_taken_for_one() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(!is_our_postgres(me, Path::new("/")));
        assert!(!is_our_postgres(i32::MAX, Path::new("/")));
    }
}
