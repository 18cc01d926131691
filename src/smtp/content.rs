//! The content of a message while it comes in: in memory, on disk where it is large, or thrown away.

use std::fs::File;
use std::io;
use std::io::Write as _;

use crate::ingest::{Received, Spool};

use super::limits::{Memory, Reservation};
use super::trace::Hops;

/// Where content is kept, and how much of it.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// The largest message in octets.
    pub(super) limit: usize,
    /// Above this it goes to disk.
    pub(super) spool_above: usize,
    pub(super) memory: Memory,
    pub(super) spool: Spool,
}

/// Content that grows. Once it is too much, its octets are dropped and only the reading to the true end goes on.
#[derive(Debug)]
pub(super) struct Content {
    /// All octets, or those that are not in the file yet.
    octets: Vec<u8>,
    file: Option<File>,
    in_file: usize,
    room: Room,
    reservation: Reservation,
    hops: Hops,
    overflow: Option<Overflow>,
}

/// Why content was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    /// The message is larger than allowed.
    TooLarge,
    /// The disk is full.
    NoSpace,
    /// The disk does not take it for another reason.
    Broken,
}

/// Content that came to its end.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) received: Received,
    /// How many octets it has.
    pub(super) octets: usize,
    /// How many hosts it passed; a little more than the limit stands for any larger number.
    pub(super) hops: usize,
    /// The memory that it takes, given back when dropped.
    pub(super) memory: Reservation,
}

/// The first allocation; most messages that carry a code fit.
const FIRST_OCTETS: usize = 8 * 1024;
/// So many octets are gathered for one write to disk.
const WRITE_OCTETS: usize = 64 * 1024;

impl Content {
    pub(super) fn new(room: Room) -> Self {
        Self {
            octets: Vec::new(),
            file: None,
            in_file: 0,
            room,
            reservation: Reservation::default(),
            hops: Hops::default(),
            overflow: None,
        }
    }

    /// How many octets are kept.
    pub(super) fn len(&self) -> usize {
        self.in_file + self.octets.len()
    }

    /// Why nothing is kept any more.
    pub(super) fn overflow(&self) -> Option<Overflow> {
        self.overflow
    }

    /// Makes room for as many more octets; what is too much for memory goes to disk.
    pub(super) async fn make_room(&mut self, more: usize) {
        if self.overflow.is_some() {
            return;
        }
        if self.file.is_some() {
            if self.octets.len() + more > WRITE_OCTETS {
                self.write_out().await;
            }
        } else if !self.grow(more) {
            self.spool().await;
        }
        if self.file.is_some() && self.octets.capacity() - self.octets.len() < more {
            self.octets.reserve_exact(more.max(WRITE_OCTETS - self.octets.len()));
        }
    }

    /// Makes room in memory, where there is enough and the content is not too large for it.
    fn grow(&mut self, more: usize) -> bool {
        let most = self.room.limit.saturating_add(1).min(self.room.spool_above);
        let needed = self.octets.len().saturating_add(more).min(self.room.limit.saturating_add(1));
        if needed <= self.octets.capacity() {
            return true;
        }
        let grown = self.octets.capacity().saturating_mul(2).max(FIRST_OCTETS).min(most);
        let capacity = needed.max(grown);
        if needed > self.room.spool_above || !self.room.memory.grow(&mut self.reservation, capacity) {
            return false;
        }
        self.octets.reserve_exact(capacity - self.octets.len());
        true
    }

    /// Puts what came so far into a file, and keeps just enough memory to gather the next write.
    async fn spool(&mut self) {
        match self.room.spool.file() {
            Ok(file) => self.file = Some(file),
            Err(error) => return self.fail(&error),
        }
        self.write_out().await;
        self.octets = Vec::new();
        self.reservation.shrink_to(WRITE_OCTETS);
    }

    async fn write_out(&mut self) {
        let Some(mut file) = self.file.take() else { return };
        let octets = std::mem::take(&mut self.octets);
        self.hops.feed(&octets);
        // Even a write to the page cache waits, where much is to be written.
        let write = tokio::task::spawn_blocking(move || {
            let written = file.write_all(&octets);
            (written, file, octets)
        });
        match write.await {
            Ok((Ok(()), file, mut octets)) => {
                self.in_file += octets.len();
                octets.clear();
                (self.file, self.octets) = (Some(file), octets);
            }
            Ok((Err(error), ..)) => self.fail(&error),
            Err(error) => self.fail(&io::Error::other(error)),
        }
    }

    fn fail(&mut self, error: &io::Error) {
        tracing::warn!(%error, octets = self.len(), "a message could not be put on disk; its sender is asked to come back");
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        self.give_up(if full { Overflow::NoSpace } else { Overflow::Broken });
    }

    /// Adds octets that room was made for.
    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.overflow.is_some() {
        } else if self.len() + octets.len() > self.room.limit {
            self.give_up(Overflow::TooLarge);
        } else {
            self.octets.extend_from_slice(octets);
        }
    }

    fn give_up(&mut self, reason: Overflow) {
        self.octets = Vec::new();
        (self.file, self.in_file) = (None, 0);
        self.reservation = Reservation::default();
        self.overflow = Some(reason);
    }

    /// The whole content with the memory that it holds, or why there is none.
    pub(super) async fn finish(mut self) -> Result<Finished, Overflow> {
        if self.file.is_some() {
            self.write_out().await;
        } else {
            self.hops.feed(&self.octets);
        }
        let octets = self.len();
        match (self.overflow, self.file) {
            (Some(overflow), _) => Err(overflow),
            (None, Some(file)) => Ok(Finished {
                received: Received::File { file, octets },
                octets,
                hops: self.hops.count(),
                memory: Reservation::default(),
            }),
            (None, None) => Ok(Finished {
                received: Received::Memory(self.octets.into()),
                octets,
                hops: self.hops.count(),
                memory: self.reservation,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn room(limit: usize, memory: usize) -> Room {
        let dir = std::env::temp_dir().join(format!("pillarbox-content-{}", uuid::Uuid::now_v7().simple()));
        Room { limit, spool_above: 32 * 1024, memory: Memory::new(memory), spool: Spool::open(dir).expect("opened") }
    }

    async fn fill(content: &mut Content, pieces: usize, size: usize) {
        for digit in (b'0'..=b'9').cycle().take(pieces) {
            content.make_room(size + 1).await;
            content.push(&vec![digit; size]);
            assert!(content.octets.capacity() <= WRITE_OCTETS + size + 1, "memory stays within its limits");
        }
    }

    fn octets(finished: &Finished) -> Vec<u8> {
        match &finished.received {
            Received::Memory(octets) => octets.to_vec(),
            Received::File { file, octets } => {
                let mut whole = vec![0; *octets];
                file.read_exact_at(&mut whole, 0).expect("read");
                whole
            }
        }
    }

    #[tokio::test]
    async fn content_up_to_the_limit_is_kept_and_above_it_dropped() {
        for (pieces, size, on_disk) in [(3, 10_000, false), (4, 10_000, true), (50, 7000, true), (3, 300_000, true)] {
            let total = pieces * size;
            let mut exact = Content::new(room(total, 1 << 20));
            fill(&mut exact, pieces, size).await;
            let finished = exact.finish().await.expect("kept");
            assert_eq!(matches!(finished.received, Received::File { .. }), on_disk, "{total}");
            let expected: Vec<u8> = (b'0'..=b'9').cycle().take(pieces).flat_map(|digit| vec![digit; size]).collect();
            assert!(octets(&finished) == expected, "{total}");
            let mut above = Content::new(room(total - 1, 1 << 20));
            fill(&mut above, pieces, size).await;
            assert_eq!(above.finish().await.map(|_| ()), Err(Overflow::TooLarge));
        }
    }

    #[tokio::test]
    async fn without_memory_content_goes_to_disk() {
        let tight = room(1 << 20, 20 * 1024);
        let mut one = Content::new(tight.clone());
        fill(&mut one, 1, 10_000).await;
        let mut two = Content::new(tight);
        fill(&mut two, 30, 1000).await;
        assert_eq!(octets(&two.finish().await.expect("kept")).len(), 30_000);
        assert_eq!(octets(&one.finish().await.expect("kept")).len(), 10_000);
    }

    #[tokio::test]
    async fn without_a_disk_content_is_dropped_and_says_why() {
        let room = room(1 << 20, 1 << 20);
        let mut full = Content::new(room.clone());
        fill(&mut full, 4, 10_000).await;
        full.file = File::options().write(true).open("/dev/full").ok();
        fill(&mut full, 20, 10_000).await;
        assert_eq!(full.len(), 0);
        assert_eq!(full.finish().await.map(|_| ()), Err(Overflow::NoSpace));
        let mut gone = Content::new(room);
        gone.file = File::open("/dev/null").ok();
        fill(&mut gone, 20, 10_000).await;
        assert_eq!(gone.overflow(), Some(Overflow::Broken), "a file that cannot be written to");
    }
}
