//! The octets of a message on their way in: in memory, or, where they are many, in a file until their turn comes.

use std::fs::{DirBuilder, File};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::{Error, Result};

use super::unavailable;

/// Where large messages wait. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Spool {
    dir: Arc<PathBuf>,
}

impl Spool {
    /// Makes the directory, which only this account may enter, and removes what a crash left in it.
    pub fn open(dir: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        for entry in std::fs::read_dir(&dir)? {
            let left = entry?;
            if left.file_type()?.is_file() {
                std::fs::remove_file(left.path())?;
            }
        }
        Ok(Self { dir: Arc::new(dir) })
    }

    /// A new, empty file. Its name is gone already, so that its room is free again however the program ends.
    pub fn file(&self) -> io::Result<File> {
        let path = self.dir.join(Uuid::now_v7().simple().to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        match std::fs::remove_file(&path) {
            // Another program on this directory may have started, and removed it for us.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(file),
        }
    }
}

/// A message that was received whole, and lies where it was received to.
#[derive(Debug)]
pub enum Received {
    /// In memory.
    Memory(Bytes),
    /// In a file of a [`Spool`].
    File {
        /// The file, which holds nothing else.
        file: File,
        /// How many octets it has.
        octets: usize,
    },
}

/// The octets of a message in memory, exactly as they were sent, dots unstuffed, without the line that ends them.
///
/// Those of a large message hold a place: see [`super::Ingest::admit`].
#[derive(Debug)]
pub struct Content {
    octets: Bytes,
    place: Option<OwnedSemaphorePermit>,
}

impl Content {
    /// Lets the octets go, but not the place.
    pub(super) fn release(&mut self) {
        self.octets = Bytes::new();
    }

    /// The octets, shared.
    pub(super) fn octets(&self) -> Bytes {
        self.octets.clone()
    }

    /// Whether it is one of the few large ones.
    pub(super) fn is_large(&self) -> bool {
        self.place.is_some()
    }
}

impl From<Bytes> for Content {
    fn from(octets: Bytes) -> Self {
        Self { octets, place: None }
    }
}

impl Deref for Content {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.octets
    }
}

/// How long a large message waits for its turn; its sender waits for ten minutes (RFC 5321 section 4.5.3.2.6).
const PATIENCE: Duration = Duration::from_mins(5);
/// Room is counted in pieces of this size.
const PIECE_OCTETS: usize = 1024;

/// Lets in so many large messages that they have room in memory together, and at least one.
#[derive(Debug)]
pub(super) struct Gate {
    room: Arc<Semaphore>,
    pieces: u32,
    patience: Duration,
    /// Told when one failed for a reason that the next ones would fail for too.
    failed: Notify,
}

impl Gate {
    pub(super) fn new(octets: usize) -> Self {
        let pieces = u32::try_from(octets.div_ceil(PIECE_OCTETS)).unwrap_or(u32::MAX);
        Self { room: Arc::new(Semaphore::new(pieces as usize)), pieces, patience: PATIENCE, failed: Notify::new() }
    }

    /// Brings a message into memory: at once where it is there, else when there is room for it.
    pub(super) async fn admit(&self, received: Received) -> Result<Content> {
        let (file, octets) = match received {
            Received::Memory(octets) => return Ok(octets.into()),
            Received::File { file, octets } => (file, octets),
        };
        let pieces = u32::try_from(octets.div_ceil(PIECE_OCTETS)).unwrap_or(u32::MAX).clamp(1, self.pieces);
        let place = tokio::select! {
            place = tokio::time::timeout(self.patience, Arc::clone(&self.room).acquire_many_owned(pieces)) => place,
            () = self.failed.notified() => return Err(unavailable("The database is not answering at the moment.")),
        };
        let Ok(Ok(place)) = place else { return Err(unavailable("Too many large messages are waiting to be stored.")) };
        let read = tokio::task::spawn_blocking(move || {
            let mut whole = vec![0; octets];
            file.read_exact_at(&mut whole, 0).map(|()| whole)
        });
        match read.await {
            Ok(Ok(whole)) => Ok(Content { octets: whole.into(), place: Some(place) }),
            Ok(Err(cause)) => Err(Error::Internal(anyhow::Error::new(cause).context("reading a message from the spool"))),
            Err(cause) => Err(Error::Internal(anyhow::Error::new(cause).context("reading a message from the spool"))),
        }
    }

    /// Sends those away who wait: each would only find out in turn that the database is not there.
    pub(super) fn fail_those_who_wait(&self) {
        self.failed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn scratch() -> PathBuf {
        std::env::temp_dir().join(format!("pillarbox-spool-{}", Uuid::now_v7().simple()))
    }

    fn spooled(spool: &Spool, octets: usize) -> Received {
        let mut file = spool.file().expect("a file");
        file.write_all(&vec![b'x'; octets]).expect("written");
        Received::File { file, octets }
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_start_and_nothing_is_left_meanwhile() {
        let dir = scratch();
        std::fs::create_dir_all(dir.join("kept")).expect("made");
        std::fs::write(dir.join("left"), b"x").expect("written");
        let spool = Spool::open(dir.clone()).expect("opened");
        let _file = spool.file().expect("a file");
        let names: Vec<_> = std::fs::read_dir(&dir).expect("read").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(names, ["kept"]);
        std::fs::remove_dir_all(dir).expect("removed");
    }

    #[tokio::test]
    async fn few_large_messages_are_in_memory_at_once() {
        let dir = scratch();
        let spool = Spool::open(dir.clone()).expect("opened");
        let gate = Gate { patience: Duration::from_millis(50), ..Gate::new(3 * PIECE_OCTETS) };
        let small = gate.admit(Received::Memory(Bytes::from_static(b"y"))).await.expect("in memory");
        assert_eq!((&*small, small.is_large()), (&b"y"[..], false));
        let mut one = gate.admit(spooled(&spool, 2 * PIECE_OCTETS)).await.expect("room");
        assert_eq!((one.len(), one.is_large()), (2 * PIECE_OCTETS, true));
        one.release();
        assert_eq!(one.len(), 0);
        assert!(gate.admit(spooled(&spool, 2 * PIECE_OCTETS)).await.is_err(), "its place is still held");
        drop(one);
        let larger_than_all = gate.admit(spooled(&spool, 9 * PIECE_OCTETS)).await.expect("alone");
        let (waiting, ()) = tokio::join!(gate.admit(spooled(&spool, 1)), async {
            tokio::task::yield_now().await;
            gate.fail_those_who_wait();
        });
        assert!(waiting.is_err(), "sent away at once");
        drop(larger_than_all);
        assert_eq!(gate.admit(spooled(&spool, 1)).await.expect("room").len(), 1);
        std::fs::remove_dir_all(dir).expect("removed");
    }
}
