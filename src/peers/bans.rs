//! Who is banned, as this node knows it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use crate::config::Network;
use crate::types::{SmtpBan, SmtpBanId, Timestamp};

/// More bans than this are not remembered: the oldest are forgotten first.
pub(super) const MOST: usize = 10_000;

/// A ban that holds for a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banned {
    /// Whom it holds for.
    pub network: Network,
    /// What it did too often.
    pub reason: &'static str,
    /// Until when.
    pub until: Timestamp,
}

#[derive(Debug, Clone)]
struct Ban {
    id: SmtpBanId,
    reason: &'static str,
    since: Timestamp,
    until: Timestamp,
    /// Written to the database already.
    is_written: bool,
}

/// The bans that a node knows.
#[derive(Debug, Default)]
pub(super) struct Bans {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    bans: HashMap<Network, Ban>,
    /// The sizes of network that there are among them: each is looked up by itself.
    sizes: Vec<u8>,
}

/// The names of reasons that are known; a ban of another version has the last.
fn reason(text: &str) -> &'static str {
    ["errors", "unknown_recipients"].into_iter().find(|known| *known == text).unwrap_or("banned")
}

impl Known {
    fn insert(&mut self, network: Network, ban: Ban) {
        if self.bans.len() >= MOST
            && !self.bans.contains_key(&network)
            && let Some(first) = self.bans.iter().min_by_key(|(_, ban)| ban.until).map(|(network, _)| *network)
        {
            self.bans.remove(&first);
        }
        if !self.sizes.contains(&network.bits()) {
            self.sizes.push(network.bits());
        }
        self.bans.insert(network, ban);
    }
}

impl Bans {
    /// The ban that holds for an address.
    pub(super) fn of(&self, address: IpAddr) -> Option<Banned> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.bans.is_empty() {
            return None;
        }
        let now = Timestamp::now();
        known.sizes.iter().find_map(|bits| {
            let network = Network::of(address, *bits);
            let ban = known.bans.get(&network).filter(|ban| ban.until > now)?;
            Some(Banned { network, reason: ban.reason, until: ban.until })
        })
    }

    /// Bans a network from now on; to be written down later.
    pub(super) fn impose(&self, network: Network, reason: &'static str, until: Timestamp) {
        let ban = Ban { id: SmtpBanId::generate(), reason, since: Timestamp::now(), until, is_written: false };
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(network, ban);
    }

    /// Those that are to be written down.
    pub(super) fn unwritten(&self) -> Vec<SmtpBan> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let unwritten = known.bans.iter().filter(|(_, ban)| !ban.is_written);
        unwritten
            .map(|(network, ban)| SmtpBan {
                id: ban.id,
                network: network.to_string(),
                reason: ban.reason.to_owned(),
                created_at: ban.since,
                expires_at: ban.until,
            })
            .collect()
    }

    /// Notes that these were written down.
    pub(super) fn written(&self, bans: &[SmtpBan]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for ban in bans {
            if let Ok(network) = ban.network.parse()
                && let Some(known) = known.bans.get_mut(&network).filter(|known| known.id == ban.id)
            {
                known.is_written = true;
            }
        }
    }

    /// Takes what the database has in place of what was known; what was not written down yet stays.
    pub(super) fn replace(&self, bans: &[SmtpBan]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        known.bans.retain(|_, ban| !ban.is_written && ban.until > now);
        known.sizes = known.bans.keys().map(|network| network.bits()).collect();
        known.sizes.sort_unstable();
        known.sizes.dedup();
        for ban in bans {
            if let Ok(network) = ban.network.parse::<Network>()
                && !known.bans.contains_key(&network)
            {
                let (since, until) = (ban.created_at, ban.expires_at);
                known.insert(network, Ban { id: ban.id, reason: reason(&ban.reason), since, until, is_written: true });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Timestamp {
        Timestamp(Timestamp::now().0 + chrono::TimeDelta::hours(1))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_ban_holds_for_its_network_until_its_end() {
        let bans = Bans::default();
        bans.impose("192.0.2.0/24".parse().expect("a network"), "errors", later());
        bans.impose("2001:db8::1".parse().expect("a network"), "unknown_recipients", later());
        bans.impose("198.51.100.1".parse().expect("a network"), "errors", Timestamp::now());
        for (text, is_banned) in
            [("192.0.2.200", true), ("192.0.3.1", false), ("2001:db8::1", true), ("2001:db8::2", false), ("198.51.100.1", false)]
        {
            assert_eq!(bans.of(address(text)).is_some(), is_banned, "{text}");
        }
    }

    #[test]
    fn what_the_database_has_holds_and_what_is_not_written_yet_stays() {
        let bans = Bans::default();
        bans.impose("192.0.2.1".parse().expect("a network"), "errors", later());
        bans.written(&bans.unwritten());
        bans.impose("192.0.2.2".parse().expect("a network"), "errors", later());
        let other = SmtpBan {
            id: SmtpBanId::generate(),
            network: "192.0.2.64/26".to_owned(),
            reason: "errors".to_owned(),
            created_at: Timestamp::now(),
            expires_at: later(),
        };
        bans.replace(&[other]);
        assert_eq!(bans.of(address("192.0.2.1")), None, "lifted elsewhere");
        assert!(bans.of(address("192.0.2.2")).is_some());
        assert_eq!(bans.of(address("192.0.2.99")).map(|ban| ban.network.to_string()), Some("192.0.2.64/26".to_owned()));
        assert_eq!(bans.unwritten().len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let bans = Bans::default();
        for n in 0..u32::try_from(MOST + 10).expect("few") {
            bans.impose(Network::single(std::net::Ipv4Addr::from_bits(n).into()), "errors", later());
        }
        assert_eq!(bans.known.read().expect("sound").bans.len(), MOST);
    }
}
