//! Background jobs: which are due, who does them, how they ended.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{JobState, Timestamp};

/// Makes jobs known that were not; each is due at once.
pub async fn register(db: &mut PgConnection, names: &[String]) -> Result<()> {
    sqlx::query!("insert into jobs (name) select unnest($1::text[]) on conflict (name) do nothing", names).execute(db).await?;
    Ok(())
}

/// A job that this node has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub name: String,
    /// Grows with each claim of the job.
    pub epoch: i64,
}

/// Claims one job that is due, of those with these names, for so many seconds.
pub async fn claim(db: &mut PgConnection, names: &[String], node: &str, lease_seconds: f64) -> Result<Option<Claim>> {
    let claim = sqlx::query_as!(
        Claim,
        "with due as (
             select name from jobs
             where name = any($1) and next_run_at <= now() and (claimed_until is null or claimed_until <= now())
             order by next_run_at limit 1 for update skip locked
         )
         update jobs j set epoch = j.epoch + 1, claimed_by = $2, claimed_until = now() + make_interval(secs => $3),
             last_started_at = now()
         from due where j.name = due.name returning j.name, j.epoch",
        names,
        node,
        lease_seconds,
    )
    .fetch_optional(db)
    .await?;
    Ok(claim)
}

/// Keeps a claim for so many seconds more; false where another node has the job now.
pub async fn renew(db: &mut PgConnection, claim: &Claim, lease_seconds: f64) -> Result<bool> {
    let done = sqlx::query!(
        "update jobs set claimed_until = now() + make_interval(secs => $3) where name = $1 and epoch = $2",
        claim.name,
        claim.epoch,
        lease_seconds,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down that a job was done, and when it is due again.
pub async fn succeed(db: &mut PgConnection, claim: &Claim, result: &serde_json::Value, pause_seconds: f64) -> Result<()> {
    sqlx::query!(
        "update jobs set claimed_by = null, claimed_until = null, last_finished_at = now(), last_error = null,
             failures_in_a_row = 0, last_result = $3, next_run_at = now() + make_interval(secs => $4)
         where name = $1 and epoch = $2",
        claim.name,
        claim.epoch,
        result,
        pause_seconds,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes down that a job failed. It is due again after ten seconds, doubled with each failure in a row, at most after
/// `most_seconds`.
pub async fn fail(db: &mut PgConnection, claim: &Claim, error: &str, most_seconds: f64) -> Result<()> {
    sqlx::query!(
        "update jobs set claimed_by = null, claimed_until = null, last_finished_at = now(), last_error = $3,
             failures_in_a_row = failures_in_a_row + 1,
             next_run_at = now() + make_interval(secs => least($4, 10 * power(2, least(failures_in_a_row, 20))))
         where name = $1 and epoch = $2",
        claim.name,
        claim.epoch,
        error,
        most_seconds,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a job back that was broken off, for another node to do at once.
pub async fn release(db: &mut PgConnection, claim: &Claim) -> Result<()> {
    sqlx::query!(
        "update jobs set claimed_by = null, claimed_until = null where name = $1 and epoch = $2",
        claim.name,
        claim.epoch
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes a job due now; false where there is none of this name.
pub async fn make_due(db: &mut PgConnection, name: &str) -> Result<bool> {
    let done = sqlx::query!("update jobs set next_run_at = now() where name = $1", name).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// The jobs by name; `only` narrows to one.
pub async fn list(db: &mut PgConnection, only: Option<&str>) -> Result<Vec<JobState>> {
    let rows = sqlx::query_as!(
        JobState,
        r#"select name, coalesce(claimed_until > now(), false) as "is_running!",
               case when claimed_until > now() then claimed_by end as running_on,
               next_run_at as "next_run_at: Timestamp", last_started_at as "last_started_at: Timestamp",
               last_finished_at as "last_finished_at: Timestamp", last_error, failures_in_a_row, last_result
           from jobs where $1::text is null or name = $1 order by name"#,
        only,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
