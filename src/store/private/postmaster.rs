//! What an earlier or another process left running: PostgreSQL's lock file, and whose process it names.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::PORT;
use super::layout::Layout;

/// How long a PostgreSQL left by a killed server may take to stop.
const LEFTOVER_PATIENCE: Duration = Duration::from_mins(1);

/// The lines of `postmaster.pid` that matter here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    pub(super) socket_dir: PathBuf,
    pub(super) ready: bool,
}

impl PidFile {
    /// `None` where there is none, or none that is written yet.
    pub(super) fn read(cluster: &Path) -> Result<Option<Self>> {
        let path = cluster.join("postmaster.pid");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("Cannot read {}; use the account that the server runs as", path.display()))
            }
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

/// Whose a process number is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The PostgreSQL of this cluster.
    Cluster,
    /// Nobody, or a process that has nothing to do with it.
    Stranger,
    /// Some PostgreSQL; the kernel does not show us which.
    Unclear,
}

fn owner_of(pid: i32, cluster: &Path) -> Owner {
    let process = PathBuf::from(format!("/proc/{pid}"));
    // `4711 (postgres) S ...`: the state follows the name, which may itself hold parentheses.
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    if !stat.contains("(postgres)") || state.starts_with(['Z', 'X']) {
        return Owner::Stranger;
    }
    match (fs::read_link(process.join("cwd")), fs::canonicalize(cluster)) {
        (Ok(works_in), Ok(cluster)) if works_in == cluster => Owner::Cluster,
        (Ok(_), Ok(_)) => Owner::Stranger,
        _ => Owner::Unclear,
    }
}

/// The socket's directory of the PostgreSQL that runs here now, if one is ready.
pub(super) fn running_socket_dir(layout: &Layout) -> Result<Option<PathBuf>> {
    let Some(file) = PidFile::read(&layout.cluster())? else { return Ok(None) };
    if !file.ready || owner_of(file.pid, &layout.cluster()) == Owner::Stranger {
        return Ok(None);
    }
    // It notes the directory as it was told: `..` stands for the one above the cluster.
    let dir = if file.socket_dir == Path::new("..") { layout.home.clone() } else { file.socket_dir };
    Ok(Some(dir))
}

/// Makes the cluster free to be started. The caller holds the data directory, so nobody is served by it now.
///
/// A PostgreSQL that outlived its server is stopped. Lock files whose number belongs to nobody, or to a stranger
/// (numbers come again when a container starts anew), are removed, since PostgreSQL would take the stranger for
/// itself. Backends that still use the cluster are found by PostgreSQL through their shared memory.
pub(super) fn clear(cluster: &Path, socket_dir: &Path) -> Result<()> {
    let Some(file) = PidFile::read(cluster)? else { return Ok(()) };
    match owner_of(file.pid, cluster) {
        Owner::Cluster => stop(file.pid, cluster),
        Owner::Stranger => forget(cluster, socket_dir),
        // PostgreSQL decides itself whether it can start beside that one.
        Owner::Unclear => Ok(()),
    }
}

fn stop(number: i32, cluster: &Path) -> Result<()> {
    let Some(pid) = Pid::from_raw(number) else { return Ok(()) };
    tracing::info!(pid = number, "stopping the PostgreSQL that an earlier server left behind");
    // It may end between the look and the signal; what counts is that it is gone below.
    let _ = kill_process(pid, Signal::INT);
    let patience = Instant::now() + LEFTOVER_PATIENCE;
    while owner_of(number, cluster) == Owner::Cluster {
        if Instant::now() > patience {
            bail!(
                "A PostgreSQL (process {number}) left by an earlier server still holds {} and does not stop. End it and start again.",
                cluster.display()
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn forget(cluster: &Path, socket_dir: &Path) -> Result<()> {
    for path in [cluster.join("postmaster.pid"), socket_dir.join(format!(".s.PGSQL.{PORT}.lock"))] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("Cannot remove {} of an earlier PostgreSQL", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_of_postgresql_is_read_in_every_stage() {
        let head = "4711\n/data/postgres/cluster\n1700000000\n5432\n/data/postgres\n\n";
        let file = |ready| PidFile { pid: 4711, socket_dir: PathBuf::from("/data/postgres"), ready };
        let cases = [
            (format!("{head}  1 2\nready   \n"), Some(file(true))),
            (format!("{head}  1 2\nstarting\n"), Some(file(false))),
            (head.to_owned(), Some(file(false))),
            ("4711\n".to_owned(), Some(PidFile { pid: 4711, socket_dir: PathBuf::new(), ready: false })),
            (String::new(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(PidFile::parse(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_process_that_is_no_postgresql_is_a_stranger() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(owner_of(me, Path::new("/")), Owner::Stranger);
        assert_eq!(owner_of(i32::MAX, Path::new("/")), Owner::Stranger);
    }
}
