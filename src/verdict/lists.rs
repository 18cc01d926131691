//! DNS lists of addresses (RFC 5782). Off unless the operator names some.

use std::fmt::Write as _;
use std::net::IpAddr;

use tokio::time::{Instant, timeout_at};

use crate::config::DnsList;
use crate::types::DnsListing;

use super::{Shared, short};

impl Shared {
    /// The lists that name an address. One that does not answer names nobody.
    pub(super) async fn listings(&self, address: IpAddr, deadline: Instant) -> Vec<DnsListing> {
        if self.settings.lists.is_empty() {
            return Vec::new();
        }
        let asking = self.settings.lists.iter().map(|list| timeout_at(deadline, self.listing(list, address)));
        futures_util::future::join_all(asking).await.into_iter().filter_map(|asked| asked.ok().flatten()).collect()
    }

    async fn listing(&self, list: &DnsList, address: IpAddr) -> Option<DnsListing> {
        let name = name(address, &list.zone);
        let found = self.dns.ipv4(&name).await.ok()?;
        let answer = found.records.into_iter().find(is_listed)?;
        let said = self.dns.txt(&name).await.ok().and_then(|found| found.records.into_iter().next());
        let reason = said.map(|text| short(&text));
        Some(DnsListing { zone: list.zone.clone(), answer: Some(answer), reason, rejects: list.rejects })
    }
}

/// An address of loopback. What begins with 127.255 says that the list does not answer us (RFC 5782 section 2.1 and the
/// lists' own rules), and what lies elsewhere is a resolver that sends everybody to a page of its own.
fn is_listed(answer: &IpAddr) -> bool {
    matches!(answer, IpAddr::V4(answer) if answer.is_loopback() && answer.octets()[1] != 255)
}

/// The address backwards, below the zone.
fn name(address: IpAddr, zone: &str) -> String {
    let mut name = String::with_capacity(64 + zone.len());
    // Writing to a String cannot fail.
    match address {
        IpAddr::V4(v4) => {
            for octet in v4.octets().iter().rev() {
                let _ = write!(name, "{octet}.");
            }
        }
        IpAddr::V6(v6) => {
            for octet in v6.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 15, octet >> 4);
            }
        }
    }
    name + zone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_backwards() {
        assert_eq!(name("192.0.2.99".parse().expect("v4"), "list.example"), "99.2.0.192.list.example");
        assert_eq!(
            name("2001:db8::1".parse().expect("v6"), "list.example"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.list.example"
        );
    }

    #[test]
    fn only_loopback_means_listed() {
        for (answer, expected) in [("127.0.0.2", true), ("127.0.1.2", true), ("127.255.255.254", false), ("192.0.2.1", false)] {
            assert_eq!(is_listed(&answer.parse().expect("v4")), expected, "{answer}");
        }
    }
}
