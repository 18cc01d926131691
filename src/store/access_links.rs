//! Links that open one mailbox.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{AccessLink, AccessLinkId, Address, MailboxId, Timestamp};

/// The links of a mailbox, newest first; `only` narrows to one.
pub async fn list(db: &mut PgConnection, mailbox: MailboxId, only: Option<AccessLinkId>) -> Result<Vec<AccessLink>> {
    let rows = sqlx::query_as!(
        AccessLink,
        r#"select l.access_link_id as "id: AccessLinkId", m.address as "mailbox: Address", l.note, l.created_by,
               l.created_at as "created_at: Timestamp", l.expires_at as "expires_at: Timestamp",
               l.revoked_at as "revoked_at: Timestamp", l.last_used_at as "last_used_at: Timestamp"
           from access_links l join mailboxes m using (mailbox_id)
           where l.mailbox_id = $1 and ($2::uuid is null or l.access_link_id = $2)
           order by l.access_link_id desc limit 200"#,
        mailbox as MailboxId,
        only as Option<AccessLinkId>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Adds a link that is good for so many hours.
pub async fn insert(
    db: &mut PgConnection,
    mailbox: MailboxId,
    token_digest: &[u8],
    note: &str,
    by: &str,
    hours: Option<i64>,
) -> Result<AccessLinkId> {
    let id = AccessLinkId::generate();
    sqlx::query!(
        "insert into access_links (access_link_id, mailbox_id, token_digest, note, created_by, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(hours => $6))",
        id as AccessLinkId,
        mailbox as MailboxId,
        token_digest,
        note,
        by,
        hours.and_then(|hours| i32::try_from(hours).ok()),
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Revokes a link of a mailbox, and ends the sessions that it began; false where there is none.
pub async fn revoke(db: &mut PgConnection, mailbox: MailboxId, id: AccessLinkId) -> Result<bool> {
    let done = sqlx::query!(
        "with ended as (delete from sessions where access_link_id in (
             select access_link_id from access_links where access_link_id = $2 and mailbox_id = $1))
         update access_links set revoked_at = coalesce(revoked_at, now()) where access_link_id = $2 and mailbox_id = $1",
        mailbox as MailboxId,
        id as AccessLinkId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A link that is good, by its token.
#[derive(Debug)]
pub struct Opened {
    /// The link.
    pub id: AccessLinkId,
    /// The mailbox that it opens.
    pub address: Address,
}

/// The link of a token, while it is good and its mailbox is in use; notes the use.
pub async fn open(db: &mut PgConnection, token_digest: &[u8]) -> Result<Option<Opened>> {
    let row = sqlx::query_as!(
        Opened,
        r#"update access_links l set last_used_at = now() from mailboxes m
           where l.token_digest = $1 and m.mailbox_id = l.mailbox_id and l.revoked_at is null
               and (l.expires_at is null or l.expires_at > now())
               and m.lifecycle = 'active' and (m.expires_at is null or m.expires_at > now())
           returning l.access_link_id as "id: AccessLinkId", m.address as "address: Address""#,
        token_digest,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}
