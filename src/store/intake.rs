//! What arriving mail writes: a batch in one statement, and the record of what peers are not known to have heard.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::types::{ContentId, MailboxId};

/// The columns of a batch: one entry for each content, and one for each message (a content in one mailbox).
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// One entry for each transaction.
    pub contents: Contents<'a>,
    /// One entry for each mailbox that a transaction reached.
    pub messages: Messages<'a>,
}

/// The columns of `contents`.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct Contents<'a> {
    pub id: Vec<Uuid>,
    pub sha256: Vec<&'a [u8]>,
    pub size_octets: Vec<i64>,
    pub trace: Vec<&'a str>,
    pub envelope: Vec<&'a str>,
    pub encoding: Vec<&'a str>,
    pub octets: Vec<&'a [u8]>,
    pub fingerprint: Vec<&'a [u8]>,
    pub auth: Vec<Option<&'a str>>,
}

/// The columns of `messages`.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct Messages<'a> {
    pub id: Vec<Uuid>,
    pub mailbox_id: Vec<Uuid>,
    pub content_id: Vec<Uuid>,
    pub recipient: Vec<&'a str>,
    pub subject: Vec<&'a str>,
    pub from_address: Vec<&'a str>,
    pub from_name: Vec<&'a str>,
    pub preview: Vec<&'a str>,
    pub size_octets: Vec<i64>,
    pub attachment_count: Vec<i32>,
    pub code: Vec<Option<&'a str>>,
    pub code_confidence: Vec<Option<f32>>,
    pub link: Vec<Option<&'a str>>,
    pub extraction: Vec<Option<&'a str>>,
    pub defects: Vec<String>,
    pub sender_trust: Vec<&'a str>,
    pub is_quarantined: Vec<bool>,
}

/// Writes a batch, and forgets the deliveries that peers confirmed since the last one. One statement is one transaction and
/// one round trip.
///
/// `slot` names the writer: see the comment on `mailbox_counts`.
pub async fn insert_batch(
    db: &mut PgConnection,
    batch: &Batch<'_>,
    run_id: Uuid,
    slot: i16,
    confirmed: &[Uuid],
) -> Result<(), sqlx::Error> {
    let (c, m) = (&batch.contents, &batch.messages);
    sqlx::query!(
        r#"
        with content as (
            insert into contents (content_id, sha256, size_octets, trace, envelope, encoding, octets, auth)
            select id, sha256, size_octets, trace, envelope::jsonb, encoding, octets, auth::jsonb
            from unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[], $27::text[])
                as t (id, sha256, size_octets, trace, envelope, encoding, octets, auth)
        ), unconfirmed as (
            insert into unconfirmed_deliveries (content_id, run_id, fingerprint)
            select id, $8, fingerprint from unnest($1::uuid[], $9::bytea[]) as t (id, fingerprint)
        ), confirmed as (
            delete from unconfirmed_deliveries where content_id = any($10::uuid[])
        ), counted as (
            insert into mailbox_counts (mailbox_id, slot, messages, unread)
            select id, $11, count(*), count(*) from unnest($12::uuid[], $29::bool[]) as t (id, is_quarantined)
            where not is_quarantined group by id order by id
            on conflict (mailbox_id, slot) do update
            set messages = mailbox_counts.messages + excluded.messages, unread = mailbox_counts.unread + excluded.unread
        )
        insert into messages (message_id, mailbox_id, content_id, recipient, subject, from_address, from_name, preview,
            size_octets, attachment_count, code, code_confidence, link, extraction, defects, sender_trust, is_quarantined)
        select id, mailbox_id, content_id, recipient, subject, from_address, from_name, preview,
            size_octets, attachment_count, code, code_confidence, link, extraction::jsonb,
            case when defects = '' then '{}'::text[] else string_to_array(defects, E'\n') end,
            sender_trust, is_quarantined
        from unnest($13::uuid[], $12::uuid[], $14::uuid[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
            $20::bigint[], $21::integer[], $22::text[], $23::real[], $24::text[], $25::text[], $26::text[],
            $28::text[], $29::bool[])
            as t (id, mailbox_id, content_id, recipient, subject, from_address, from_name, preview,
                size_octets, attachment_count, code, code_confidence, link, extraction, defects, sender_trust, is_quarantined)
        "#,
        &c.id,
        &c.sha256 as &[&[u8]],
        &c.size_octets,
        &c.trace as &[&str],
        &c.envelope as &[&str],
        &c.encoding as &[&str],
        &c.octets as &[&[u8]],
        run_id,
        &c.fingerprint as &[&[u8]],
        confirmed,
        slot,
        &m.mailbox_id,
        &m.id,
        &m.content_id,
        &m.recipient as &[&str],
        &m.subject as &[&str],
        &m.from_address as &[&str],
        &m.from_name as &[&str],
        &m.preview as &[&str],
        &m.size_octets,
        &m.attachment_count,
        &m.code as &[Option<&str>],
        &m.code_confidence as &[Option<f32>],
        &m.link as &[Option<&str>],
        &m.extraction as &[Option<&str>],
        &m.defects,
        &c.auth as &[Option<&str>],
        &m.sender_trust as &[&str],
        &m.is_quarantined,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Says that this run is alive, and that an earlier run of the same node is not.
pub async fn heartbeat(db: &mut PgConnection, node_id: &str, run_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into nodes (node_id, run_id) values ($1, $2)
         on conflict (node_id) do update set run_id = excluded.run_id, last_seen_at = now()",
        node_id,
        run_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A stored message that its sender may send again.
#[derive(Debug)]
pub struct Orphan {
    /// What was stored.
    pub content_id: ContentId,
    /// By which it is recognised.
    pub fingerprint: Vec<u8>,
}

/// What dead runs and broken sessions left unconfirmed, at most 100,000, newest first.
pub async fn orphans(db: &mut PgConnection) -> Result<Vec<Orphan>, sqlx::Error> {
    sqlx::query_as!(
        Orphan,
        r#"select content_id as "content_id: ContentId", fingerprint from unconfirmed_deliveries u
           where u.is_abandoned or not exists (
               select from nodes n where n.run_id = u.run_id and n.last_seen_at > now() - interval '20 seconds')
           order by content_id desc limit 100000"#
    )
    .fetch_all(db)
    .await
}

/// Makes an orphan this run's own again, while its sender waits for the answer; false where another run was quicker.
/// Of its own rows a run knows which are orphans before the table does.
pub async fn adopt(db: &mut PgConnection, content_id: ContentId, run_id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update unconfirmed_deliveries u set run_id = $2, is_abandoned = false
         where content_id = $1 and (u.is_abandoned or u.run_id = $2 or not exists (
             select from nodes n where n.run_id = u.run_id and n.last_seen_at > now() - interval '20 seconds'))",
        content_id as ContentId,
        run_id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Settles deliveries outside a batch: forgets the confirmed ones, marks the abandoned ones, and drops what is older than
/// senders keep trying (RFC 5321 section 4.5.4.1: four to five days).
pub async fn settle(db: &mut PgConnection, confirmed: &[Uuid], abandoned: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with abandoned as (
             update unconfirmed_deliveries set is_abandoned = true where content_id = any($2::uuid[])
         )
         delete from unconfirmed_deliveries
         where content_id = any($1::uuid[]) or created_at < now() - interval '6 days'",
        confirmed,
        abandoned,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The mailbox that collects mail for an address that nobody made yet; made by the first message.
pub async fn collecting_mailbox(db: &mut PgConnection, address: &str, domain: &str) -> Result<Option<MailboxId>, sqlx::Error> {
    let made = sqlx::query_scalar!(
        r#"insert into mailboxes (mailbox_id, address, domain_id, lifecycle, created_by)
           select $1, $2, domain_id, 'collected', 'arriving mail' from domains where name = $3
           on conflict (address) do update set address = excluded.address
           returning mailbox_id as "mailbox_id: MailboxId""#,
        MailboxId::generate() as MailboxId,
        address,
        domain,
    )
    .fetch_optional(db)
    .await?;
    Ok(made)
}
