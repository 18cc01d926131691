//! The settings of the domain name system.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;

use super::raw::{list, seconds, size};
use super::{Dns, RawConfig};

impl RawConfig {
    pub(super) fn dns(&self) -> Result<Dns> {
        Ok(Dns {
            servers: list("PILLARBOX_DNS_SERVERS", self.dns_servers.as_deref(), server)?,
            timeout: seconds("PILLARBOX_DNS_TIMEOUT_SECONDS", self.dns_timeout_seconds.as_ref(), 4)?,
            cache_answers: size("PILLARBOX_DNS_CACHE_ANSWERS", self.dns_cache_answers.as_ref(), 4096, 0, 10_000_000)?,
        })
    }
}

/// An address with a port, or alone.
fn server(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|address| (address, 53).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_may_leave_out_the_port() {
        let raw = RawConfig { dns_servers: Some("192.0.2.1, [2001:db8::1]:5353,2001:db8::2".into()), ..RawConfig::default() };
        let servers: Vec<String> = raw.dns().expect("valid").servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:5353", "[2001:db8::2]:53"]);
        let raw = RawConfig { dns_servers: Some("dns.example".into()), ..RawConfig::default() };
        assert!(raw.dns().expect_err("a name").to_string().contains("PILLARBOX_DNS_SERVERS"));
    }
}
