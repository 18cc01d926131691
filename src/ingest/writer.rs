//! Writers: each takes what has gathered in the queue and commits it in one statement.

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::mpsc;

use crate::config;
use crate::error::{Error, Result};
use crate::store::OnConstraint as _;
use crate::store::intake;

use super::arrivals::Arrivals;
use super::delivery::Receipt;
use super::settle::Ledger;
use super::{ALREADY_STORED, Waiting};

type Queue = Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>;

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

    pub(super) async fn run(mut self, queue: Queue) {
        while let Some(batch) = next_batch(&queue, &self.settings).await {
            self.write(batch).await;
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

/// Waits for a message and takes along what else is there, up to a batch's limits. `None` when no more can come.
async fn next_batch(queue: &Queue, settings: &config::Ingest) -> Option<Vec<Waiting>> {
    let mut queue = queue.lock().await;
    loop {
        let first = queue.recv().await?;
        let mut octets = first.prepared.stored_octets();
        let mut batch = vec![first];
        while batch.len() < settings.batch_messages && octets < settings.batch_octets {
            let Ok(next) = queue.try_recv() else { break };
            octets += next.prepared.stored_octets();
            batch.push(next);
        }
        // Who gave up waiting was told to come back, and will.
        batch.retain(|waiting| !waiting.answer.is_closed());
        if !batch.is_empty() {
            return Some(batch);
        }
    }
}

impl Waiting {
    fn refuse(self, error: Error) {
        let _ = self.answer.send(Err(error));
    }
}
