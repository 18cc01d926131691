//! Counts that run off with time: what an address or a network did lately.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When this process began to count.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connections,
    Commands,
    Messages,
    Octets,
    Errors,
    UnknownRecipients,
}

/// So many of a kind in a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// 0 is no limit.
    pub(super) most: u64,
    pub(super) period: Duration,
}

impl Rate {
    /// How long it takes until so many have run off, in microseconds; at least one, so that nothing is for nothing.
    fn cost(self, number: u64) -> u64 {
        let micros = self.period.as_micros() * u128::from(number) / u128::from(self.most.max(1));
        u64::try_from(micros).unwrap_or(u64::MAX).max(1)
    }
}

/// A leaky bucket for each kind: the time at which what it holds will have run off, in microseconds since the start.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; 6]);

fn now() -> u64 {
    u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Counts {
    /// Counts so many; `false` where that is more than the rate allows. A single one that is refused does not count, so that who
    /// goes on trying still gets its rate; what was taken all at once has to run off.
    pub(super) fn add(&self, kind: Kind, number: u64, rate: Rate) -> bool {
        self.add_at(now(), kind, number, rate)
    }

    fn add_at(&self, now: u64, kind: Kind, number: u64, rate: Rate) -> bool {
        if rate.most == 0 {
            return true;
        }
        let (cost, full) = (rate.cost(number), now.saturating_add(rate.cost(rate.most)));
        let mut is_within = true;
        let _ = self.bucket(kind).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
            let wanted = until.max(now).saturating_add(cost);
            is_within = wanted <= full;
            (is_within || number > 1).then(|| wanted.min(full.saturating_add(rate.cost(rate.most))))
        });
        is_within
    }

    /// Whether one more would be too much.
    pub(super) fn is_full(&self, kind: Kind, rate: Rate) -> bool {
        self.is_full_at(now(), kind, rate)
    }

    fn is_full_at(&self, now: u64, kind: Kind, rate: Rate) -> bool {
        let wanted = self.bucket(kind).load(Ordering::Relaxed).max(now).saturating_add(rate.cost(1));
        rate.most > 0 && wanted > now.saturating_add(rate.cost(rate.most))
    }

    fn bucket(&self, kind: Kind) -> &AtomicU64 {
        let [connections, commands, messages, octets, errors, unknown] = &self.0;
        match kind {
            Kind::Connections => connections,
            Kind::Commands => commands,
            Kind::Messages => messages,
            Kind::Octets => octets,
            Kind::Errors => errors,
            Kind::UnknownRecipients => unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { most: 10, period: Duration::from_mins(1) };
    const SECOND: u64 = 1_000_000;

    #[test]
    fn as_many_as_allowed_pass_at_once_and_the_rest_when_some_ran_off() {
        let counts = Counts::default();
        for _ in 0..10 {
            assert!(counts.add_at(SECOND, Kind::Errors, 1, RATE));
        }
        assert!(!counts.add_at(SECOND, Kind::Errors, 1, RATE));
        assert!(counts.add_at(SECOND, Kind::Messages, 10, RATE), "each kind by itself");
        for _ in 0..100 {
            assert!(!counts.add_at(2 * SECOND, Kind::Errors, 1, RATE));
        }
        for _ in 0..2 {
            assert!(
                counts.add_at(14 * SECOND, Kind::Errors, 1, RATE),
                "one runs off in six seconds, and trying in vain takes no longer"
            );
        }
        assert!(!counts.add_at(14 * SECOND, Kind::Errors, 1, RATE));
        assert!(counts.add_at(200 * SECOND, Kind::Errors, 10, RATE), "all ran off");
    }

    #[test]
    fn large_numbers_and_no_limit_are_no_trouble() {
        let counts = Counts::default();
        let none = Rate { most: 0, ..RATE };
        assert!(counts.add_at(1, Kind::Octets, u64::MAX, none) && !counts.is_full_at(1, Kind::Octets, none));
        assert!(!counts.add_at(1, Kind::Octets, u64::MAX, RATE) && counts.is_full_at(1, Kind::Octets, RATE));
        assert!(counts.is_full_at(60 * SECOND, Kind::Octets, RATE), "what came at once has to run off");
        assert!(!counts.is_full_at(121 * SECOND, Kind::Octets, RATE), "and does so within twice the time");
    }

    #[test]
    fn full_is_when_one_more_would_be_too_much() {
        let counts = Counts::default();
        for n in 0..10 {
            assert!(!counts.is_full_at(SECOND, Kind::Messages, RATE), "{n}");
            assert!(counts.add_at(SECOND, Kind::Messages, 1, RATE));
        }
        assert!(counts.is_full_at(2 * SECOND, Kind::Messages, RATE));
        assert!(!counts.is_full_at(8 * SECOND, Kind::Messages, RATE));
    }
}
