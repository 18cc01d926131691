//! Writers: each takes what has gathered in the queue and commits it in one statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, Notify, mpsc};

use crate::config;
use crate::error::{Error, Result};
use crate::store::OnConstraint as _;
use crate::store::intake;

use super::arrivals::Arrivals;
use super::delivery::Receipt;
use super::settle::Ledger;
use super::{ALREADY_STORED, Waiting};

/// The messages that wait, and how many batches are being written.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<mpsc::Receiver<Waiting>>,
    writing: AtomicUsize,
    written: Notify,
}

/// So many messages are worth a transaction beside one that is being written; fewer wait and share the next.
const WORTH_A_SECOND_WRITER: usize = 32;
/// A connection's buffer that is larger than this is given back after the batch.
const KEPT_OCTETS: usize = 512 * 1024;
/// So long they wait at most.
const GATHER_FOR: Duration = Duration::from_millis(20);

/// A batch to be written; counted for as long as it lives.
struct Batch {
    messages: Vec<Waiting>,
    _writing: Writing,
}

struct Writing(Arc<Queue>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::AcqRel);
        self.0.written.notify_one();
    }
}

pub(super) struct Writer {
    slot: i16,
    settings: config::Ingest,
    options: PgConnectOptions,
    ledger: Arc<Ledger>,
    arrivals: Arrivals,
    connection: Option<PgConnection>,
}

impl Writer {
    pub(super) fn new(
        slot: i16,
        settings: config::Ingest,
        options: PgConnectOptions,
        ledger: Arc<Ledger>,
        arrivals: Arrivals,
    ) -> Self {
        // The server gives up a little before the session does, so that what a sender heard 451 for is not committed after all.
        let limit = format!("{}ms", settings.commit_timeout.as_millis() * 9 / 10);
        let options = options.options([("statement_timeout", limit.as_str()), ("lock_timeout", limit.as_str())]);
        Self { slot, settings, options, ledger, arrivals, connection: None }
    }

    pub(super) async fn run(mut self, queue: Arc<Queue>) {
        while let Some(batch) = queue.next(&self.settings).await {
            self.write(batch.messages).await;
        }
    }

    /// Writes a batch; where the database refuses it for what is in it, each message alone, so that a bad row keeps no other out.
    async fn write(&mut self, batch: Vec<Waiting>) {
        let result = self.commit(&batch).await;
        match result {
            Ok(()) => {
                for waiting in batch {
                    let receipt =
                        Receipt::new(waiting.prepared.content_id(), waiting.prepared.fingerprint, Arc::clone(&self.ledger));
                    // To a session that is gone the receipt cannot be given: dropped, it waits for the message to come again.
                    let _ = waiting.answer.send(Ok(receipt));
                }
            }
            Err(error @ Error::Unavailable { .. }) => {
                tracing::warn!(%error, messages = batch.len(), "a batch could not be stored; senders are asked to come back");
                for waiting in batch {
                    waiting.refuse(Error::Unavailable { detail: "The database is not answering at the moment.".into() });
                }
            }
            Err(Error::Conflict { code: ALREADY_STORED, detail }) if batch.len() == 1 => {
                for waiting in batch {
                    waiting.refuse(Error::Conflict { code: ALREADY_STORED, detail: detail.clone() });
                }
            }
            Err(error) if batch.len() == 1 => {
                for waiting in batch {
                    let id = waiting.prepared.content_id();
                    tracing::error!(%error, content.id = %id, "a message could not be stored; its sender is asked to come back");
                    waiting.refuse(Error::Internal(anyhow::anyhow!("the message could not be stored")));
                }
            }
            Err(error) => {
                tracing::warn!(%error, messages = batch.len(), "a batch was refused; storing its messages one by one");
                for waiting in batch {
                    Box::pin(self.write(vec![waiting])).await;
                }
            }
        }
    }

    async fn commit(&mut self, waiting: &[Waiting]) -> Result<()> {
        let limit = self.settings.commit_timeout;
        let done = tokio::time::timeout(limit, self.try_commit(waiting)).await;
        let result = done.unwrap_or_else(|_| Err(Error::Unavailable { detail: "The database took too long.".into() }));
        if matches!(result, Err(Error::Unavailable { .. })) {
            // Its state is unknown; the next batch gets a new one.
            self.connection = None;
        }
        result
    }

    async fn try_commit(&mut self, waiting: &[Waiting]) -> Result<()> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.options).await?,
        };
        let mut batch = intake::Batch::default();
        for waiting in waiting {
            let mailboxes = waiting.prepared.mailboxes(&mut connection).await?;
            waiting.prepared.add_to(&mut batch, &mailboxes);
        }
        let confirmed = self.ledger.take_confirmed();
        let result = intake::insert_batch(&mut connection, &batch, self.ledger.run_id, self.slot, &confirmed).await;
        if result.is_err() {
            self.ledger.return_confirmed(confirmed);
        }
        // A connection keeps the room of the largest batch that it ever wrote.
        if batch.contents.octets.iter().map(|octets| octets.len()).sum::<usize>() > KEPT_OCTETS {
            connection.shrink_buffers();
        }
        self.connection = Some(connection);
        let again = || Error::conflict(ALREADY_STORED, "The message is stored already.");
        result.on_constraint("contents_pkey", again)?;
        self.arrivals.tell(&batch.messages.mailbox_id);
        Ok(())
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    connection.ping().await?;
    Ok(connection)
}

impl Queue {
    pub(super) fn new(waiting: mpsc::Receiver<Waiting>) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::new(waiting), writing: AtomicUsize::new(0), written: Notify::new() })
    }

    /// Waits for a message and takes along what else is there, up to a batch's limits. `None` when no more can come.
    ///
    /// While another batch is being written, more may gather: a transaction costs much more than one more row in it.
    async fn next(self: &Arc<Self>, settings: &config::Ingest) -> Option<Batch> {
        let mut waiting = self.waiting.lock().await;
        loop {
            let first = waiting.recv().await?;
            let mut gathered = Gathered::new(first, settings);
            gathered.take_all(&mut waiting);
            // One that takes long holds up no other.
            let patience = tokio::time::sleep(GATHER_FOR);
            tokio::pin!(patience);
            while gathered.messages.len() < WORTH_A_SECOND_WRITER && !gathered.is_full() && self.is_writing() {
                tokio::select! {
                    more = waiting.recv() => match more {
                        Some(more) => gathered.push(more),
                        None => break,
                    },
                    () = self.written.notified() => {}
                    () = &mut patience => break,
                }
            }
            gathered.take_all(&mut waiting);
            // Who gave up waiting was told to come back, and will.
            gathered.messages.retain(|waiting| !waiting.answer.is_closed());
            if !gathered.messages.is_empty() {
                self.writing.fetch_add(1, Ordering::AcqRel);
                return Some(Batch { messages: gathered.messages, _writing: Writing(Arc::clone(self)) });
            }
        }
    }

    fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Acquire) > 0
    }
}

/// What a batch is made of, within its limits.
struct Gathered<'a> {
    messages: Vec<Waiting>,
    octets: usize,
    settings: &'a config::Ingest,
}

impl<'a> Gathered<'a> {
    fn new(first: Waiting, settings: &'a config::Ingest) -> Self {
        let mut this = Self { messages: Vec::new(), octets: 0, settings };
        this.push(first);
        this
    }

    fn push(&mut self, waiting: Waiting) {
        self.octets += waiting.prepared.stored_octets();
        self.messages.push(waiting);
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.settings.batch_messages || self.octets >= self.settings.batch_octets
    }

    fn take_all(&mut self, waiting: &mut mpsc::Receiver<Waiting>) {
        while !self.is_full()
            && let Ok(next) = waiting.try_recv()
        {
            self.push(next);
        }
    }
}

impl Waiting {
    fn refuse(self, error: Error) {
        let _ = self.answer.send(Err(error));
    }
}
