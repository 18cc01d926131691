//! What senders report of encryption on the way here.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{DomainName, NewTlsReport, Timestamp, TlsReport, TlsReportId};

/// The most reports of one domain within a day: anyone can send them.
const MOST_A_DAY: i64 = 1000;

/// Keeps a report of a domain of ours; false where the domain is not, where the report is there, or where there are too many.
pub async fn insert(db: &mut PgConnection, report: &NewTlsReport, came_by: &str) -> Result<bool> {
    let detail = serde_json::to_value(&report.detail).map_err(anyhow::Error::new)?;
    let done = sqlx::query!(
        "insert into tls_reports (tls_report_id, domain_id, organization, report_name, contact, starts_at, ends_at,
             succeeded_sessions, failed_sessions, detail, came_by)
         select $1, d.domain_id, $3, $4, $5, $6, $7, $8, $9, $10, $11 from domains d
         where d.name = $2 and $12 > (
             select count(*) from tls_reports r where r.domain_id = d.domain_id and r.received_at > now() - interval '1 day')
         on conflict do nothing",
        TlsReportId::generate() as TlsReportId,
        report.domain.as_str(),
        report.organization,
        report.report_name,
        report.contact,
        report.starts_at as Timestamp,
        report.ends_at as Timestamp,
        report.succeeded_sessions,
        report.failed_sessions,
        detail,
        came_by,
        MOST_A_DAY,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Reports, newest first, before `after`.
pub async fn list(
    db: &mut PgConnection,
    domain: Option<&DomainName>,
    only_failures: bool,
    after: Option<TlsReportId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<TlsReport>> {
    let rows = sqlx::query!(
        r#"select r.tls_report_id as "id: TlsReportId", d.name as "domain: DomainName", r.organization, r.report_name, r.contact,
               r.starts_at as "starts_at: Timestamp", r.ends_at as "ends_at: Timestamp", r.succeeded_sessions,
               r.failed_sessions, r.detail, r.came_by, r.received_at as "received_at: Timestamp"
           from tls_reports r join domains d on d.domain_id = r.domain_id
           where ($1::text is null or d.name = $1) and (not $2 or r.failed_sessions > 0)
               and ($3::uuid is null or r.tls_report_id < $3)
           order by r.tls_report_id desc limit $4 offset $5"#,
        domain.map(DomainName::as_str),
        only_failures,
        after as Option<TlsReportId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    let reports = rows.into_iter().map(|row| TlsReport {
        id: row.id,
        domain: row.domain,
        organization: row.organization,
        report_name: row.report_name,
        contact: row.contact,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        succeeded_sessions: row.succeeded_sessions,
        failed_sessions: row.failed_sessions,
        detail: serde_json::from_value(row.detail).unwrap_or_default(),
        came_by: row.came_by,
        received_at: row.received_at,
    });
    Ok(reports.collect())
}

/// Removes reports that are older than a year, at most `limit`.
pub async fn delete_old(db: &mut PgConnection, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from tls_reports where tls_report_id in (
             select tls_report_id from tls_reports where received_at < now() - interval '365 days' limit $1)",
        limit,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
