//! The audit log: rows are added and read, never changed.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{AuditEntry, AuditId, Timestamp};

/// Adds a row. Its own id and time are set here.
pub async fn insert(db: &mut PgConnection, entry: &AuditEntry) -> Result<()> {
    sqlx::query!(
        "insert into audit_log (audit_id, actor_kind, actor_id, actor_name, surface, action, target, outcome, remote_address,
             request_id, detail)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        entry.id as AuditId,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.surface,
        entry.action,
        entry.target,
        entry.outcome,
        entry.remote_address,
        entry.request_id,
        entry.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a listing of the log is narrowed by.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// One action or, ending in a dot, a group of them.
    pub action: Option<&'a str>,
    /// The actor's name at the time.
    pub actor: Option<&'a str>,
    /// The kind of the actor.
    pub actor_kind: Option<&'a str>,
    /// What it was done to.
    pub target: Option<&'a str>,
    /// How it ended.
    pub outcome: Option<&'a str>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Not later than the second that begins here.
    pub until: Option<Timestamp>,
}

/// Rows, newest first, after `after`.
pub async fn list(
    db: &mut PgConnection,
    filter: &Filter<'_>,
    after: Option<AuditId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<AuditEntry>> {
    let rows = sqlx::query_as!(
        AuditEntry,
        r#"select audit_id as "id: AuditId", at as "at: Timestamp", actor_kind, actor_id, actor_name, surface, action, target,
               outcome, remote_address, request_id, detail
           from audit_log
           where ($1::text is null or action = $1 or (right($1, 1) = '.' and starts_with(action, $1)))
               and ($2::uuid is null or audit_id < $2)
               and ($5::text is null or actor_name = $5) and ($6::text is null or actor_kind = $6)
               and ($7::text is null or target = $7) and ($8::text is null or outcome = $8)
               and ($9::timestamptz is null or at >= $9) and ($10::timestamptz is null or at < $10 + interval '1 second')
               -- Ids sort by time, by the clock of the node; a day is more than clocks differ by.
               and ($11::uuid is null or audit_id >= $11) and ($12::uuid is null or audit_id < $12)
           order by audit_id desc limit $3 offset $4"#,
        filter.action,
        after as Option<AuditId>,
        limit,
        skip,
        filter.actor,
        filter.actor_kind,
        filter.target,
        filter.outcome,
        filter.from as Option<Timestamp>,
        filter.until as Option<Timestamp>,
        filter.from.map(|at| first_id(at.unix() - DAY)),
        filter.until.map(|at| first_id(at.unix() + DAY)),
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

const DAY: i64 = 86_400;

/// The first id of a second (RFC 9562 section 5.7: milliseconds in the first 48 bits).
fn first_id(unix: i64) -> Uuid {
    let milliseconds = u128::try_from(unix.max(0)).unwrap_or(0) * 1000;
    Uuid::from_u128(milliseconds.min((1 << 48) - 1) << 80)
}

/// Removes at most `most` rows older than `days`, the oldest first; answers with how many it removed.
pub async fn delete_older(db: &mut PgConnection, days: i64, most: i64) -> Result<i64> {
    // Ids sort by time, so the oldest are found by the key.
    let done = sqlx::query!(
        "delete from audit_log where audit_id in (
             select audit_id from (select audit_id, at from audit_log order by audit_id limit $2) oldest
             where at < now() - make_interval(days => $1))",
        i32::try_from(days).unwrap_or(i32::MAX),
        most,
    )
    .execute(db)
    .await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}
