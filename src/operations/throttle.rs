//! Throttling of sign-in, by account and by network address, in memory of bounded size.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How many failures are free within the window.
const FREE_PER_ACCOUNT: u32 = 5;
const FREE_PER_ADDRESS: u32 = 20;
/// How long failures are remembered after the last one.
const WINDOW: Duration = Duration::from_mins(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How many accounts and addresses are remembered; beyond, the oldest are forgotten.
const MOST_REMEMBERED: usize = 20_000;

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// The pause doubles with each failure beyond the free ones.
    fn pause_left(&self, free: u32, now: Instant) -> Option<Duration> {
        let beyond = self.count.checked_sub(free)?;
        let pause = Duration::from_secs(1).saturating_mul(2u32.saturating_pow(beyond.min(20))).min(LONGEST_PAUSE);
        pause.checked_sub(now.duration_since(self.last)).filter(|left| !left.is_zero())
    }
}

impl Throttle {
    /// Refuses a try that comes too soon after too many failures.
    pub(super) fn check(&self, account: &str, address: Option<IpAddr>) -> Result<()> {
        let now = Instant::now();
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let left = keys(account, address).filter_map(|(key, free)| failures.get(&key)?.pause_left(free, now)).max();
        left.map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }

    /// Notes a failure.
    pub(super) fn failed(&self, account: &str, address: Option<IpAddr>) {
        let now = Instant::now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST_REMEMBERED {
            failures.retain(|_, f| now.duration_since(f.last) < WINDOW);
        }
        if failures.len() >= MOST_REMEMBERED
            && let Some(oldest) = failures.iter().min_by_key(|(_, f)| f.last).map(|(key, _)| key.clone())
        {
            failures.remove(&oldest);
        }
        for (key, _) in keys(account, address) {
            let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now.duration_since(entry.last) >= WINDOW {
                entry.count = 0;
            }
            entry.count += 1;
            entry.last = now;
        }
    }

    /// Forgets the failures of an account that signed in. Those of the address stay, or one good account would wash it clean.
    pub(super) fn succeeded(&self, account: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&Key::Account(folded(account)));
    }
}

fn keys(account: &str, address: Option<IpAddr>) -> impl Iterator<Item = (Key, u32)> {
    let account = (Key::Account(folded(account)), FREE_PER_ACCOUNT);
    std::iter::once(account).chain(address.map(|ip| (Key::Address(network(ip)), FREE_PER_ADDRESS)))
}

fn folded(account: &str) -> String {
    account.chars().take(200).flat_map(char::to_lowercase).collect()
}

/// An IPv6 customer has a /64 to itself.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_pauses_after_five_failures_and_others_do_not() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert!(throttle.check("alice", None).is_ok());
            throttle.failed("alice", None);
        }
        assert!(matches!(throttle.check("ALICE", None), Err(Error::TooMany { .. })));
        assert!(throttle.check("bob", None).is_ok());
        throttle.succeeded("alice");
        assert!(throttle.check("alice", None).is_ok());
    }

    #[test]
    fn an_address_pauses_over_many_accounts() {
        let throttle = Throttle::default();
        let ip = Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 5]));
        for n in 0..20 {
            throttle.failed(&format!("user{n}"), ip);
        }
        let neighbour = Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]));
        assert!(throttle.check("somebody", neighbour).is_err());
        assert!(throttle.check("somebody", Some(IpAddr::from([192, 0, 2, 1]))).is_ok());
    }
}
