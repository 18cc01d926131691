//! The background jobs of what operations made: what they remove, and by which settings.

use std::time::Duration;

use serde_json::json;

use crate::error::Result;
use crate::jobs::{Done, Job, Turn};
use crate::store;

use super::Services;

/// How many rows one step removes.
const STEP: i64 = 1000;

/// The jobs that keep the installation tidy.
pub fn jobs(services: &Services) -> Vec<Job> {
    vec![job(services, "audit_log.trim", Duration::from_hours(1), trim_audit_log)]
}

fn job<F>(services: &Services, name: &'static str, interval: Duration, work: fn(Services, Turn) -> F) -> Job
where
    F: Future<Output = Result<Done>> + Send + 'static,
{
    let services = services.clone();
    Job::new(name, interval, move |turn| work(services.clone(), turn))
}

/// Removes rows of the audit log that are older than the settings keep them.
async fn trim_audit_log(services: Services, turn: Turn) -> Result<Done> {
    let mut removed = 0;
    while let Some(days) = services.settings().await?.audit_log_days
        && !turn.is_over()
    {
        let gone = store::audit::delete_older(&mut *services.db.acquire().await?, days.get(), STEP).await?;
        removed += gone;
        if gone < STEP {
            break;
        }
    }
    Ok(json!({ "removed": removed }))
}
