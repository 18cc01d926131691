//! What sessions may take together: places, and memory for unfinished messages.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Network;

/// Places for sessions: in all, from one address, and from one network. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Places {
    most: usize,
    most_per_address: usize,
    most_per_network: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_network: HashMap<Network, usize>,
}

/// A session's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// The address and its network; nothing where the peer is trusted.
    networks: Vec<Network>,
    places: Places,
}

impl Places {
    pub(super) fn new(most: usize, most_per_address: usize, most_per_network: usize) -> Self {
        Self { most, most_per_address, most_per_network, taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a peer, or `None` where all are taken. Without `network` only the places in all count.
    pub(super) fn take(&self, address: IpAddr, network: Option<Network>) -> Option<Place> {
        let mut taken = self.taken();
        let own = Network::single(address);
        let networks: Vec<Network> = match network {
            None => Vec::new(),
            Some(network) if network == own => vec![own],
            Some(network) => vec![own, network],
        };
        let is_full = networks.iter().any(|network| {
            let most = if *network == own { self.most_per_address } else { self.most_per_network };
            taken.by_network.get(network).is_some_and(|count| *count >= most)
        });
        if taken.all >= self.most || is_full {
            return None;
        }
        taken.all += 1;
        for network in &networks {
            *taken.by_network.entry(*network).or_default() += 1;
        }
        drop(taken);
        Some(Place { networks, places: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        for network in &self.networks {
            if let Some(count) = taken.by_network.get_mut(network) {
                *count -= 1;
                if *count == 0 {
                    taken.by_network.remove(network);
                }
            }
        }
    }
}

/// Memory is counted in pieces of this size.
const PIECE_OCTETS: usize = 1024;

/// Memory for messages on their way, over all sessions. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    pieces: Arc<Semaphore>,
}

/// Memory that a message has; given back when dropped.
#[derive(Debug, Default)]
pub(super) struct Reservation {
    permit: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// `octets` in all.
    pub(super) fn new(octets: usize) -> Self {
        let pieces = octets.div_ceil(PIECE_OCTETS).min(Semaphore::MAX_PERMITS);
        Self { pieces: Arc::new(Semaphore::new(pieces)) }
    }

    /// Lets a reservation grow to this many octets; `false` where they are not free.
    pub(super) fn grow(&self, reservation: &mut Reservation, octets: usize) -> bool {
        let more = octets.div_ceil(PIECE_OCTETS).saturating_sub(reservation.pieces());
        let Ok(more) = u32::try_from(more) else { return false };
        if more == 0 {
            return true;
        }
        let Ok(permit) = Arc::clone(&self.pieces).try_acquire_many_owned(more) else { return false };
        match &mut reservation.permit {
            Some(held) => held.merge(permit),
            None => reservation.permit = Some(permit),
        }
        true
    }
}

impl Reservation {
    fn pieces(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Gives back what is above this many octets.
    pub(super) fn shrink_to(&mut self, octets: usize) {
        let above = self.pieces().saturating_sub(octets.div_ceil(PIECE_OCTETS));
        drop(self.permit.as_mut().and_then(|permit| permit.split(above)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_all_by_address_and_by_network() {
        let address = |text: &str| -> (IpAddr, Option<Network>) {
            let address = text.parse().expect("an address");
            (address, Some(Network::of(address, 24)))
        };
        let take = |places: &Places, text: &str| {
            let (address, network) = address(text);
            places.take(address, network)
        };
        let places = Places::new(5, 2, 3);
        let first = take(&places, "192.0.2.1").expect("free");
        let _second = take(&places, "192.0.2.1").expect("free");
        assert!(take(&places, "192.0.2.1").is_none(), "two from one address");
        let _third = take(&places, "192.0.2.2").expect("free");
        assert!(take(&places, "192.0.2.3").is_none(), "three from one network");
        let trusted = IpAddr::from([127, 0, 0, 1]);
        let _fourth = places.take(trusted, None).expect("free");
        let fifth = places.take(trusted, None).expect("free");
        assert!(take(&places, "198.51.100.1").is_none(), "five in all");
        drop((first, fifth));
        let _sixth = take(&places, "192.0.2.3").expect("free again");
        assert_eq!(places.taken().by_network.len(), 4, "three addresses and their network");
    }

    #[test]
    fn memory_is_limited_and_given_back() {
        let memory = Memory::new(4096);
        let (mut one, mut two) = (Reservation::default(), Reservation::default());
        assert!(memory.grow(&mut one, 1000));
        assert!(memory.grow(&mut one, 3000));
        assert!(!memory.grow(&mut two, 1025), "one of four pieces is left");
        assert!(memory.grow(&mut two, 1024));
        one.shrink_to(2048);
        assert_eq!((one.pieces(), two.pieces()), (2, 1));
        assert!(memory.grow(&mut two, 2048));
        drop(one);
        assert!(memory.grow(&mut two, 4096));
    }
}
