//! News: of mail that came in, and of changes after which nodes forget what they remember.
//!
//! News are hints. Who hears one asks the database, and who hears none asks it now and then.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ingest::{Arrival, Arrivals};
use crate::store::notify;
use crate::types::MailboxId;

/// Where news are heard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    arrivals: Arrivals,
}

impl Bus {
    /// A bus over this node's arrivals.
    pub fn new(arrivals: Arrivals) -> Self {
        Self { arrivals }
    }

    /// Hears of every arrival from now on.
    pub fn arrivals(&self) -> Subscription {
        Subscription { receiver: self.arrivals.subscribe() }
    }

    /// Hears what other nodes tell through the database until `stop`; calls `forget` on each change.
    pub async fn listen<F>(self, pool: PgPool, stop: CancellationToken, forget: impl Fn() -> F + Send)
    where
        F: Future<Output = ()> + Send,
    {
        let mut pause = Duration::from_millis(100);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                result = self.listen_once(&pool, &forget) => {
                    if let Err(error) = result {
                        tracing::debug!(%error, "the connection that listens for news is gone; making a new one");
                    }
                }
            }
            // What was told meanwhile is not known.
            forget().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
            }
        }
    }

    async fn listen_once<F: Future<Output = ()>>(
        &self,
        pool: &PgPool,
        forget: &(impl Fn() -> F + Send),
    ) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen_all([notify::ARRIVALS, notify::CHANGES]).await?;
        loop {
            match listener.try_recv().await? {
                Some(news) if news.channel() == notify::ARRIVALS => self.arrivals.tell_from_elsewhere(news.payload()),
                // A change; or the connection was lost and made anew, and nobody knows what was told meanwhile.
                Some(_) | None => forget().await,
            }
        }
    }
}

/// News of arrivals since it was made.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Arrival>,
}

impl Subscription {
    /// Waits until a mailbox got mail, or may have, or until the deadline.
    pub async fn next(&mut self, mailbox: MailboxId, deadline: Instant) {
        let heard = async {
            loop {
                match self.receiver.recv().await {
                    Ok(arrival) if arrival.mailbox_id.is_some_and(|id| id != mailbox) => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let _ = tokio::time::timeout_at(deadline, heard).await;
    }

    /// Waits for the next arrival in any mailbox; `None` once no more can come.
    pub async fn any(&mut self) -> Option<Arrival> {
        match self.receiver.recv().await {
            Ok(arrival) => Some(arrival),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Arrival { mailbox_id: None }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
