//! Networks: an address, or all addresses that begin with the same bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that share their first bits, such as `192.0.2.0/24`; with all bits, one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// What is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an address such as 192.0.2.1, or a network such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork;

impl Network {
    /// The network of an address with this many leading bits; more than the address has are all it has.
    pub fn of(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let bits = bits.min(32);
                let first = address.to_bits() & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv4Addr::from_bits(first).into(), bits }
            }
            IpAddr::V6(address) => {
                let bits = bits.min(128);
                let first = address.to_bits() & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv6Addr::from_bits(first).into(), bits }
            }
        }
    }

    /// One address.
    pub fn single(address: IpAddr) -> Self {
        Self::of(address, u8::MAX)
    }

    /// How many leading bits its addresses share.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::of(address, self.bits) == self
    }

    /// Its first address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// Its last address.
    pub fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => {
                Ipv4Addr::from_bits(first.to_bits() | u32::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0)).into()
            }
            IpAddr::V6(first) => {
                Ipv6Addr::from_bits(first.to_bits() | u128::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0)).into()
            }
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| InvalidNetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match bits {
            Some(bits) if bits > most => Err(InvalidNetwork),
            Some(bits) => Ok(Self::of(address, bits)),
            None => Ok(Self::single(address)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == if self.first.is_ipv4() { 32 } else { 128 } {
            self.first.fmt(f)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_first_and_a_last_address() {
        for (text, written, first, last) in [
            ("192.0.2.77/24", "192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
            ("192.0.2.77", "192.0.2.77", "192.0.2.77", "192.0.2.77"),
            ("192.0.2.77/32", "192.0.2.77", "192.0.2.77", "192.0.2.77"),
            ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.77", "192.0.2.77"),
            ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
            ("2001:db8:1:2:3::9/64", "2001:db8:1:2::/64", "2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
            ("::/0", "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let network: Network = text.parse().expect(text);
            assert_eq!(network.to_string(), written);
            assert_eq!((network.first().to_string(), network.last().to_string()), (first.into(), last.into()), "{text}");
            assert!(network.contains(network.first()) && network.contains(network.last()), "{text}");
        }
        for text in ["", "192.0.2.0/33", "192.0.2/24", "example.org", "192.0.2.0/-1", "::/129", "192.0.2.0/"] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
        }
        let network: Network = "192.0.2.0/24".parse().expect("valid");
        for (address, is_in) in [("192.0.2.9", true), ("192.0.3.0", false), ("::ffff:192.0.2.1", true), ("2001:db8::", false)] {
            assert_eq!(network.contains(address.parse().expect("valid")), is_in, "{address}");
        }
    }
}
