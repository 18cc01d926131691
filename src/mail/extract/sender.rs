//! Who writes, as far as the address says: an account service, or one that sells, ships, reports or publishes.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What the local part of the sender's address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sender {
    /// It is one of those that send codes: `security`, `login`, `verify`.
    pub(super) accounts: bool,
    /// It is one of those that send anything else: `news`, `orders`, `jira`.
    pub(super) others: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    accounts: Vec<String>,
    others: Vec<String>,
}

/// Each word, with whether it is one of accounts. A file that cannot be read is none; a test reads it.
static WORDS: LazyLock<HashMap<String, bool>> = LazyLock::new(|| {
    let words: Words = toml::from_str(FILE).unwrap_or_default();
    let accounts = words.accounts.into_iter().map(|word| (word, true));
    accounts.chain(words.others.into_iter().map(|word| (word, false))).collect()
});
const FILE: &str = include_str!("wording/senders.toml");

/// Reads the address of a sender.
pub(super) fn sender(address: Option<&str>) -> Sender {
    let local = address.and_then(|address| address.rsplit_once('@')).map_or("", |(local, _)| local).to_ascii_lowercase();
    let mut sender = Sender::default();
    for word in local.split(|c: char| !c.is_alphanumeric()).take(8) {
        match WORDS.get(word) {
            Some(true) => sender.accounts = true,
            Some(false) => sender.others = true,
            None => {}
        }
    }
    sender
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_part_tells_who_writes() {
        assert!(toml::from_str::<Words>(FILE).is_ok());
        let table = [
            ("account-security@example.org", (true, false)),
            ("orders+17@example.org", (false, true)),
            ("dana@example.org", (false, false)),
        ];
        for (address, expected) in table {
            let found = sender(Some(address));
            assert_eq!((found.accounts, found.others), expected, "{address}");
        }
        assert_eq!(sender(None), Sender::default());
    }
}
