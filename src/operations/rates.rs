//! The pace of a key: how many reads and writes it has a minute, counted on each node by itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::future::Cache;
use uuid::Uuid;

use crate::error::{Error, Result};

use super::{Caller, Effect, Services};

/// How many a key has a minute, where it has no numbers of its own.
pub const READS_PER_MINUTE: u32 = 600;
/// How many a key has a minute, where it has no numbers of its own.
pub const WRITES_PER_MINUTE: u32 = 120;

/// How many reads and writes a key has a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Operations that change nothing.
    pub reads_per_minute: u32,
    /// All others.
    pub writes_per_minute: u32,
}

impl Pace {
    /// From the stored numbers of a key.
    pub(super) fn from_stored(reads: Option<i32>, writes: Option<i32>) -> Self {
        let or = |number: Option<i32>, default| number.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(default);
        Self { reads_per_minute: or(reads, READS_PER_MINUTE), writes_per_minute: or(writes, WRITES_PER_MINUTE) }
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// The two buckets of a key.
#[derive(Debug)]
struct Buckets {
    pace: Pace,
    reads: Limiter,
    writes: Limiter,
}

impl Buckets {
    fn new(pace: Pace) -> Self {
        let limiter = |number: u32| {
            let quota = Quota::per_minute(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
            RateLimiter::direct(quota).with_middleware::<StateInformationMiddleware>()
        };
        Self { pace, reads: limiter(pace.reads_per_minute), writes: limiter(pace.writes_per_minute) }
    }
}

/// The buckets of the keys that asked in the last minutes.
#[derive(Debug, Clone)]
pub(super) struct Rates(Cache<Uuid, Arc<Buckets>>);

impl Rates {
    pub(super) fn new() -> Self {
        // A bucket that nobody touched for a minute is full again, so that forgetting it changes nothing.
        Self(Cache::builder().max_capacity(20_000).time_to_idle(Duration::from_mins(2)).build())
    }
}

/// How a key stands after a request was counted.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Which bucket: `read` or `write`.
    pub bucket: &'static str,
    /// How many requests a minute it holds.
    pub per_minute: u32,
    /// How many are left at once.
    pub remaining: u32,
    /// In how many seconds the bucket is full again.
    pub full_after_seconds: u32,
    /// How long to wait, where the request came too soon.
    retry_after: Option<Duration>,
}

impl Standing {
    /// Refuses the request where the bucket was empty.
    pub fn admit(&self) -> Result<()> {
        self.retry_after.map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }
}

/// The pace of a user that sends its token with each request.
const USERS_PACE: Pace = Pace { reads_per_minute: READS_PER_MINUTE, writes_per_minute: WRITES_PER_MINUTE };

/// Counts a request of a caller with a key, or with a user's token; other callers have no pace.
pub async fn count(services: &Services, caller: &Caller, effect: Effect) -> Option<Standing> {
    let (id, pace) = match caller {
        Caller::Key { id, pace, .. } => (id.0, *pace),
        Caller::User { id, session: None, .. } => (id.0, USERS_PACE),
        _ => return None,
    };
    let mut buckets = services.rates.0.get_with(id, async { Arc::new(Buckets::new(pace)) }).await;
    if buckets.pace != pace {
        buckets = Arc::new(Buckets::new(pace));
        services.rates.0.insert(id, Arc::clone(&buckets)).await;
    }
    let (bucket, limiter, per_minute) = match effect {
        Effect::Read => ("read", &buckets.reads, pace.reads_per_minute),
        Effect::Write | Effect::Destructive | Effect::Reveal => ("write", &buckets.writes, pace.writes_per_minute),
    };
    let (remaining, retry_after) = match limiter.check() {
        Ok(state) => (state.remaining_burst_capacity(), None),
        Err(refusal) => (0, Some(refusal.wait_time_from(DefaultClock::default().now()))),
    };
    let full_after_seconds = (per_minute.saturating_sub(remaining) * 60).div_ceil(per_minute.max(1));
    Some(Standing { bucket, per_minute, remaining, full_after_seconds, retry_after })
}
