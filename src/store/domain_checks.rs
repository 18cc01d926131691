//! How the DNS of domains was found when it was last looked at.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{DomainCheck, DomainName};

/// The last check of a domain; `None` where there was none, or an older version wrote it otherwise.
pub async fn find(db: &mut PgConnection, name: &DomainName) -> Result<Option<DomainCheck>> {
    let row = sqlx::query_scalar!(
        "select c.result from domain_checks c join domains d on d.domain_id = c.domain_id where d.name = $1",
        name.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.and_then(|value| serde_json::from_value(value).ok()))
}

/// Keeps a check in place of the one before; `changed` where something is judged otherwise.
pub async fn keep(db: &mut PgConnection, check: &DomainCheck, changed: bool) -> Result<()> {
    let result = serde_json::to_value(check).map_err(anyhow::Error::new)?;
    sqlx::query!(
        "insert into domain_checks (domain_id, checked_at, changed_at, state, result)
         select domain_id, now(), now(), $2, $3 from domains where name = $1
         on conflict (domain_id) do update
         set checked_at = now(), state = excluded.state, result = excluded.result,
             changed_at = case when $4 then now() else domain_checks.changed_at end",
        check.domain.as_str(),
        check.state.as_str(),
        result,
        changed,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The names of domains whose check is older than `seconds`, or that were never checked; the longest waiting first.
pub async fn due(db: &mut PgConnection, seconds: f64, limit: i64) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        "select d.name from domains d left join domain_checks c on c.domain_id = d.domain_id
         where c.checked_at is null or c.checked_at < now() - make_interval(secs => $1)
         order by c.checked_at nulls first, d.name limit $2",
        seconds,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(names)
}
