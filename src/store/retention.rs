//! What is kept for how long: messages by age, mailboxes after their end.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{Address, DomainName, Reach};

/// Which messages are too old.
#[derive(Debug, Clone, Default)]
pub struct Rule<'a> {
    /// So many days for all; `None` takes what mailbox, domain or installation have.
    pub days: Option<i64>,
    /// What the installation has.
    pub default_days: Option<i64>,
    /// Just this mailbox.
    pub mailbox: Option<&'a Address>,
    /// Just this domain.
    pub domain: Option<&'a DomainName>,
    /// Those that the caller sees.
    pub reach: Reach,
}

/// A step through the messages, from the oldest on.
#[derive(Debug, Default)]
pub struct Step {
    /// Where the next step goes on; `None` at the end.
    pub next: Option<Uuid>,
    /// Those that are too old, without the starred ones and those in the trash.
    pub too_old: Vec<Uuid>,
}

/// Looks at the next `most` messages after `after`.
pub async fn step(db: &mut PgConnection, rule: &Rule<'_>, after: Uuid, most: i64) -> Result<Step> {
    let (domains, mailboxes) = rule.reach.names().unzip();
    let row = sqlx::query!(
        r#"with shortest as (
               -- Newer ones are too old by no rule.
               select now() - make_interval(days => coalesce($3,
                   least($4, (select min(retention_days) from mailboxes), (select min(retention_days) from domains)))) as cutoff
           ), seen as (
               -- Ids sort by time: a UUID of version 7 begins with its milliseconds (RFC 9562 section 5.7).
               select message_id, mailbox_id, received_at, is_starred from messages
               where message_id > $1 and message_id < (select (lpad(to_hex(greatest(extract(epoch from cutoff) * 1000, 0)::bigint), 12, '0')
                   || '00000000000000000000')::uuid from shortest)
               order by message_id limit $2
           ), old as (
               select s.message_id from seen s
               -- One by one: a join would read all mailboxes for each step.
               cross join lateral (
                   select address, lifecycle, retention_days, domain_id from mailboxes where mailbox_id = s.mailbox_id limit 1
               ) m
               join domains d using (domain_id)
               where not s.is_starred and m.lifecycle <> 'trashed'
                   and s.received_at < now() - make_interval(days => coalesce($3, m.retention_days, d.retention_days, $4))
                   and ($5::text is null or m.address = $5) and ($6::text is null or d.name = $6)
                   and ($7::text[] is null or d.name = any($7) or m.address = any($8))
           )
           select (select max(message_id::text)::uuid from seen) as next, (select count(*) from seen) as "seen!",
               coalesce((select array_agg(message_id) from old), '{}') as "too_old!""#,
        after,
        most,
        rule.days.and_then(|days| i32::try_from(days).ok()),
        rule.default_days.and_then(|days| i32::try_from(days).ok()),
        rule.mailbox.map(Address::as_str),
        rule.domain.map(DomainName::as_str),
        domains.as_deref(),
        mailboxes.as_deref(),
    )
    .fetch_one(db)
    .await?;
    Ok(Step { next: row.next.filter(|_| row.seen >= most), too_old: row.too_old })
}

/// Mailboxes whose time has been over for so many hours, outside the trash; at most `most`.
pub async fn expired_mailboxes(db: &mut PgConnection, hours: i64, most: i64) -> Result<Vec<Address>> {
    let rows = sqlx::query_scalar!(
        r#"select address as "address: Address" from mailboxes
           where expires_at < now() - make_interval(hours => $1) and lifecycle in ('active', 'disabled')
           order by expires_at limit $2"#,
        i32::try_from(hours).unwrap_or(i32::MAX),
        most,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Mailboxes that have been in the trash for so many days; at most `most`.
pub async fn trashed_mailboxes(db: &mut PgConnection, days: i64, most: i64) -> Result<Vec<Address>> {
    let rows = sqlx::query_scalar!(
        r#"select address as "address: Address" from mailboxes
           where lifecycle = 'trashed' and trashed_at <= now() - make_interval(days => $1) order by trashed_at limit $2"#,
        i32::try_from(days).unwrap_or(i32::MAX),
        most,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
