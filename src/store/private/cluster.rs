//! The cluster: how it is made, and how PostgreSQL is started on it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};

use super::account;
use super::launch::{Launcher, Place};
use super::layout::{self, Layout};
use super::locate::{self, Binaries};
use super::postmaster::{self, PidFile};
use super::settings::SETTINGS;
use super::{NAME, Options, PORT, lock, log};

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
        layout::make_private_dir(&layout.home, launcher.account())?;
        let hidden = launcher.account().is_some_and(|account| account::is_barred_from(&layout.home, account));
        let socket_dir = layout::socket_dir(&layout, launcher.account())?;
        let this = Self { layout, binaries, launcher, hidden, socket_dir, settings: options.settings.clone(), _lock: lock };
        if this.layout.version()?.is_none() {
            this.make()?;
        }
        postmaster::clear(&this.layout.cluster(), &this.socket_dir)?;
        Ok(this)
    }

    /// Where clients find the socket.
    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The major version of the programs.
    pub(super) fn version(&self) -> u32 {
        self.binaries.major
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
        let log = log::open(&self.log_path(), &self.layout.home)
            .with_context(|| format!("Cannot write {}", self.log_path().display()))?;
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
        layout::make_private_dir(&unfinished, self.launcher.account())?;
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
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.socket_dir != self.layout.home {
            // Only an empty one goes: after a stop in order there is no socket left in it.
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }
}
