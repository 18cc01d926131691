//! Background jobs, as operators see them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{JobState, Scope, Text};

use super::{Ctx, Effect, Method, Operation, Spec};

/// Lists the background jobs: when each last ran and how it ended.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListJobs {}

impl Operation for ListJobs {
    type Output = Vec<JobState>;
    const SPEC: Spec = Spec {
        name: "list_jobs",
        title: "List background jobs",
        rest: (Method::Get, "/jobs"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<JobState>> {
        let mut db = ctx.services.db.acquire().await?;
        store::jobs::list(&mut db, None).await
    }
}

/// Has a background job done now rather than when it is due. A job that is running is done once more after it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RunJob {
    /// The job's name, such as `mailboxes.expire`.
    pub name: Text<100>,
}

impl Operation for RunJob {
    type Output = JobState;
    const SPEC: Spec = Spec {
        name: "run_job",
        title: "Do a background job now",
        rest: (Method::Post, "/jobs/{name}/run"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Write,
        audit: Some("job.run"),
    };

    async fn run(self, ctx: &Ctx) -> Result<JobState> {
        let name = self.name.as_str();
        let mut tx = ctx.begin().await?;
        store::jobs::make_due(&mut tx, name).await?;
        let job = store::jobs::list(&mut tx, Some(name)).await?.pop();
        let job = job.ok_or_else(|| Error::not_found("job", format!("There is no job {name}.")))?;
        ctx.commit_and_forget::<Self>(tx, name, json!({})).await?;
        Ok(job)
    }
}
