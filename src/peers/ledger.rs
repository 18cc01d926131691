//! The ledger of sessions: a bounded queue, and one task that writes what it holds, many rows at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use moka::future::Cache;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::dns::Dns;
use crate::store;
use crate::store::smtp_sessions::New;

use super::limits::Limits;

/// Sessions that one statement writes at most.
const BATCH: usize = 500;
/// How long rows gather before they are written.
const GATHER: Duration = Duration::from_millis(150);
/// How long a batch waits for the names of addresses.
const NAMES: Duration = Duration::from_millis(350);
/// At most so many names are asked for, for one batch.
const MOST_NAMES: usize = 50;
/// How long a name, or that there is none, is remembered.
const NAMES_KEPT: Duration = Duration::from_mins(10);
/// How often nodes tell each other of bans.
const EXCHANGE: Duration = Duration::from_secs(10);
/// How often a batch is tried again while the database is away.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the last rows may take when the server stops.
const LAST: Duration = Duration::from_secs(5);

/// Takes sessions that ended. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<New>,
    left_out: Arc<AtomicU64>,
}

/// The task behind a [`Ledger`]. Ends when all handles are gone and everything is written.
#[derive(Debug)]
pub struct LedgerWriter {
    waiting: mpsc::Receiver<New>,
    left_out: Arc<AtomicU64>,
    pool: PgPool,
    limits: Limits,
    dns: Option<Dns>,
    names: Cache<IpAddr, Option<String>>,
}

impl Ledger {
    /// A ledger and the task that is to be run for it. Without `dns` no names are looked up.
    pub fn new(pool: PgPool, limits: Limits, dns: Option<Dns>) -> (Self, LedgerWriter) {
        let (queue, waiting) = mpsc::channel(limits.settings().ledger_queue);
        let left_out = Arc::new(AtomicU64::new(0));
        let names = Cache::builder().max_capacity(10_000).time_to_live(NAMES_KEPT).build();
        (Self { queue, left_out: Arc::clone(&left_out) }, LedgerWriter { waiting, left_out, pool, limits, dns, names })
    }

    /// Hands over a session. Where too many wait already it is left out, and counted.
    pub fn add(&self, session: New) {
        if self.queue.try_send(session).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl LedgerWriter {
    /// Writes sessions, and tells other nodes of bans, until nobody can add any more.
    pub async fn run(mut self) {
        let mut exchange = tokio::time::interval(EXCHANGE);
        exchange.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                received = self.waiting.recv_many(&mut batch, BATCH) => {
                    if received == 0 {
                        return;
                    }
                    self.gather(&mut batch).await;
                    self.write(std::mem::take(&mut batch)).await;
                    if self.limits.has_unwritten_bans() {
                        self.exchange_bans().await;
                    }
                }
                _ = exchange.tick() => self.exchange_bans().await,
            }
        }
    }

    async fn gather(&mut self, batch: &mut Vec<New>) {
        let deadline = Instant::now() + GATHER;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            match timeout_at(deadline, self.waiting.recv_many(batch, room)).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    async fn exchange_bans(&self) {
        if let Err(error) = self.limits.exchange_bans(&self.pool).await {
            tracing::debug!(%error, "bans could not be told to other nodes; trying again later");
        }
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(sessions = left_out, "too many SMTP sessions ended at once; some are not in the ledger");
        }
    }

    /// Writes a batch; tries again while the database is away. What it refuses is written row by row, so that one bad row keeps
    /// no other out.
    async fn write(&mut self, mut batch: Vec<New>) {
        self.name(&mut batch).await;
        let mut give_up = None;
        loop {
            match self.insert(&batch).await {
                Ok(()) => return,
                Err(sqlx::Error::Database(error)) if !is_passing(&*error) => break,
                Err(error) => {
                    tracing::debug!(%error, sessions = batch.len(), "the ledger cannot be written; trying again");
                    // Nobody adds any more: the server stops, and waits for this.
                    if self.waiting.is_closed() && Instant::now() > *give_up.get_or_insert_with(|| Instant::now() + LAST) {
                        tracing::warn!(%error, sessions = batch.len(), "SMTP sessions are not in the ledger: the database is away");
                        return;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        for session in &batch {
            if let Err(error) = self.insert(std::slice::from_ref(session)).await {
                tracing::warn!(%error, session = %session.session.id, "an SMTP session is not in the ledger");
            }
        }
    }

    async fn insert(&self, batch: &[New]) -> Result<(), sqlx::Error> {
        let mut db = self.pool.acquire().await?;
        store::smtp_sessions::insert(&mut db, batch).await
    }

    /// Puts the names of addresses in, as far as DNS has them soon.
    async fn name(&self, batch: &mut [New]) {
        let Some(dns) = &self.dns else { return };
        let deadline = Instant::now() + NAMES;
        let mut names: HashMap<IpAddr, Option<String>> = HashMap::new();
        for session in batch.iter() {
            if let Ok(address) = session.session.address.parse::<IpAddr>()
                && !address.is_loopback()
                && (names.contains_key(&address) || names.len() < MOST_NAMES)
            {
                names.insert(address, None);
            }
        }
        let questions = names.iter_mut().map(|(address, name)| {
            let (known, dns, address) = (self.names.clone(), dns.clone(), *address);
            // Goes on when the batch does not wait any more, so that the answer is known the next time.
            let asked = tokio::spawn(async move {
                let ask = async { dns.names_of(address).await.ok().and_then(|found| found.records.into_iter().next()) };
                known.get_with(address, ask).await
            });
            async move {
                if let Ok(Ok(found)) = timeout_at(deadline, asked).await {
                    *name = found;
                }
            }
        });
        join_all(questions).await;
        for New { session, .. } in batch {
            if let Some(Some(name)) = session.address.parse().ok().and_then(|address| names.get(&address)) {
                session.reverse_name = Some(name.trim_end_matches('.').chars().take(255).collect());
            }
        }
    }
}

/// Whether the database may take the same again: it starts, stops, or is out of something.
fn is_passing(error: &dyn sqlx::error::DatabaseError) -> bool {
    // Classes of SQLSTATE: 08 connection, 53 resources, 57 operator, 58 system, 40 rollback.
    error.code().is_some_and(|code| ["08", "53", "57", "58", "40"].iter().any(|class| code.starts_with(class)))
}
