//! What peers are known to have heard, and what was stored without their knowledge (RFC 1047).
//!
//! A message whose 250 got lost is sent again. It is recognised by its fingerprint, but only where the first transfer is
//! known to have broken off: two peers that send the same octets at the same time send two messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Result;
use crate::store::intake;
use crate::types::ContentId;

use super::arrivals::Arrivals;

pub(super) type Fingerprint = [u8; 32];

/// The record of one run of the server.
#[derive(Debug)]
pub(super) struct Ledger {
    node: String,
    pub(super) run_id: Uuid,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Known to have been heard, not yet taken out of the table.
    confirmed: Vec<Uuid>,
    /// Known to have broken off, not yet marked in the table.
    abandoned: Vec<Uuid>,
    /// Stored, and perhaps sent again.
    orphans: HashMap<Fingerprint, Vec<ContentId>>,
    /// Given to the database, which did not say what became of them; perhaps stored, perhaps yet to be, and perhaps sent again.
    doubtful: HashMap<Fingerprint, Vec<ContentId>>,
}

/// A message that is perhaps sent again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) id: ContentId,
    /// Whether the database did not say if it is stored.
    pub(super) in_doubt: bool,
}

/// How many doubtful messages are remembered; a long outage may see more senders than there should be memory for.
const MOST_DOUBTFUL: usize = 100_000;

impl Ledger {
    pub(super) fn new(node: String, run_id: Uuid) -> Self {
        Self { node, run_id, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn confirmed(&self, id: ContentId) {
        self.state().confirmed.push(id.0);
    }

    /// The peer may send this again at once, so it is known here before it is marked in the table.
    pub(super) fn abandoned(&self, id: ContentId, fingerprint: Fingerprint) {
        let mut state = self.state();
        state.abandoned.push(id.0);
        state.orphans.entry(fingerprint).or_default().push(id);
    }

    /// What the next batch can take out of the table.
    pub(super) fn take_confirmed(&self) -> Vec<Uuid> {
        std::mem::take(&mut self.state().confirmed)
    }

    /// Puts back what could not be taken out.
    pub(super) fn return_confirmed(&self, ids: Vec<Uuid>) {
        self.state().confirmed.extend(ids);
    }

    /// The database did not say whether it stored this. When it comes again, it is found to be stored, or is stored under the
    /// same id: the database then takes only one of the two, should the first one still be under way.
    pub(super) fn doubt(&self, id: ContentId, fingerprint: Fingerprint) {
        let mut state = self.state();
        if state.doubtful.len() < MOST_DOUBTFUL {
            let ids = state.doubtful.entry(fingerprint).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    /// A message with this fingerprint whose sender did not hear of it; each is given out once.
    pub(super) fn recognise(&self, fingerprint: &Fingerprint) -> Option<Known> {
        let mut state = self.state();
        if let Some(id) = take(&mut state.doubtful, fingerprint) {
            return Some(Known { id, in_doubt: true });
        }
        let id = take(&mut state.orphans, fingerprint)?;
        state.abandoned.retain(|known| *known != id.0);
        Some(Known { id, in_doubt: false })
    }

    pub(super) async fn adopt(&self, pool: &PgPool, id: ContentId) -> Result<bool> {
        let mut db = pool.acquire().await?;
        Ok(intake::adopt(&mut db, id, self.run_id).await?)
    }

    /// Says that this run is alive and learns what dead ones left.
    pub(super) async fn take_over(&self, pool: &PgPool) -> Result<()> {
        let mut db = pool.acquire().await?;
        intake::heartbeat(&mut db, &self.node, self.run_id).await?;
        let found = intake::orphans(&mut db).await?;
        let mut orphans: HashMap<Fingerprint, Vec<ContentId>> = HashMap::with_capacity(found.len());
        for orphan in found {
            if let Ok(fingerprint) = Fingerprint::try_from(orphan.fingerprint.as_slice()) {
                orphans.entry(fingerprint).or_default().push(orphan.content_id);
            }
        }
        let mut state = self.state();
        let known = std::mem::take(&mut state.orphans);
        for (fingerprint, ids) in known {
            // The table does not have these yet.
            let unmarked = ids.into_iter().filter(|id| state.abandoned.contains(&id.0));
            for id in unmarked {
                orphans.entry(fingerprint).or_default().push(id);
            }
        }
        state.orphans = orphans;
        Ok(())
    }

    async fn settle(&self, pool: &PgPool) -> Result<()> {
        let (confirmed, abandoned) = {
            let mut state = self.state();
            (std::mem::take(&mut state.confirmed), std::mem::take(&mut state.abandoned))
        };
        if confirmed.is_empty() && abandoned.is_empty() {
            return Ok(());
        }
        let settled = async {
            let mut db = pool.acquire().await?;
            intake::settle(&mut db, &confirmed, &abandoned).await
        };
        let result = settled.await;
        let mut state = self.state();
        if result.is_err() {
            state.confirmed.extend(confirmed);
            state.abandoned.extend(abandoned);
        }
        Ok(result?)
    }
}

/// Takes one of the ids that a fingerprint has.
fn take(messages: &mut HashMap<Fingerprint, Vec<ContentId>>, fingerprint: &Fingerprint) -> Option<ContentId> {
    let ids = messages.get_mut(fingerprint)?;
    let id = ids.pop();
    if ids.is_empty() {
        messages.remove(fingerprint);
    }
    id
}

/// Keeps the ledger in step with the database, and tells other nodes of arrivals.
pub(super) async fn run(ledger: Arc<Ledger>, pool: PgPool, arrivals: Arrivals, stop: CancellationToken) {
    let mut tell = tokio::time::interval(Duration::from_millis(20));
    let mut settle = tokio::time::interval(Duration::from_secs(1));
    let mut take_over = tokio::time::interval(Duration::from_secs(5));
    for ticks in [&mut tell, &mut settle, &mut take_over] {
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    while !stop.is_cancelled() {
        let result = tokio::select! {
            () = stop.cancelled() => ledger.settle(&pool).await,
            _ = tell.tick() => tell_others(&pool, &arrivals).await,
            _ = settle.tick() => ledger.settle(&pool).await,
            _ = take_over.tick() => ledger.take_over(&pool).await,
        };
        if let Err(error) = result {
            tracing::debug!(%error, "the record of deliveries could not be kept up; trying again");
        }
    }
}

/// A notification on its own writes nothing, so it costs no fsync; inside a batch it would make writers wait for each other.
async fn tell_others(pool: &PgPool, arrivals: &Arrivals) -> Result<()> {
    if let Some(payload) = arrivals.take_untold() {
        let mut db = pool.acquire().await?;
        crate::store::notify::arrivals(&mut db, &payload).await?;
    }
    Ok(())
}
