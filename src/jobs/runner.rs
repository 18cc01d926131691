//! Claims jobs that are due and does them.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::store::jobs::{self, Claim};

use super::job::{Done, Job, Turn};

/// How often this node looks for a job that is due, where nothing wakes it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long a claim lasts without a sign of life: after that another node may take the job of a dead one.
const LEASE: Duration = Duration::from_mins(1);
/// How many jobs a node does at once.
const AT_ONCE: usize = 2;
/// How long a run that is told to end may take.
const LAST_STEP: Duration = Duration::from_secs(8);

/// Does jobs, until it is told to stop.
#[derive(Debug)]
pub struct Runner {
    db: PgPool,
    node: String,
    jobs: Arc<[Job]>,
    wake: Arc<Notify>,
}

impl Runner {
    /// A runner for these jobs. `node` is the name that operators see; `wake` makes it look for work at once.
    pub fn new(db: PgPool, node: String, jobs: Vec<Job>, wake: Arc<Notify>) -> Self {
        Self { db, node, jobs: jobs.into(), wake }
    }

    /// Runs until `stop`, then waits for runs under way, which hear of it, and gives back those that do not end.
    pub async fn run(self, stop: CancellationToken) {
        let names: Vec<String> = self.jobs.iter().map(|job| job.name.to_owned()).collect();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = JoinSet::new();
        let mut known = false;
        while !stop.is_cancelled() {
            while running.try_join_next().is_some() {}
            match self.start_due(&names, &mut known, &permits, &mut running, &stop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "jobs that are due could not be looked for"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Begins a job that is due; false where there is none, or no room.
    async fn start_due(
        &self,
        names: &[String],
        known: &mut bool,
        permits: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<bool> {
        let Ok(permit) = Arc::clone(permits).try_acquire_owned() else { return Ok(false) };
        let mut db = self.db.acquire().await?;
        if !*known {
            jobs::register(&mut db, names).await?;
            *known = true;
        }
        let Some(claim) = jobs::claim(&mut db, names, &self.node, LEASE.as_secs_f64()).await? else { return Ok(false) };
        drop(db);
        let Some(job) = self.jobs.iter().find(|job| job.name == claim.name).cloned() else { return Ok(false) };
        let (pool, stop, wake) = (self.db.clone(), stop.clone(), Arc::clone(&self.wake));
        running.spawn(async move {
            if let Err(error) = one_run(&pool, &job, &claim, &stop).await {
                tracing::warn!(job = job.name, %error, "how a job ended could not be written down");
            }
            drop(permit);
            // There may have been no room for another.
            wake.notify_one();
        });
        Ok(true)
    }
}

/// Does a job once, keeps the claim meanwhile, and writes down how it ended.
async fn one_run(pool: &PgPool, job: &Job, claim: &Claim, stop: &CancellationToken) -> Result<()> {
    let over = stop.child_token();
    let work = tokio::spawn((job.work)(Turn { over: over.clone() }));
    let abort = work.abort_handle();
    let late = async {
        over.cancelled().await;
        tokio::time::sleep(LAST_STEP).await;
    };
    let ended = tokio::select! {
        ended = work => ended.unwrap_or_else(|broken| Err(Error::Internal(anyhow::Error::new(broken)))),
        () = late => {
            abort.abort();
            tracing::warn!(job = job.name, "a job was broken off; it goes on elsewhere or later");
            return jobs::release(&mut *pool.acquire().await?, claim).await;
        }
        () = keep(pool, claim, &over) => unreachable!("keeping a claim ends with the run"),
    };
    note(pool, job, claim, ended, stop.is_cancelled()).await
}

async fn note(pool: &PgPool, job: &Job, claim: &Claim, ended: Result<Done>, is_stopping: bool) -> Result<()> {
    let mut db = pool.acquire().await?;
    match ended {
        // Perhaps not to its end.
        Ok(_) if is_stopping => jobs::release(&mut db, claim).await,
        Ok(done) => {
            tracing::debug!(job = job.name, %done, "did a job");
            jobs::succeed(&mut db, claim, &done, job.interval.as_secs_f64()).await
        }
        Err(error) => {
            let text = format!("{error:#}");
            tracing::error!(job = job.name, "a job failed: {text}");
            let shown: String = text.chars().filter(|c| *c != '\0').take(500).collect();
            jobs::fail(&mut db, claim, &shown, job.interval.as_secs_f64()).await
        }
    }
}

/// Keeps a claim for as long as this is awaited. Tells the run to end where another node has the job.
async fn keep(pool: &PgPool, claim: &Claim, over: &CancellationToken) {
    loop {
        tokio::time::sleep(LEASE / 4).await;
        let renewed = async { jobs::renew(&mut *pool.acquire().await?, claim, LEASE.as_secs_f64()).await }.await;
        match renewed {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(job = claim.name, "another node has taken a job over");
                over.cancel();
            }
            Err(error) => tracing::debug!(job = claim.name, %error, "a claim could not be renewed"),
        }
    }
}
