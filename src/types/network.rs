//! A range of network addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses with a beginning in common, as in `192.0.2.0/24`; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address lies in it. An IPv4 address in IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => leading(u32::from(own) ^ u32::from(other)) >= self.prefix,
            (IpAddr::V6(own), IpAddr::V6(other)) => leading(u128::from(own) ^ u128::from(other)) >= self.prefix,
            _ => false,
        }
    }
}

/// How many bits two addresses have in common.
fn leading<T: Into<u128> + Copy>(difference: T) -> u8 {
    let unused = 128 - 8 * u32::try_from(size_of::<T>()).unwrap_or(16);
    u8::try_from(difference.into().leading_zeros() - unused).unwrap_or(u8::MAX)
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let wrong = || format!("{text:?} is not a network such as 192.0.2.0/24 or 2001:db8::/32");
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        for (network, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("127.0.0.0/8", "127.255.0.1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("fc00::/7", "fd12::1", true),
            ("fc00::/7", "2001:db8::1", false),
            ("::/0", "::1", true),
        ] {
            let network: Network = network.parse().expect("a network");
            assert_eq!(network.contains(address.parse().expect("an address")), expected, "{address} in {network}");
        }
        for text in ["", "192.0.2.0/33", "2001:db8::/129", "192.0.2/24", "example.net", "192.0.2.0/-1", "192.0.2.0/"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
