//! The search index: what is still to be written, writing it, asking it.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{MessageId, Reach, Timestamp, Verdicts};

use super::messages::Octets;

/// A message that cannot be searched yet.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// The message.
    pub id: MessageId,
    /// What its octets take in the database.
    pub stored_octets: i64,
}

/// Messages after `after` that are not in the index, oldest first.
pub async fn pending(db: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<Pending>> {
    let rows = sqlx::query_as!(
        Pending,
        r#"select e.message_id as "id: MessageId", octet_length(c.octets)::bigint as "stored_octets!"
           from messages e join contents c using (content_id)
           where e.message_id > $1 and not exists (select from message_search s where s.message_id = e.message_id)
           order by e.message_id limit $2"#,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The newest message in the index.
pub async fn newest(db: &mut PgConnection) -> Result<Option<MessageId>> {
    let id = sqlx::query_scalar!(r#"select message_id as "id: MessageId" from message_search order by sequence desc limit 1"#);
    Ok(id.fetch_optional(db).await?)
}

/// A message to be read for the index.
#[derive(Debug)]
pub struct Source {
    /// The message.
    pub id: MessageId,
    /// The mailbox's address.
    pub mailbox: String,
    /// The address that it was sent to.
    pub recipient: String,
    /// The code in it.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
    /// What was found out about its sender; `None` where it was not checked.
    pub auth: Option<Verdicts>,
    octets: Octets,
}

impl Source {
    /// The octets exactly as they were sent.
    pub fn raw(&self) -> Result<Vec<u8>> {
        self.octets.unpacked()
    }
}

/// Messages with their octets.
pub async fn sources(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Source>> {
    let rows = sqlx::query!(
        r#"select e.message_id as "id: MessageId", m.address, e.recipient, e.code, e.link, c.auth,
               c.encoding, c.octets, c.size_octets
           from messages e join contents c using (content_id) join mailboxes m using (mailbox_id)
           where e.message_id = any($1::uuid[]) order by e.message_id"#,
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Source {
            id: row.id,
            mailbox: row.address,
            recipient: row.recipient,
            code: row.code,
            link: row.link,
            // What this version cannot read counts as not checked: one row keeps no other out.
            auth: row.auth.and_then(|auth| serde_json::from_value(auth).ok()),
            octets: Octets { encoding: row.encoding, stored: row.octets, size_octets: row.size_octets },
        })
        .collect())
}

/// The columns of new entries.
#[derive(Debug, Default)]
pub struct Entries {
    /// The messages, oldest first.
    pub ids: Vec<Uuid>,
    /// The beginnings of their visible texts.
    pub texts: Vec<String>,
    /// Their pieces, as PostgreSQL reads a `tsvector`.
    pub documents: Vec<String>,
}

/// Adds messages to the index; those that were removed meanwhile are left out.
pub async fn insert(db: &mut PgConnection, entries: &Entries) -> Result<()> {
    sqlx::query!(
        "insert into message_search (message_id, sequence, text, document)
         select id, place, text, document::tsvector || array_to_tsvector(array['#' || (place >> 14)])
         from (select *, nextval('message_search_sequence') as place
               from (select t.* from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as t (id, text, document, n)
                     join messages e on e.message_id = t.id order by n for key share of e) as present) as numbered
         on conflict (message_id) do nothing",
        &entries.ids,
        &entries.texts,
        &entries.documents,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sorts what was added into the index, so that nobody who asks has to look through it.
pub async fn tidy(db: &mut PgConnection) -> Result<()> {
    sqlx::query_scalar!("select gin_clean_pending_list('message_search_document_idx')").fetch_one(db).await?;
    Ok(())
}

/// Tries to be the only one that writes the index, until the connection ends.
pub async fn lock(db: &mut PgConnection) -> Result<bool> {
    let got = sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtext('pillarbox search')) as "got!""#);
    Ok(got.fetch_one(db).await?)
}

/// What is asked.
#[derive(Debug, Default, Clone)]
pub struct Question {
    /// As PostgreSQL reads a `tsquery`; empty where rows' conditions alone are asked.
    pub tsquery: String,
    /// Just read ones, or just unread ones.
    pub is_read: Option<bool>,
    /// Just starred ones, or just those without a star.
    pub is_starred: Option<bool>,
    /// Just those that are kept apart, in place of all others.
    pub is_quarantined: bool,
    /// Accepted at this time or later.
    pub after: Option<Timestamp>,
    /// Accepted before this time.
    pub before: Option<Timestamp>,
    /// Larger than this, in octets.
    pub larger: Option<i64>,
    /// Smaller than this, in octets.
    pub smaller: Option<i64>,
    /// In mailboxes that have all these services, by name.
    pub services: Vec<String>,
    /// In mailboxes that have none of these.
    pub other_services: Vec<String>,
}

/// A message that was found.
#[derive(Debug)]
pub struct Found {
    /// Its place in the order of the index, by which pages go on.
    pub sequence: i64,
    /// The message.
    pub id: MessageId,
    /// The beginning of its visible text.
    pub text: String,
}

/// Asks what a question asks for, block after block of the index: messages `e` with their entries `s`, in mailboxes `m`, in reach.
/// The parts of the statement around that are the caller's, and the parameters from $13 on.
macro_rules! asked {
    ($query:ident[$($row:ident)?], $start:tt, $question:ident, $reach:ident, $end:tt, $($argument:tt)*) => {{
        let (domains, mailboxes) = $reach.names().unzip();
        sqlx::$query!(
            $($row,)?
            $start + r#"
                   from message_search s join messages e using (message_id) join mailboxes m using (mailbox_id)
                   where s.document @@ (('''#' || b.block || '''')::tsquery && $1::text::tsquery)
                       and m.lifecycle <> 'trashed'
                       and ($2::bool is null or e.is_read = $2) and ($3::bool is null or e.is_starred = $3)
                       and ($4::timestamptz is null or e.received_at >= $4) and ($5::timestamptz is null or e.received_at < $5)
                       and ($6::bigint is null or e.size_octets > $6) and ($7::bigint is null or e.size_octets < $7)
                       and e.is_quarantined = $8
                       and ($9::text[] is null or m.address = any($10)
                           or m.domain_id in (select domain_id from domains where name = any($9)))
                       and ($11::text[] = '{}' or not exists (select from unnest($11::text[]) as wanted (name) where not exists (
                           select from service_bindings b left join service_templates t using (service_template_id)
                           where b.mailbox_id = m.mailbox_id and lower(coalesce(t.name, b.custom_name)) = lower(wanted.name))))
                       and ($12::text[] = '{}' or not exists (select from unnest($12::text[]) as unwanted (name) where exists (
                           select from service_bindings b left join service_templates t using (service_template_id)
                           where b.mailbox_id = m.mailbox_id and lower(coalesce(t.name, b.custom_name)) = lower(unwanted.name))))
                   "# + $end,
            $question.tsquery,
            $question.is_read,
            $question.is_starred,
            $question.after as Option<Timestamp>,
            $question.before as Option<Timestamp>,
            $question.larger,
            $question.smaller,
            $question.is_quarantined,
            domains.as_deref(),
            mailboxes.as_deref(),
            &$question.services,
            &$question.other_services,
            $($argument)*
        )
    }};
}

/// The messages in reach that a question asks for, newest first, before the place `before`. Those in the trash are not found.
///
/// Block after block is asked, so that no more rows are read than one block has once a page is full. The sum in the order keeps
/// PostgreSQL from walking the index of places and testing every message on the way.
pub async fn find(
    db: &mut PgConnection,
    question: &Question,
    reach: &Reach,
    before: Option<i64>,
    limit: i64,
    skip: i64,
) -> Result<Vec<Found>> {
    let rows = asked!(
        query_as[Found],
        r#"select x.sequence as "sequence!", x.message_id as "id!: MessageId", x.text as "text!"
               from generate_series(least((select max(sequence) from message_search), $13::bigint - 1) >> 14, 0, -1::bigint) as b (block)
               cross join lateral (select s.sequence, s.message_id, s.text"#,
        question,
        reach,
        r#"and ($13::bigint is null or s.sequence < $13)
                   order by s.sequence + 0 desc limit $14::bigint + $15::bigint) as x
               limit $14::bigint offset $15::bigint"#,
        before,
        limit,
        skip,
    );
    Ok(rows.fetch_all(db).await?)
}

/// How many messages in reach a question asks for, counted up to `most`.
pub async fn count(db: &mut PgConnection, question: &Question, reach: &Reach, most: i64) -> Result<i64> {
    let count = asked!(
        query_scalar[],
        r#"select count(*) as "count!" from (
               select from generate_series((select max(sequence) from message_search) >> 14, 0, -1::bigint) as b (block)
               cross join lateral (select"#,
        question,
        reach,
        r#"limit $13) as x limit $13) as counted"#,
        most,
    );
    Ok(count.fetch_one(db).await?)
}
