//! Digests as people and JSON write them.

use std::fmt::Write as _;

/// Octets in lower-case hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
