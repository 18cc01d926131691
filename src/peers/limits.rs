//! What each peer may take.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sqlx::PgPool;

use crate::config;
use crate::config::Network;
use crate::error::Result;
use crate::store;
use crate::types::Timestamp;

use super::bans::{Banned, Bans, MOST};
use super::counts::{Counts, Kind, Rate};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What addresses and networks did lately, and who is banned for it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: config::Peers,
    /// Bounded: who was not here for long is forgotten first. A session keeps its own counts, forgotten or not.
    counts: Cache<Network, Arc<Counts>>,
    bans: Bans,
}

/// Why a peer is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnedAway {
    /// It is banned.
    Banned(Banned),
    /// It connected too often.
    TooOften,
}

/// A peer that was let in, for the time of one session.
#[derive(Debug, Clone)]
pub struct Peer {
    limits: Limits,
    /// The address and its network, each with its counts; empty where the peer is trusted.
    counted: Vec<(Network, u64, Arc<Counts>)>,
}

impl Limits {
    /// Nobody did anything yet.
    pub fn new(settings: config::Peers) -> Self {
        let counts = Cache::builder().max_capacity(settings.remembered).time_to_idle(HOUR).build();
        Self { shared: Arc::new(Shared { settings, counts, bans: Bans::default() }) }
    }

    /// Whether no limit holds for an address.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.shared.settings.trusted.iter().any(|network| network.contains(address))
    }

    /// Whether connections from an address open with the PROXY protocol.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        self.shared.settings.proxies.iter().any(|network| network.contains(address))
    }

    /// The network that an address belongs to.
    pub fn network(&self, address: IpAddr) -> Network {
        let settings = &self.shared.settings;
        Network::of(address, if address.is_ipv4() { settings.ipv4_bits } else { settings.ipv6_bits })
    }

    /// The settings.
    pub fn settings(&self) -> &config::Peers {
        &self.shared.settings
    }

    /// Lets a peer in, or says why not; counts the connection.
    pub async fn meet(&self, address: IpAddr) -> Result<Peer, TurnedAway> {
        if self.trusts(address) {
            return Ok(Peer { limits: self.clone(), counted: Vec::new() });
        }
        if let Some(banned) = self.shared.bans.of(address) {
            return Err(TurnedAway::Banned(banned));
        }
        let (own, network) = (Network::single(address), self.network(address));
        let mut counted = vec![(own, 1, self.counts(own).await)];
        if network != own {
            counted.push((network, self.shared.settings.network_factor, self.counts(network).await));
        }
        let peer = Peer { limits: self.clone(), counted };
        match peer.add(Kind::Connections, 1) {
            None => Ok(peer),
            Some(_) => Err(TurnedAway::TooOften),
        }
    }

    async fn counts(&self, network: Network) -> Arc<Counts> {
        self.shared.counts.get_with(network, async { Arc::default() }).await
    }

    /// Takes up what all nodes know of bans: writes down what this one imposed, and reads the rest.
    ///
    /// Fails where the database does not answer; then what is known stays.
    pub async fn exchange_bans(&self, db: &PgPool) -> Result<(), sqlx::Error> {
        let mut db = db.acquire().await?;
        let unwritten = self.shared.bans.unwritten();
        for ban in &unwritten {
            store::smtp_bans::upsert(&mut db, ban).await?;
        }
        self.shared.bans.written(&unwritten);
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        self.shared.bans.replace(&store::smtp_bans::list(&mut db, None, most, 0).await?);
        Ok(())
    }

    /// Whether bans wait to be written down.
    pub(super) fn has_unwritten_bans(&self) -> bool {
        !self.shared.bans.unwritten().is_empty()
    }

    fn rate(&self, kind: Kind) -> Rate {
        let settings = &self.shared.settings;
        let (most, period) = match kind {
            Kind::Connections => (settings.connections_per_minute, MINUTE),
            Kind::Commands => (settings.commands_per_minute, MINUTE),
            Kind::Messages => (settings.messages_per_minute, MINUTE),
            Kind::Octets => (settings.octets_per_hour, HOUR),
            Kind::Errors => (settings.errors_per_hour, HOUR),
            Kind::UnknownRecipients => (settings.unknown_recipients_per_hour, HOUR),
        };
        Rate { most, period }
    }
}

impl Peer {
    /// Counts, and answers which network, if any, has had too much.
    fn add(&self, kind: Kind, number: u64) -> Option<Network> {
        let Rate { most, period } = self.limits.rate(kind);
        let mut over = None;
        for (network, factor, counts) in &self.counted {
            if !counts.add(kind, number, Rate { most: most.saturating_mul(*factor), period }) {
                over = Some(*network);
            }
        }
        over
    }

    fn add_or_ban(&self, kind: Kind, reason: &'static str) -> bool {
        let Some(network) = self.add(kind, 1) else { return true };
        let duration = self.limits.shared.settings.ban;
        let until = Timestamp(Timestamp::now().0 + chrono::TimeDelta::from_std(duration).unwrap_or_default());
        tracing::warn!(%network, reason, seconds = duration.as_secs(), "a peer is banned for a while");
        self.limits.shared.bans.impose(network, reason, until);
        false
    }

    /// A command came; `false` where there were too many.
    pub fn command(&self) -> bool {
        self.add(Kind::Commands, 1).is_none()
    }

    /// A command failed; `false` where the peer is banned for it.
    pub fn error(&self) -> bool {
        self.add_or_ban(Kind::Errors, "errors")
    }

    /// A recipient that there is not was named; `false` where the peer is banned for it.
    pub fn unknown_recipient(&self) -> bool {
        self.add_or_ban(Kind::UnknownRecipients, "unknown_recipients")
    }

    /// A message of this size was taken.
    pub fn message(&self, octets: u64) {
        self.add(Kind::Messages, 1);
        self.add(Kind::Octets, octets);
    }

    /// Whether another message may come now.
    pub fn may_send(&self) -> bool {
        self.counted.iter().all(|(_, factor, counts)| {
            [Kind::Messages, Kind::Octets].into_iter().all(|kind| {
                let Rate { most, period } = self.limits.rate(kind);
                !counts.is_full(kind, Rate { most: most.saturating_mul(*factor), period })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RawConfig;

    fn limits(raw: RawConfig) -> Limits {
        Limits::new(raw.check().expect("valid").smtp.peers)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test]
    async fn connections_are_counted_for_the_address_and_for_its_network() {
        let limits = limits(RawConfig {
            smtp_connections_per_minute: Some(3.into()),
            smtp_network_factor: Some(2.into()),
            ..RawConfig::default()
        });
        for _ in 0..3 {
            assert!(limits.meet(address("192.0.2.1")).await.is_ok());
        }
        assert_eq!(limits.meet(address("192.0.2.1")).await.err(), Some(TurnedAway::TooOften));
        assert!(limits.meet(address("192.0.3.1")).await.is_ok(), "another network");
        let mut let_in = 0;
        for host in 2..20 {
            let_in += usize::from(limits.meet(address(&format!("192.0.2.{host}"))).await.is_ok());
        }
        assert!(let_in <= 2, "the network had its share: {let_in}");
        for _ in 0..100 {
            assert!(limits.meet(address("127.0.0.1")).await.is_ok(), "loopback is trusted");
        }
    }

    #[tokio::test]
    async fn who_names_too_many_unknown_recipients_is_banned() {
        let limits = limits(RawConfig { smtp_unknown_recipients_per_hour: Some(2.into()), ..RawConfig::default() });
        let peer = limits.meet(address("2001:db8::1")).await.expect("let in");
        assert!(peer.unknown_recipient() && peer.unknown_recipient() && !peer.unknown_recipient());
        let Err(TurnedAway::Banned(banned)) = limits.meet(address("2001:db8::1")).await else { panic!("banned") };
        assert_eq!((banned.network.to_string().as_str(), banned.reason), ("2001:db8::1", "unknown_recipients"));
        assert!(limits.meet(address("2001:db8::2")).await.is_ok());
        // The network is banned where its addresses together do more than so many times that.
        for host in 3..20 {
            if let Ok(peer) = limits.meet(address(&format!("2001:db8::{host}"))).await {
                peer.unknown_recipient();
            }
        }
        assert!(limits.meet(address("2001:db8::99")).await.is_err());
    }

    #[tokio::test]
    async fn messages_beyond_the_rate_are_put_off() {
        let limits = limits(RawConfig {
            smtp_messages_per_minute: Some(2.into()),
            smtp_bytes_per_hour: Some(1000.into()),
            ..RawConfig::default()
        });
        let peer = limits.meet(address("192.0.2.1")).await.expect("let in");
        peer.message(10);
        assert!(peer.may_send());
        peer.message(10);
        assert!(!peer.may_send());
        let other = limits.meet(address("198.51.100.1")).await.expect("let in");
        other.message(1001);
        assert!(!other.may_send());
    }
}
