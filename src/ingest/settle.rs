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

/// How many broken transfers are remembered while the database cannot be told of them.
const MOST_ABANDONED: usize = 100_000;

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
}

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
        if state.abandoned.len() >= MOST_ABANDONED {
            return;
        }
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

    /// A stored message with this fingerprint whose sender did not hear of it; each is given out once.
    pub(super) fn recognise(&self, fingerprint: &Fingerprint) -> Option<ContentId> {
        let mut state = self.state();
        let ids = state.orphans.get_mut(fingerprint)?;
        let id = ids.pop();
        if ids.is_empty() {
            state.orphans.remove(fingerprint);
        }
        state.abandoned.retain(|known| Some(ContentId(*known)) != id);
        id
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
        self.state().orphans = orphans;
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
            // Settled first: what is known here only would be forgotten.
            _ = take_over.tick() => match ledger.settle(&pool).await {
                Ok(()) => ledger.take_over(&pool).await,
                Err(error) => Err(error),
            },
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
