//! PostgreSQL's own log file: kept small, and its last words for our errors.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::account;

/// Beyond this the file is set aside at the next start of PostgreSQL, in octets.
const LARGE: u64 = 4 * 1024 * 1024;
/// How much of the end is looked at, in octets.
const TAIL: u64 = 4 * 1024;

/// Opens the log in `home` to append to; a large one is renamed to `….1` first.
pub(super) fn open(path: &Path, home: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|m| m.len() > LARGE) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    // The directory belongs to PostgreSQL's account; a link laid there must not make root write elsewhere.
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = fs::OpenOptions::new().create(true).append(true).mode(0o640).custom_flags(no_follow).open(path)?;
    account::give_to_owner_of(home, &file)?;
    Ok(file)
}

/// The last lines of the log from this offset on, at most 4 KB of them; empty when it cannot be read.
pub(super) fn tail(path: &Path, from: u64) -> String {
    read_tail(path, from).unwrap_or_default()
}

fn read_tail(path: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(size.saturating_sub(TAIL)).min(size)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim().to_owned())
}
