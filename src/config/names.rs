//! What the world calls this server.

use std::net::IpAddr;

use anyhow::Result;

use super::RawConfig;
use super::raw::{list, size};

/// What the world calls this server, and how its names are looked up.
#[derive(Debug, Clone)]
pub struct Names {
    /// The addresses at which the world reaches it; none where that is not known.
    pub public_addresses: Vec<IpAddr>,
    /// The port at which a zone's own servers are asked.
    pub authority_port: u16,
}

impl RawConfig {
    pub(super) fn names(&self) -> Result<Names> {
        let port = size("PILLARBOX_DNS_AUTHORITY_PORT", self.dns_authority_port.as_ref(), 53, 1, 65_535)?;
        Ok(Names {
            public_addresses: list("PILLARBOX_PUBLIC_ADDRESSES", self.public_addresses.as_deref(), |text| text.parse().ok())?,
            authority_port: u16::try_from(port).unwrap_or(53),
        })
    }
}
