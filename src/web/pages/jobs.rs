//! The background jobs: when each ran, what it did, and having one done now.

use askama::Template;
use axum::extract::Path;

use crate::error::Error;
use crate::operations::jobs::ListJobs;
use crate::operations::jobs::RunJob;
use crate::types::JobState;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

const HERE: &str = "/admin/jobs";

#[derive(Debug, Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    ui: Ui,
    jobs: Vec<JobState>,
}

/// `GET /admin/jobs`.
pub(in crate::web) async fn list(admin: Admin) -> Answer {
    let jobs = admin.ctx.call(ListJobs {}).await?;
    render::page(&JobsPage { ui: admin.ui(Section::Jobs), jobs })
}

/// `POST /admin/jobs/{name}/run`.
pub(in crate::web) async fn run(admin: Admin, Path(name): Path<String>) -> Answer {
    let name = Text::new(&name).map_err(|_| Error::not_found("job", "There is no such job."))?;
    admin.ctx.call(RunJob { name }).await?;
    render::done(HERE, "job_due")
}
