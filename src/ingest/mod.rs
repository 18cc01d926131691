//! The one way in for a message, wherever it came from: deliveries in, batches out, the answer after the commit.
//!
//! A session asks [`Ingest::resolve`] at RCPT and hands over a [`Delivery`] after DATA. The message is parsed and judged in
//! the session's own task, waits in a bounded queue, and is written with its neighbours by one of a few writers.

mod arrivals;
mod content;
mod delivery;
mod explain;
mod policy;
mod prepare;
mod recipients;
mod settle;
mod writer;

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config;
use crate::error::{Error, Result};
use crate::mail::tls_report;
use crate::store;
use crate::types::{ContentId, NewTlsReport};
use crate::verdict::Judge;

pub use arrivals::{Arrival, Arrivals};
pub use content::{Content, Received, Spool};
pub use delivery::{Delivery, Envelope, Receipt, Recipient, Refusal, Rejection};
pub use explain::{Explanation, Finding, Look, Outcome, Step};

use content::Gate;
use prepare::Prepared;
use recipients::Recipients;
use settle::{Fingerprint, Known, Ledger};

/// The handle that listeners and connectors hold. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: mpsc::Sender<Waiting>,
    settings: config::Ingest,
    recipients: Recipients,
    gate: Gate,
    ledger: Arc<Ledger>,
    arrivals: Arrivals,
    /// `None` where senders are not checked.
    judge: Option<Judge>,
}

/// A prepared message and the session that waits for its commit.
#[derive(Debug)]
struct Waiting {
    prepared: Prepared,
    answer: oneshot::Sender<Result<Receipt>>,
}

/// The tasks behind the handle; awaiting [`Workers::finish`] stops them.
#[derive(Debug)]
pub struct Workers {
    writers: Vec<JoinHandle<()>>,
    settler: JoinHandle<()>,
    stop: CancellationToken,
}

impl Ingest {
    /// Starts the writers. `node` names this installation's process across restarts; `judge` finds out about senders.
    ///
    /// Fails where the database cannot be asked what an earlier run left behind.
    pub async fn start(
        settings: config::Ingest,
        database: PgConnectOptions,
        pool: sqlx::PgPool,
        node: String,
        judge: Option<Judge>,
    ) -> Result<(Self, Workers)> {
        let ledger = Arc::new(Ledger::new(node, Uuid::now_v7()));
        ledger.take_over(&pool).await?;
        let arrivals = Arrivals::new();
        let stop = CancellationToken::new();
        let (queue, waiting) = mpsc::channel(settings.queue_messages);
        let waiting = writer::Queue::new(waiting);
        let writers = (1..=settings.writers)
            .map(|slot| {
                let writer = writer::Writer::new(
                    i16::try_from(slot).unwrap_or(i16::MAX),
                    settings.clone(),
                    database.clone(),
                    Arc::clone(&ledger),
                    arrivals.clone(),
                );
                tokio::spawn(writer.run(Arc::clone(&waiting)))
            })
            .collect();
        let settler = tokio::spawn(settle::run(Arc::clone(&ledger), pool.clone(), arrivals.clone(), stop.clone()));
        let recipients = Recipients::new(pool);
        let gate = Gate::new(settings.large_octets);
        let shared = Arc::new(Shared { queue, settings, recipients, gate, ledger, arrivals, judge });
        Ok((Self { shared }, Workers { writers, settler, stop }))
    }

    /// Decides about a recipient at RCPT. `Unavailable` where the database does not answer, or not in time.
    pub async fn resolve(&self, address: &crate::types::Address) -> Result<Result<Recipient, Refusal>> {
        self.in_time(self.shared.recipients.resolve(address)).await
    }

    /// Decides about `<Postmaster>` without a domain: the default domain's (RFC 5321 section 4.5.1).
    pub async fn resolve_postmaster(&self) -> Result<Result<Recipient, Refusal>> {
        self.in_time(self.shared.recipients.resolve_postmaster()).await
    }

    /// Says what would become of mail for an address now, and why.
    pub async fn explain(&self, address: &crate::types::Address) -> Result<Explanation> {
        self.in_time(explain::explain(&self.shared.recipients, address)).await
    }

    /// A database that stands still keeps nobody waiting for longer than a commit may take.
    async fn in_time<T>(&self, asking: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = self.shared.settings.commit_timeout;
        tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| Err(unavailable("The database took too long.")))
    }

    /// Forgets what was decided about recipients, after mailboxes or domains changed.
    pub fn forget_recipients(&self) {
        self.shared.recipients.forget();
    }

    /// Tells of each mailbox that got mail, on this node and on others.
    pub fn arrivals(&self) -> &Arrivals {
        &self.shared.arrivals
    }

    /// Brings a received message into memory. Of messages from a spool, few are there at a time; the others wait for their turn.
    ///
    /// `Unavailable` where that takes too long, or the database went away meanwhile.
    pub async fn admit(&self, received: Received) -> Result<Content> {
        self.shared.gate.admit(received).await
    }

    /// Stores a message for its recipients and returns after the commit.
    ///
    /// Before that, the sender is judged; where the domains that it is for refuse such mail, nothing is stored.
    /// `Unavailable` where the queue is full, the database is away or the commit takes too long; the sender comes back then,
    /// and a message that was committed late all the same is recognised.
    pub async fn deliver(&self, mut delivery: Delivery) -> Result<Result<Receipt, Rejection>> {
        let judgement = match self.judge(&mut delivery).await? {
            Ok(judgement) => judgement,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let is_large = delivery.content.is_large();
        let reports = tls_report::of_message(&delivery.content);
        let mut prepared = Prepared::new(delivery, self.shared.settings.mail.into(), judgement).await?;
        let fingerprint = prepared.fingerprint;
        let known = self.shared.ledger.recognise(&fingerprint);
        if let Some(known) = known.filter(|known| known.in_doubt) {
            prepared.rename(known.id);
        }
        let id = prepared.content_id();
        let result = self.in_time(self.store_or_adopt(prepared, known)).await;
        if result.is_err() {
            // Before the sender hears of it: the commit may have been done all the same, or be done yet.
            self.shared.ledger.doubt(known.map_or(id, |known| known.id), fingerprint);
        }
        if is_large && matches!(result, Err(Error::Unavailable { .. })) {
            self.shared.gate.fail_those_who_wait();
        }
        if result.is_ok() && !reports.is_empty() {
            self.keep(reports).await;
        }
        result.map(Ok)
    }

    /// Keeps what a message that was just stored reports of encryption. It can be read in the message too, so a failure is no loss.
    async fn keep(&self, reports: Vec<NewTlsReport>) {
        let kept = async {
            let mut db = self.shared.recipients.pool().acquire().await?;
            for report in &reports {
                store::tls_reports::insert(&mut db, report, "mail").await?;
            }
            Ok(())
        };
        if let Err(error) = self.in_time(kept).await {
            tracing::warn!(%error, "a report of encryption that came by mail could not be kept");
        }
    }

    async fn store_or_adopt(&self, prepared: Prepared, known: Option<Known>) -> Result<Receipt> {
        let fingerprint = prepared.fingerprint;
        if let Some(known) = known
            && let Some(receipt) = self.adopt(known.id, fingerprint).await?
        {
            return Ok(receipt);
        }
        let id = prepared.content_id();
        match self.store(prepared).await {
            // What was in doubt was committed in the meantime.
            Err(Error::Conflict { code: ALREADY_STORED, .. }) => {
                self.adopt(id, fingerprint).await?.ok_or_else(|| unavailable("The message is being stored already."))
            }
            result => result,
        }
    }

    /// Answers for a message that is stored already, where it is, and nobody else answers for it.
    async fn adopt(&self, id: ContentId, fingerprint: Fingerprint) -> Result<Option<Receipt>> {
        if !self.shared.ledger.adopt(self.shared.recipients.pool(), id).await? {
            return Ok(None);
        }
        tracing::info!(content.id = %id, "a message that was stored before its sender heard of it came again");
        Ok(Some(Receipt::new(id, fingerprint, Arc::clone(&self.shared.ledger))))
    }

    async fn store(&self, prepared: Prepared) -> Result<Receipt> {
        let (answer, answered) = oneshot::channel();
        self.shared
            .queue
            .try_send(Waiting { prepared, answer })
            .map_err(|_| unavailable("Too much mail is waiting to be stored."))?;
        answered.await.unwrap_or_else(|_| Err(unavailable("The server is stopping.")))
    }
}

/// The code of the conflict between a message and itself.
const ALREADY_STORED: &str = "already_stored";

fn unavailable(detail: &'static str) -> Error {
    Error::Unavailable { detail: detail.into() }
}

impl Workers {
    /// Ends the work after all handles are gone: what waits is written, what peers confirmed is settled.
    pub async fn finish(self) {
        for writer in self.writers {
            let _ = writer.await;
        }
        self.stop.cancel();
        let _ = self.settler.await;
    }
}
