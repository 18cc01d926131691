//! Addresses that somebody pasted into a form.

use crate::types::Address;

/// The most that one paste holds, as the operations have it.
const MOST: usize = 1000;

/// The addresses of a text, each once, parted by blanks, commas or semicolons, and what is none.
pub(in crate::web) fn addresses(text: &str) -> (Vec<Address>, Vec<String>) {
    let (mut addresses, mut wrong) = (Vec::new(), Vec::new());
    for word in text.split([' ', '\t', '\r', '\n', ',', ';']).filter(|word| !word.is_empty()).take(MOST) {
        match word.parse::<Address>() {
            Ok(address) if addresses.contains(&address) => {}
            Ok(address) => addresses.push(address),
            Err(_) => wrong.push(word.chars().take(100).collect()),
        }
    }
    (addresses, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_taken_apart_and_each_address_once() {
        let (addresses, wrong) = addresses("a@example.org, B@example.org;a@example.org\r\nno-address\n\n c@example.org");
        let texts: Vec<_> = addresses.iter().map(Address::as_str).collect();
        assert_eq!(texts, ["a@example.org", "b@example.org", "c@example.org"]);
        assert_eq!(wrong, ["no-address"]);
    }
}
