//! The content of a message while it comes in: within the limits of size and memory, or thrown away.

use super::limits::{Memory, Reservation};

/// Content that grows. Once it is too much, its octets are dropped and only the reading to the true end goes on.
#[derive(Debug)]
pub(super) struct Content {
    octets: Vec<u8>,
    limit: usize,
    memory: Memory,
    reservation: Reservation,
    overflow: Option<Overflow>,
}

/// Why content was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    /// The message is larger than allowed.
    TooLarge,
    /// No memory became free in time.
    NoMemory,
}

/// The first allocation; most messages that carry a code fit.
const FIRST_OCTETS: usize = 8 * 1024;

impl Content {
    pub(super) fn new(limit: usize, memory: Memory) -> Self {
        Self { octets: Vec::new(), limit, memory, reservation: Reservation::default(), overflow: None }
    }

    /// How many octets are kept.
    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    /// Makes room for as many more octets; waits for memory where it is short.
    pub(super) async fn make_room(&mut self, more: usize) {
        let needed = self.octets.len().saturating_add(more).min(self.limit.saturating_add(1));
        if self.overflow.is_some() || needed <= self.octets.capacity() {
            return;
        }
        let grown = self.octets.capacity().saturating_mul(2).max(FIRST_OCTETS).min(self.limit.saturating_add(1));
        let capacity = needed.max(grown);
        if self.memory.grow(&mut self.reservation, capacity).await {
            self.octets.reserve_exact(capacity - self.octets.len());
        } else {
            self.give_up(Overflow::NoMemory);
        }
    }

    /// Adds octets that room was made for.
    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.overflow.is_some() {
        } else if self.octets.len() + octets.len() > self.limit {
            self.give_up(Overflow::TooLarge);
        } else {
            self.octets.extend_from_slice(octets);
        }
    }

    fn give_up(&mut self, reason: Overflow) {
        self.octets = Vec::new();
        self.reservation = Reservation::default();
        self.overflow = Some(reason);
    }

    /// The whole content with the memory that it holds, or why there is none.
    pub(super) fn finish(self) -> Result<(Vec<u8>, Reservation), Overflow> {
        self.overflow.map_or(Ok((self.octets, self.reservation)), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn fill(content: &mut Content, pieces: usize, size: usize) {
        let piece = vec![b'x'; size];
        for _ in 0..pieces {
            content.make_room(size + 1).await;
            content.push(&piece);
            assert!(content.octets.capacity() <= content.limit + 1, "memory stays within the limit");
        }
    }

    #[tokio::test]
    async fn content_up_to_the_limit_is_kept_and_above_it_dropped() {
        let memory = Memory::new(1 << 20, Duration::from_millis(20));
        let mut exact = Content::new(100_000, memory.clone());
        fill(&mut exact, 10, 10_000).await;
        assert_eq!(exact.finish().map(|(octets, _)| octets.len()), Ok(100_000));
        let mut above = Content::new(99_999, memory.clone());
        fill(&mut above, 10, 10_000).await;
        assert_eq!(above.finish().map(|_| ()), Err(Overflow::TooLarge));
    }

    #[tokio::test]
    async fn without_memory_content_is_dropped_and_others_go_on() {
        let memory = Memory::new(64 * 1024, Duration::from_millis(20));
        let mut one = Content::new(1 << 20, memory.clone());
        fill(&mut one, 4, 10_000).await;
        let mut two = Content::new(1 << 20, memory.clone());
        fill(&mut two, 10, 10_000).await;
        assert_eq!(two.finish().map(|_| ()), Err(Overflow::NoMemory));
        assert_eq!(one.finish().map(|(octets, _)| octets.len()), Ok(40_000));
    }
}
