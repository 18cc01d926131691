//! A job: a name, an interval, and what it does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Result;

/// What a run did, in figures by name; shown to operators.
pub type Done = serde_json::Value;

type Work = dyn Fn(Turn) -> Pin<Box<dyn Future<Output = Result<Done>> + Send>> + Send + Sync;

/// Something to be done at an interval, by one node at a time.
#[derive(Clone)]
pub struct Job {
    pub(super) name: &'static str,
    pub(super) interval: Duration,
    pub(super) work: Arc<Work>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl Job {
    /// A job with a name like `mailboxes.expire`. The interval runs from the end of one run to the beginning of the next, over
    /// all nodes. A run should work in steps and look at [`Turn::is_over`] between them; each step must be safe to repeat,
    /// because a node that dies leaves the rest to another.
    pub fn new<F>(name: &'static str, interval: Duration, work: impl Fn(Turn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Done>> + Send + 'static,
    {
        Self { name, interval, work: Arc::new(move |turn| Box::pin(work(turn))) }
    }
}

/// A run's right to go on.
#[derive(Debug, Clone)]
pub struct Turn {
    pub(super) over: CancellationToken,
}

impl Turn {
    /// Whether the run should end at the next step: the server stops, or another node has the job.
    pub fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Waits until the run should end.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }
}
