//! Readable random addresses: an adjective, an animal, a number.

use std::collections::HashSet;

use rand::RngExt as _;

use crate::error::{Error, Result};
use crate::types::{Address, DomainName};

const ADJECTIVES: &[&str] = &[
    "amber", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "crisp", "dapper", "eager", "early", "fair", "fleet",
    "fond", "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "honest", "humble", "jolly", "keen", "kind", "light",
    "lively", "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "plucky", "polite", "proud", "quick", "quiet",
    "rapid", "ready", "rosy", "royal", "sharp", "shiny", "silent", "silver", "smooth", "snug", "solid", "steady", "sunny",
    "sweet", "swift", "tidy", "true", "vivid", "warm", "wise", "witty", "young", "zesty",
];
const ANIMALS: &[&str] = &[
    "badger", "bear", "beaver", "bison", "boar", "crane", "deer", "dove", "duck", "eagle", "egret", "elk", "falcon", "finch",
    "fox", "gecko", "goose", "grouse", "hare", "hawk", "heron", "horse", "ibex", "ibis", "jackdaw", "jay", "kestrel", "kite",
    "lark", "lemur", "linnet", "lynx", "magpie", "marten", "mole", "moose", "mouse", "newt", "otter", "owl", "panda", "pike",
    "plover", "puffin", "quail", "rabbit", "raven", "robin", "salmon", "seal", "shrew", "sparrow", "stoat", "stork", "swan",
    "tern", "thrush", "toad", "trout", "vole", "weasel", "whale", "wren", "yak",
];

/// Draws different addresses; the number is wide enough that a thousand of them hardly ever meet ones that exist.
pub(super) fn draw(count: usize, domain: &DomainName) -> Result<Vec<Address>> {
    let mut rng = rand::rng();
    let mut drawn = HashSet::with_capacity(count);
    while drawn.len() < count {
        let adjective = ADJECTIVES.get(rng.random_range(0..ADJECTIVES.len())).copied().unwrap_or_default();
        let animal = ANIMALS.get(rng.random_range(0..ANIMALS.len())).copied().unwrap_or_default();
        let local_part = format!("{adjective}-{animal}-{}", rng.random_range(1000..1_000_000));
        drawn.insert(Address::new(&local_part, domain).map_err(|cause| Error::Internal(cause.into()))?);
    }
    Ok(drawn.into_iter().collect())
}
