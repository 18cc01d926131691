//! The settings of what peers of the SMTP listener may take, and of the ledger of their sessions.

use std::time::Duration;

use anyhow::{Result, bail};

use super::raw::{list, seconds, size};
use super::{Network, RawConfig};

/// What a peer may take of the SMTP listener, and the ledger of sessions. 0 takes a limit away.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Peers that no limit of this kind holds for; loopback by default, so that tests on the machine itself are not banned.
    pub trusted: Vec<Network>,
    /// Proxies that open each connection with the PROXY protocol. From them it must come; from others it is refused.
    pub proxies: Vec<Network>,
    /// How many leading bits make an IPv4 network.
    pub ipv4_bits: u8,
    /// How many leading bits make an IPv6 network.
    pub ipv6_bits: u8,
    /// A network may take so many times what an address may.
    pub network_factor: u64,
    /// The most connections from one address in a minute.
    pub connections_per_minute: u64,
    /// The most commands from one address in a minute.
    pub commands_per_minute: u64,
    /// The most messages from one address in a minute; more are put off.
    pub messages_per_minute: u64,
    /// The most octets of messages from one address in an hour; more are put off.
    pub octets_per_hour: u64,
    /// The most failed commands from one address in an hour; more ban it.
    pub errors_per_hour: u64,
    /// The most unknown recipients named by one address in an hour; more ban it.
    pub unknown_recipients_per_hour: u64,
    /// How long a ban lasts.
    pub ban: Duration,
    /// The most commands in a session that lead nowhere (NOOP, RSET, VRFY, HELP, EHLO) since the last message.
    pub max_junk_commands: usize,
    /// The least octets a second of a message, on average.
    pub min_data_rate: u64,
    /// How many addresses and networks are remembered at once.
    pub remembered: u64,
    /// How many sessions may wait to be written to the ledger before some are left out.
    pub ledger_queue: usize,
}

impl RawConfig {
    pub(super) fn peers(&self) -> Result<Peers> {
        let trusted = self.smtp_trusted_networks.as_deref().unwrap_or("127.0.0.0/8,::1");
        let trusted = if trusted.trim() == "none" { "" } else { trusted };
        let limit = |setting, given, default| size(setting, given, default, 0, 1 << 40).map(|n| n as u64);
        let bits = |setting, given, default, most| {
            size(setting, given, default, 8, most).map(|bits| u8::try_from(bits).unwrap_or(u8::MAX))
        };
        let ban = seconds("PILLARBOX_SMTP_BAN_SECONDS", self.smtp_ban_seconds.as_ref(), 3600)?;
        if ban < Duration::from_secs(10) {
            bail!("PILLARBOX_SMTP_BAN_SECONDS is {}; it must be from 10 to 86400", ban.as_secs());
        }
        Ok(Peers {
            trusted: list("PILLARBOX_SMTP_TRUSTED_NETWORKS", Some(trusted), |t| t.parse().ok())?,
            proxies: list("PILLARBOX_SMTP_PROXY_NETWORKS", self.smtp_proxy_networks.as_deref(), |t| t.parse().ok())?,
            ipv4_bits: bits("PILLARBOX_SMTP_IPV4_NETWORK_BITS", self.smtp_ipv4_network_bits.as_ref(), 24, 32)?,
            ipv6_bits: bits("PILLARBOX_SMTP_IPV6_NETWORK_BITS", self.smtp_ipv6_network_bits.as_ref(), 64, 128)?,
            network_factor: size("PILLARBOX_SMTP_NETWORK_FACTOR", self.smtp_network_factor.as_ref(), 4, 1, 10_000)? as u64,
            connections_per_minute: limit(
                "PILLARBOX_SMTP_CONNECTIONS_PER_MINUTE",
                self.smtp_connections_per_minute.as_ref(),
                120,
            )?,
            commands_per_minute: limit("PILLARBOX_SMTP_COMMANDS_PER_MINUTE", self.smtp_commands_per_minute.as_ref(), 6000)?,
            messages_per_minute: limit("PILLARBOX_SMTP_MESSAGES_PER_MINUTE", self.smtp_messages_per_minute.as_ref(), 1200)?,
            octets_per_hour: limit("PILLARBOX_SMTP_BYTES_PER_HOUR", self.smtp_bytes_per_hour.as_ref(), 4 << 30)?,
            errors_per_hour: limit("PILLARBOX_SMTP_ERRORS_PER_HOUR", self.smtp_errors_per_hour.as_ref(), 100)?,
            unknown_recipients_per_hour: limit(
                "PILLARBOX_SMTP_UNKNOWN_RECIPIENTS_PER_HOUR",
                self.smtp_unknown_recipients_per_hour.as_ref(),
                100,
            )?,
            ban,
            max_junk_commands: size("PILLARBOX_SMTP_MAX_JUNK_COMMANDS", self.smtp_max_junk_commands.as_ref(), 100, 1, 1_000_000)?,
            min_data_rate: limit("PILLARBOX_SMTP_MIN_BYTES_PER_SECOND", self.smtp_min_bytes_per_second.as_ref(), 500)?,
            remembered: size("PILLARBOX_SMTP_REMEMBERED_PEERS", self.smtp_remembered_peers.as_ref(), 100_000, 100, 100_000_000)?
                as u64,
            ledger_queue: size("PILLARBOX_SMTP_LEDGER_QUEUE", self.smtp_ledger_queue.as_ref(), 10_000, 1, 1_000_000)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_trusted_unless_somebody_says_otherwise() {
        let of = |text: Option<&str>| {
            let raw = RawConfig { smtp_trusted_networks: text.map(str::to_owned), ..RawConfig::default() };
            raw.peers().map(|peers| peers.trusted.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(of(None).expect("valid"), ["127.0.0.0/8", "::1"]);
        assert!(of(Some("none")).expect("valid").is_empty());
        assert_eq!(of(Some("10.1.2.3/8")).expect("valid"), ["10.0.0.0/8"]);
        assert!(of(Some("lan")).expect_err("a word").to_string().contains("PILLARBOX_SMTP_TRUSTED_NETWORKS"));
    }
}
