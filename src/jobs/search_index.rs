//! Writes the search index: a moment after a message was accepted, by one node at a time.
//!
//! Taking mail goes first: while mail comes in faster than it can be indexed, the index takes a tenth of the time, and
//! half of it once it is a minute late.

use std::time::{Duration, Instant};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ingest::{Arrival, Arrivals};
use crate::mail::search::{Document, Known};
use crate::store::search;
use crate::store::search::{Entries, Pending, Source};
use crate::types::Timestamp;

/// What one batch holds at most.
const BATCH_MESSAGES: i64 = 256;
const BATCH_OCTETS: i64 = 4 << 20;
/// So long messages gather before they are indexed.
const GATHER: Duration = Duration::from_millis(100);
/// How often the index is looked at without news of mail.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A message may be committed so long after its id was made: after the longest commit, on a clock that is behind.
const LATE: Duration = Duration::from_mins(15);
/// How often late ones are looked for.
const SWEEP: Duration = Duration::from_mins(1);
/// From here on the index is given half of the time.
const VERY_LATE: Duration = Duration::from_mins(1);

/// Keeps the index until `stop`.
pub async fn run(database: PgConnectOptions, arrivals: Arrivals, stop: CancellationToken) {
    let mut pause = Duration::from_millis(100);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = keep(&database, &arrivals) => {
                if let Err(error) = result {
                    tracing::debug!(%error, "the search index is not being written; trying again");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
        }
    }
}

async fn keep(database: &PgConnectOptions, arrivals: &Arrivals) -> Result<()> {
    let mut db = database.clone().disable_statement_logging().connect().await?;
    let mut news = arrivals.subscribe();
    while !search::lock(&mut db).await? {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let newest = search::newest(&mut db).await?;
    let mut index =
        Index { db, from: newest.map_or(Uuid::nil(), |id| earlier(id.0, LATE)), last: newest.map_or(Uuid::nil(), |id| id.0) };
    let mut swept = Instant::now();
    loop {
        let started = Instant::now();
        let batch = index.batch().await?;
        if batch.is_full {
            // Drained, so that what comes in while it pauses is seen.
            let busy = heard(&mut news);
            let share = if batch.oldest_age > VERY_LATE { 1 } else { 9 };
            tokio::time::sleep(if busy { (started.elapsed() * share).min(LOOK_AGAIN) } else { Duration::ZERO }).await;
            continue;
        }
        index.from = earlier(index.last, GATHER * 50);
        if swept.elapsed() > SWEEP {
            swept = Instant::now();
            index.from = earlier(index.last, LATE);
        }
        let _ = tokio::time::timeout(LOOK_AGAIN, news.recv()).await;
        tokio::time::sleep(GATHER).await;
        heard(&mut news);
    }
}

/// Whether mail came in since this was asked last.
fn heard(news: &mut broadcast::Receiver<Arrival>) -> bool {
    let mut any = false;
    loop {
        match news.try_recv() {
            Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => any = true,
            Err(_) => return any,
        }
    }
}

/// The first id that could have been made so long before this one (RFC 9562 section 5.7: milliseconds in the first 48 bits).
fn earlier(id: Uuid, span: Duration) -> Uuid {
    let milliseconds = (id.as_u128() >> 80).saturating_sub(span.as_millis());
    Uuid::from_u128(milliseconds << 80)
}

struct Index {
    db: PgConnection,
    /// Later messages are looked for.
    from: Uuid,
    /// The last one that was indexed.
    last: Uuid,
}

struct Batch {
    is_full: bool,
    /// How long ago its oldest message was accepted.
    oldest_age: Duration,
}

impl Index {
    async fn batch(&mut self) -> Result<Batch> {
        let pending = search::pending(&mut self.db, self.from, BATCH_MESSAGES).await?;
        let taken = affordable(&pending);
        let Some(last) = taken.last().copied() else { return Ok(Batch { is_full: false, oldest_age: Duration::ZERO }) };
        self.add(&taken).await?;
        search::tidy(&mut self.db).await?;
        (self.from, self.last) = (last, self.last.max(last));
        let is_full = taken.len() < pending.len() || pending.len() == usize::try_from(BATCH_MESSAGES).unwrap_or(usize::MAX);
        Ok(Batch { is_full, oldest_age: taken.first().map_or(Duration::ZERO, |id| age(*id)) })
    }

    /// Adds messages; where the database refuses them together, each alone, so that one keeps no other out.
    async fn add(&mut self, ids: &[Uuid]) -> Result<()> {
        let sources = search::sources(&mut self.db, ids).await?;
        let entries =
            tokio::task::spawn_blocking(move || entries(sources)).await.map_err(|cause| Error::Internal(cause.into()))?;
        match search::insert(&mut self.db, &entries).await {
            Err(Error::Internal(cause)) => {
                tracing::warn!("{cause:#}: messages could not be indexed together; trying one by one");
                for one in singles(entries) {
                    self.add_one(one).await?;
                }
                Ok(())
            }
            result => result,
        }
    }

    async fn add_one(&mut self, mut entry: Entries) -> Result<()> {
        if let Err(Error::Internal(cause)) = search::insert(&mut self.db, &entry).await {
            tracing::error!("{cause:#}: message {:?} cannot be found by its words", entry.ids);
            (entry.texts, entry.documents) = (vec![String::new()], vec![String::new()]);
            search::insert(&mut self.db, &entry).await?;
        }
        Ok(())
    }
}

/// As many as fit into a batch; always one.
fn affordable(pending: &[Pending]) -> Vec<Uuid> {
    let mut octets = 0;
    pending
        .iter()
        .enumerate()
        .take_while(|(n, message)| {
            octets += message.stored_octets;
            *n == 0 || octets <= BATCH_OCTETS
        })
        .map(|(_, message)| message.id.0)
        .collect()
}

fn age(id: Uuid) -> Duration {
    let made = i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX);
    let now = Timestamp::now().0.timestamp_millis();
    Duration::from_millis(u64::try_from(now.saturating_sub(made)).unwrap_or(0))
}

fn entries(sources: Vec<Source>) -> Entries {
    let mut entries = Entries::default();
    for source in sources {
        let raw = source.raw().unwrap_or_else(|error| {
            tracing::error!(%error, message.id = %source.id, "a stored message cannot be unpacked");
            Vec::new()
        });
        let known = Known {
            mailbox: &source.mailbox,
            recipient: &source.recipient,
            code: source.code.as_deref(),
            link: source.link.as_deref(),
            auth: source.auth.as_ref(),
        };
        let document = Document::new(&raw, known);
        entries.ids.push(source.id.0);
        entries.texts.push(document.text);
        entries.documents.push(document.tsvector);
    }
    entries
}

fn singles(entries: Entries) -> impl Iterator<Item = Entries> {
    let columns = entries.ids.into_iter().zip(entries.texts).zip(entries.documents);
    columns.map(|((id, text), document)| Entries { ids: vec![id], texts: vec![text], documents: vec![document] })
}
