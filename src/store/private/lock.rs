//! One process at a time on a data directory: a locked file that names its holder.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account;

/// How long to wait for a command that holds the directory until it is done.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for any other: a mere look at the lock holds it for an instant.
const PATIENCE: Duration = Duration::from_millis(300);

/// Who holds the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A server, for its whole life. Others are refused at once.
    Serve,
    /// A command, until it is done. Others wait for it.
    Command,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Command => "command",
        }
    }
}

/// Takes the data directory for this process; it is free again when the file is dropped or the process dies.
///
/// The kernel frees the lock, so a killed process leaves nothing behind. Fails with a sentence that names the
/// directory and the holder.
pub(super) fn take(data_dir: &Path, purpose: Purpose) -> Result<File> {
    let path = data_dir.join("pillarbox.lock");
    let mut file = open(&path).with_context(|| format!("Cannot open {} for writing", path.display()))?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("Cannot lock {}", path.display())),
            Err(TryLockError::WouldBlock) => {}
        }
        let holder = Holder::read(&path);
        let patience = if holder.purpose == Some(Purpose::Command) { COMMAND_PATIENCE } else { PATIENCE };
        if since.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        let who = holder.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        bail!(
            "The data directory {} is in use by another Pillarbox{who}. Stop that one, or give this one its own with PILLARBOX_DATA_DIR.",
            data_dir.display()
        );
    }
    account::give_to_owner_of(data_dir, &file)?;
    file.set_len(0)?;
    write!(file, "{}\n{}\n", std::process::id(), purpose.word())?;
    Ok(file)
}

/// Whether a server holds the directory now.
pub(super) fn is_held_by_server(data_dir: &Path) -> bool {
    let path = data_dir.join("pillarbox.lock");
    let Ok(file) = File::open(&path) else { return false };
    let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    held && Holder::read(&path).purpose == Some(Purpose::Serve)
}

fn open(path: &Path) -> std::io::Result<File> {
    // The directory may belong to another account than ours; a link laid there must not lead us elsewhere.
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o644).custom_flags(no_follow).open(path)
}

/// What the lock file says of its holder. Both are unknown in the moment between locking and writing.
#[derive(Debug, Default)]
struct Holder {
    pid: Option<u32>,
    purpose: Option<Purpose>,
}

impl Holder {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.parse().ok());
        let word = lines.next().unwrap_or_default();
        let purpose = [Purpose::Serve, Purpose::Command].into_iter().find(|p| p.word() == word);
        Self { pid, purpose }
    }
}
