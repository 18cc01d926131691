//! Figures of the installation, from sums that the writes keep.

use sqlx::PgConnection;

use crate::error::Result;

/// Figures of the installation.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented on the operation's output")]
pub struct Stats {
    pub domains: i64,
    pub mailboxes: i64,
    pub trashed_mailboxes: i64,
    pub collected_mailboxes: i64,
    pub messages: i64,
    pub unread_messages: i64,
    pub users: i64,
    pub unassigned_mailboxes: i64,
    pub api_keys: i64,
}

/// Counts mailboxes and keys, and sums up the counts of messages.
pub async fn read(db: &mut PgConnection) -> Result<Stats> {
    let stats = sqlx::query_as!(
        Stats,
        r#"select
               (select count(*) from domains) as "domains!",
               (select count(*) from mailboxes where lifecycle in ('active', 'disabled')) as "mailboxes!",
               (select count(*) from mailboxes where lifecycle = 'trashed') as "trashed_mailboxes!",
               (select count(*) from mailboxes where lifecycle = 'collected') as "collected_mailboxes!",
               (select count(*) from principals where kind = 'user') as "users!",
               (select count(*) from mailboxes where owner_id is null and not is_shared and lifecycle in ('active', 'disabled'))
                   as "unassigned_mailboxes!",
               (select count(*) from api_keys where revoked_at is null and (expires_at is null or expires_at > now()))
                   as "api_keys!",
               coalesce(sum(c.messages), 0)::bigint as "messages!", coalesce(sum(c.unread), 0)::bigint as "unread_messages!"
           from mailbox_counts c join mailboxes m using (mailbox_id) where m.lifecycle <> 'trashed'"#
    )
    .fetch_one(db)
    .await?;
    Ok(stats)
}
