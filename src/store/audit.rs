//! The audit log: rows are added and read, never changed.

use sqlx::PgConnection;

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

/// Rows, newest first, after `after`; `action` narrows to one action or, ending in a dot, to a group of them.
pub async fn list(
    db: &mut PgConnection,
    action: Option<&str>,
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
           order by audit_id desc limit $3 offset $4"#,
        action,
        after as Option<AuditId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
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
