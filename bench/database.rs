//! Rows as the server wrote them, and the writing of the same rows again without a server.

use anyhow::{Result, ensure};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use pillarbox::store::intake::{self, Batch};

use crate::server::Server;

/// What the tables hold of a message.
pub(crate) struct Stored {
    sha256: Vec<u8>,
    size_octets: i64,
    trace: String,
    envelope: String,
    encoding: String,
    octets: Vec<u8>,
    recipient: String,
    subject: String,
    from_address: String,
    from_name: String,
    preview: String,
    attachment_count: i32,
    code: Option<String>,
    code_confidence: Option<f32>,
    link: Option<String>,
    extraction: Option<String>,
    sender_trust: String,
    auth: Option<String>,
}

/// The latest rows that the server wrote.
pub(crate) async fn rows(server: &Server, count: i64) -> Result<Vec<Stored>> {
    let mut db = server.database().await?;
    let rows = sqlx::query(
        "select sha256, c.size_octets, trace, envelope::text, encoding, octets, recipient, subject, from_address, from_name,
             preview, attachment_count, code, code_confidence, link, extraction::text, sender_trust, auth::text
         from messages join contents c using (content_id) order by message_id desc limit $1",
    )
    .bind(count)
    .fetch_all(&mut db)
    .await?;
    ensure!(rows.len() >= 50, "the server stored only {} messages", rows.len());
    Ok(rows.iter().map(stored).collect::<Result<_, sqlx::Error>>()?)
}

fn stored(row: &PgRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        sha256: row.try_get(0)?,
        size_octets: row.try_get(1)?,
        trace: row.try_get(2)?,
        envelope: row.try_get(3)?,
        encoding: row.try_get(4)?,
        octets: row.try_get(5)?,
        recipient: row.try_get(6)?,
        subject: row.try_get(7)?,
        from_address: row.try_get(8)?,
        from_name: row.try_get(9)?,
        preview: row.try_get(10)?,
        attachment_count: row.try_get(11)?,
        code: row.try_get(12)?,
        code_confidence: row.try_get(13)?,
        link: row.try_get(14)?,
        extraction: row.try_get(15)?,
        sender_trust: row.try_get(16)?,
        auth: row.try_get(17)?,
    })
}

/// How often the log was synced to disk so far. The figure may be a second old.
pub(crate) async fn syncs(db: &mut PgConnection) -> Result<f64> {
    Ok(sqlx::query_scalar("select wal_sync::float8 from pg_stat_wal").fetch_one(db).await?)
}

/// One connection that writes batches with the server's own statement.
pub(crate) struct Copier<'a> {
    db: PgConnection,
    rows: &'a [Stored],
    mailboxes: &'a [Uuid],
    slot: i16,
    run: Uuid,
    next: usize,
    /// Of the batch before; the statement forgets them, as it does behind a server whose peers went on.
    confirmed: Vec<Uuid>,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(db: PgConnection, rows: &'a [Stored], mailboxes: &'a [Uuid], slot: i16) -> Self {
        let next = usize::try_from(slot).unwrap_or(0) * 37;
        Self { db, rows, mailboxes, slot, run: Uuid::now_v7(), next, confirmed: Vec::new() }
    }

    /// Writes one batch in one transaction.
    pub(crate) async fn batch(&mut self, messages: usize) -> Result<()> {
        let mut batch = Batch::default();
        for number in self.next..self.next + messages {
            // A stride that shares no factor with the counts visits all of them.
            let mailbox = self.mailboxes[number * 7919 % self.mailboxes.len()];
            add(&mut batch, &self.rows[number % self.rows.len()], mailbox);
        }
        self.next += messages;
        intake::insert_batch(&mut self.db, &batch, self.run, self.slot, &self.confirmed).await?;
        self.confirmed = batch.contents.id;
        Ok(())
    }
}

fn add<'a>(batch: &mut Batch<'a>, row: &'a Stored, mailbox: Uuid) {
    let (content, c) = (Uuid::now_v7(), &mut batch.contents);
    c.id.push(content);
    c.sha256.push(&row.sha256);
    c.size_octets.push(row.size_octets);
    c.trace.push(&row.trace);
    c.envelope.push(&row.envelope);
    c.encoding.push(&row.encoding);
    c.octets.push(&row.octets);
    c.fingerprint.push(&row.sha256);
    c.auth.push(row.auth.as_deref());
    let m = &mut batch.messages;
    m.id.push(Uuid::now_v7());
    m.mailbox_id.push(mailbox);
    m.content_id.push(content);
    m.recipient.push(&row.recipient);
    m.subject.push(&row.subject);
    m.from_address.push(&row.from_address);
    m.from_name.push(&row.from_name);
    m.preview.push(&row.preview);
    m.size_octets.push(row.size_octets);
    m.attachment_count.push(row.attachment_count);
    m.code.push(row.code.as_deref());
    m.code_confidence.push(row.code_confidence);
    m.link.push(row.link.as_deref());
    m.extraction.push(row.extraction.as_deref());
    m.defects.push(String::new());
    m.sender_trust.push(&row.sender_trust);
    m.is_quarantined.push(false);
}
