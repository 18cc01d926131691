//! Messages and their contents.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{Address, ContentId, MailboxId, MessageId, MessageSummary, Reach, SenderPolicy, SenderTrust, Timestamp};

/// What a listing of messages is narrowed by.
#[derive(Debug, Default, Clone, Copy)]
pub struct Filter {
    /// Just read ones, or just unread ones.
    pub is_read: Option<bool>,
    /// Just starred ones, or just those without a star.
    pub is_starred: Option<bool>,
    /// Just those with a code or a link, or just those without.
    pub has_code: Option<bool>,
    /// Just those that are kept apart, in place of all others.
    pub is_quarantined: bool,
}

/// Asks for summaries of messages `e` in mailboxes `m`; the rest of the statement says which.
macro_rules! summaries {
    ($which:tt, $($argument:tt)*) => {
        sqlx::query_as!(
            MessageSummary,
            r#"select e.message_id as "id: MessageId", m.address as "mailbox: Address", e.recipient as "recipient: Address",
                   e.from_address, e.from_name, e.subject, e.preview, e.received_at as "received_at: Timestamp", e.size_octets,
                   e.attachment_count, case when not w.withheld then e.code end as code,
                   round(case when not w.withheld then e.code_confidence end::numeric, 3)::float8 as code_confidence,
                   case when not w.withheld then e.link end as link, e.sender_trust, w.withheld as "withheld!",
                   e.is_quarantined, e.is_read, e.is_starred
               from messages e join mailboxes m using (mailbox_id)
               cross join lateral (select withholds(m.sender_policy, e.sender_trust)
                   and (e.code is not null or e.link is not null) as withheld) w
               "# + $which,
            $($argument)*
        )
    };
}

/// The messages of a mailbox, newest first, after `after`.
pub async fn list_in(
    db: &mut PgConnection,
    mailbox: MailboxId,
    filter: Filter,
    after: Option<MessageId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<MessageSummary>> {
    let rows = summaries!(
        r#"where e.mailbox_id = $1 and ($2::uuid is null or e.message_id < $2)
               and ($3::bool is null or e.is_read = $3) and ($4::bool is null or e.is_starred = $4)
               and ($5::bool is null or (e.code is not null or e.link is not null) = $5)
               and e.is_quarantined = $8
           order by e.message_id desc limit $6 offset $7"#,
        mailbox as MailboxId,
        after as Option<MessageId>,
        filter.is_read,
        filter.is_starred,
        filter.has_code,
        limit,
        skip,
        filter.is_quarantined,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The messages of all mailboxes outside the trash that are in reach, newest first, after `after`.
pub async fn list_all(
    db: &mut PgConnection,
    filter: Filter,
    reach: &Reach,
    after: Option<MessageId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<MessageSummary>> {
    let (domains, mailboxes) = reach.names().unzip();
    let rows = summaries!(
        r#"where m.lifecycle <> 'trashed' and ($1::uuid is null or e.message_id < $1)
               and ($2::bool is null or e.is_read = $2) and ($3::bool is null or e.is_starred = $3)
               and ($4::bool is null or (e.code is not null or e.link is not null) = $4)
               and e.is_quarantined = $9
               and ($7::text[] is null or m.address = any($8)
                   or m.domain_id in (select domain_id from domains where name = any($7)))
           order by e.message_id desc limit $5 offset $6"#,
        after as Option<MessageId>,
        filter.is_read,
        filter.is_starred,
        filter.has_code,
        limit,
        skip,
        domains.as_deref(),
        mailboxes.as_deref(),
        filter.is_quarantined,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// How many messages [`list_all`] has in all, counted up to `most`.
pub async fn count_all(db: &mut PgConnection, filter: Filter, reach: &Reach, most: i64) -> Result<i64> {
    let (domains, mailboxes) = reach.names().unzip();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from messages e join mailboxes m using (mailbox_id)
               where m.lifecycle <> 'trashed'
                   and ($1::bool is null or e.is_read = $1) and ($2::bool is null or e.is_starred = $2)
                   and ($3::bool is null or (e.code is not null or e.link is not null) = $3)
                   and e.is_quarantined = $4
                   and ($5::text[] is null or m.address = any($6)
                       or m.domain_id in (select domain_id from domains where name = any($5)))
               limit $7) as counted"#,
        filter.is_read,
        filter.is_starred,
        filter.has_code,
        filter.is_quarantined,
        domains.as_deref(),
        mailboxes.as_deref(),
        most,
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// The summaries of these messages, newest first; those in the trash are left out.
pub async fn summaries(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<MessageSummary>> {
    let rows = summaries!(
        r#"where e.message_id = any($1::uuid[]) and m.lifecycle <> 'trashed'
           order by e.message_id desc"#,
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A message's summary; `None` also where its mailbox is in the trash.
pub async fn find(db: &mut PgConnection, id: MessageId) -> Result<Option<MessageSummary>> {
    let row = summaries!(r#"where e.message_id = $1 and m.lifecycle <> 'trashed'"#, id as MessageId,).fetch_optional(db).await?;
    Ok(row)
}

/// The address of the mailbox that a message lies in, the trash included.
pub async fn mailbox_of(db: &mut PgConnection, id: MessageId) -> Result<Option<Address>> {
    let address = sqlx::query_scalar!(
        r#"select m.address as "address: Address" from messages e join mailboxes m using (mailbox_id) where e.message_id = $1"#,
        id as MessageId,
    )
    .fetch_optional(db)
    .await?;
    Ok(address)
}

/// What is kept of a message besides its summary.
#[derive(Debug)]
pub struct Content {
    /// The SHA-256 digest of the octets.
    pub sha256: Vec<u8>,
    /// The trace fields that this server put on top.
    pub trace: String,
    /// Envelope and session facts.
    pub envelope: serde_json::Value,
    /// From which senders the mailbox gives out codes and links.
    pub sender_policy: SenderPolicy,
    /// What was found out about the sender; `None` where it was not checked.
    pub auth: Option<serde_json::Value>,
    /// All candidates for codes and links, with their evidence; `None` also where the mailbox withholds them.
    pub extraction: Option<serde_json::Value>,
    /// What was wrong with it.
    pub defects: Vec<String>,
    octets: Octets,
}

impl Content {
    /// The octets exactly as they were sent.
    pub fn raw(&self) -> Result<Vec<u8>> {
        self.octets.unpacked()
    }
}

/// The octets of some messages with the session facts of each, the newest first, until `most_octets` are reached. Those in the
/// trash are left out.
pub async fn contents(
    db: &mut PgConnection,
    ids: &[Uuid],
    most_octets: i64,
) -> Result<Vec<(MessageId, Vec<u8>, serde_json::Value)>> {
    let rows = sqlx::query!(
        r#"with wanted as (
               select e.message_id, e.content_id,
                   sum(c.size_octets) over (order by e.message_id desc) as octets_so_far
               from messages e join contents c using (content_id) join mailboxes m using (mailbox_id)
               where e.message_id = any($1) and m.lifecycle <> 'trashed'
           )
           select w.message_id as "id: MessageId", c.encoding, c.octets, c.size_octets, c.envelope
           from wanted w join contents c using (content_id) where w.octets_so_far <= $2::int8"#,
        ids,
        most_octets,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let octets = Octets { encoding: row.encoding, stored: row.octets, size_octets: row.size_octets };
            Ok((row.id, octets.unpacked()?, row.envelope))
        })
        .collect()
}

/// A message's octets as they are stored.
#[derive(Debug)]
pub(super) struct Octets {
    pub(super) encoding: String,
    pub(super) stored: Vec<u8>,
    pub(super) size_octets: i64,
}

impl Octets {
    pub(super) fn unpacked(&self) -> Result<Vec<u8>> {
        if self.encoding == "plain" {
            return Ok(self.stored.clone());
        }
        let capacity = usize::try_from(self.size_octets).unwrap_or(0);
        zstd::bulk::decompress(&self.stored, capacity)
            .map_err(|cause| crate::error::Error::Internal(anyhow::Error::new(cause).context("unpacking a stored message")))
    }
}

/// The content of a message; `None` also where its mailbox is in the trash.
pub async fn content(db: &mut PgConnection, id: MessageId) -> Result<Option<Content>> {
    let row = sqlx::query!(
        r#"select c.sha256, c.trace, c.envelope, c.auth, m.sender_policy,
               case when not withholds(m.sender_policy, e.sender_trust) then e.extraction end as extraction, e.defects, c.encoding, c.octets, c.size_octets
           from messages e join contents c using (content_id) join mailboxes m using (mailbox_id)
           where e.message_id = $1 and m.lifecycle <> 'trashed'"#,
        id as MessageId,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Content {
        sha256: row.sha256,
        trace: row.trace,
        envelope: row.envelope,
        sender_policy: SenderPolicy::from(row.sender_policy),
        auth: row.auth,
        extraction: row.extraction,
        defects: row.defects,
        octets: Octets { encoding: row.encoding, stored: row.octets, size_octets: row.size_octets },
    }))
}

/// What a caller who asks for a code needs, in one round trip: the message of the code, else the newest one.
#[derive(Debug)]
pub struct CodeAnswer {
    /// The mailbox that was asked about.
    pub mailbox_id: MailboxId,
    /// The message; `None` where the mailbox is empty.
    pub found: Option<CodeMessage>,
}

/// The message of a code, else the newest one, with its octets.
#[derive(Debug)]
pub struct CodeMessage {
    /// Identifies it.
    pub id: MessageId,
    /// Whether it is young enough and has a code; otherwise it is the newest.
    pub is_answer: bool,
    /// Its subject.
    pub subject: String,
    /// The author's address.
    pub from_address: String,
    /// The author's name.
    pub from_name: String,
    /// The beginning of its text.
    pub preview: String,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// The code in it, unless the mailbox withholds it.
    pub code: Option<String>,
    /// How sure the code is, from 0 to 1.
    pub code_confidence: Option<f64>,
    /// The link in it, unless the mailbox withholds it.
    pub link: Option<String>,
    /// Whether the author's domain stands for it.
    pub sender_trust: SenderTrust,
    /// Why its code or link is kept back; `None` where it is not.
    pub withheld: Option<SenderPolicy>,
    octets: Octets,
}

impl CodeMessage {
    /// The octets exactly as they were sent.
    pub fn raw(&self) -> Result<Vec<u8>> {
        self.octets.unpacked()
    }
}

/// The newest message with a code, not older than `seconds`, among the ten newest of a mailbox; without one, the newest
/// message. One that is withheld counts only where there is no other. Messages that are kept apart count only where `quarantined`. `None` where there is no such mailbox.
pub async fn code_answer(
    db: &mut PgConnection,
    mailbox: &Address,
    seconds: i64,
    quarantined: bool,
) -> Result<Option<CodeAnswer>> {
    // The ten stands in the statement: with a parameter, PostgreSQL guesses a tenth of the mailbox and plans anew each time.
    let row = sqlx::query!(
        r#"select m.mailbox_id as "mailbox_id: MailboxId", e.message_id as "id?: MessageId", e.is_answer as "is_answer?",
               e.subject as "subject?", e.from_address as "from_address?", e.from_name as "from_name?", e.preview as "preview?",
               e.received_at as "received_at?: Timestamp", case when not e.withheld then e.code end as code,
               round(case when not e.withheld then e.code_confidence end::numeric, 3)::float8 as code_confidence,
               case when not e.withheld then e.link end as link, e.sender_trust as "sender_trust?",
               case when e.withheld then m.sender_policy end as "withheld?",
               c.encoding as "encoding?", c.octets as "octets?", c.size_octets as "size_octets?"
           from mailboxes m
           left join lateral (
               select n.*, a.is_answer, a.withheld
               from (select * from messages where mailbox_id = m.mailbox_id and (not is_quarantined or $3)
                   order by message_id desc limit 10) n
               cross join lateral (
                   select n.code is not null and n.received_at >= now() - make_interval(secs => $2) as is_answer,
                       withholds(m.sender_policy, n.sender_trust) and (n.code is not null or n.link is not null) as withheld
               ) a
               -- A forged code that came later hides no code that is given out.
               order by (a.is_answer and not a.withheld) desc, a.is_answer desc, n.message_id desc limit 1
           ) e on true
           left join contents c on c.content_id = e.content_id
           where m.address = $1 and m.lifecycle <> 'trashed'"#,
        mailbox.as_str(),
        f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)),
        quarantined,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| CodeAnswer {
        mailbox_id: row.mailbox_id,
        found: row.id.zip(row.received_at).map(|(id, received_at)| CodeMessage {
            id,
            is_answer: row.is_answer.unwrap_or(false),
            subject: row.subject.unwrap_or_default(),
            from_address: row.from_address.unwrap_or_default(),
            from_name: row.from_name.unwrap_or_default(),
            preview: row.preview.unwrap_or_default(),
            received_at,
            code: row.code,
            code_confidence: row.code_confidence,
            link: row.link,
            sender_trust: row.sender_trust.map(SenderTrust::from).unwrap_or_default(),
            withheld: row.withheld.map(SenderPolicy::from),
            octets: Octets {
                encoding: row.encoding.unwrap_or_default(),
                stored: row.octets.unwrap_or_default(),
                size_octets: row.size_octets.unwrap_or(0),
            },
        }),
    }))
}

/// Changes to a message's marks; `None` leaves one as it is.
#[derive(Debug, Default, Clone, Copy)]
pub struct Marks {
    /// Whether it is read.
    pub is_read: Option<bool>,
    /// Whether it is starred.
    pub is_starred: Option<bool>,
}

/// Sets marks of messages and keeps the count of unread ones; answers with how many messages there were.
pub async fn mark(db: &mut PgConnection, ids: &[Uuid], marks: Marks) -> Result<i64> {
    let changed = sqlx::query_scalar!(
        r#"with before as (
               select e.message_id, e.mailbox_id, e.is_read, e.is_quarantined from messages e join mailboxes m using (mailbox_id)
               where e.message_id = any($1::uuid[]) and m.lifecycle <> 'trashed' order by e.message_id for update of e
           ), changed as (
               update messages e set is_read = coalesce($2, e.is_read), is_starred = coalesce($3, e.is_starred),
                   read_at = case when $2 and not e.is_read then now() when not $2 then null else e.read_at end
               from before b where e.message_id = b.message_id
           ), counted as (
               insert into mailbox_counts (mailbox_id, slot, unread)
               select mailbox_id, 0, sum(case when $2 then -1 else 1 end) from before
               where $2 is not null and is_read is distinct from $2 and not is_quarantined group by mailbox_id order by mailbox_id
               on conflict (mailbox_id, slot) do update set unread = mailbox_counts.unread + excluded.unread
           )
           select count(*) as "count!" from before"#,
        ids,
        marks.is_read,
        marks.is_starred,
    )
    .fetch_one(db)
    .await?;
    Ok(changed)
}

/// Takes messages out of quarantine and counts them; answers with how many there were.
pub async fn release(db: &mut PgConnection, ids: &[Uuid]) -> Result<i64> {
    let released = sqlx::query_scalar!(
        r#"with released as (
               update messages e set is_quarantined = false from mailboxes m
               where e.mailbox_id = m.mailbox_id and e.message_id = any($1::uuid[]) and e.is_quarantined
                   and m.lifecycle <> 'trashed'
               returning e.mailbox_id, e.is_read
           ), counted as (
               insert into mailbox_counts (mailbox_id, slot, messages, unread)
               select mailbox_id, 0, count(*), count(*) filter (where not is_read) from released
               group by mailbox_id order by mailbox_id
               on conflict (mailbox_id, slot) do update
               set messages = mailbox_counts.messages + excluded.messages, unread = mailbox_counts.unread + excluded.unread
           )
           select count(*) as "count!" from released"#,
        ids,
    )
    .fetch_one(db)
    .await?;
    Ok(released)
}

/// Removes messages, keeps the counts, and removes contents that no message has any more; answers with how many it removed.
pub async fn delete(db: &mut PgConnection, ids: &[Uuid]) -> Result<i64> {
    let gone = sqlx::query!(
        r#"with gone as (
               delete from messages e using mailboxes m
               where e.mailbox_id = m.mailbox_id and e.message_id = any($1::uuid[]) and m.lifecycle <> 'trashed'
               returning e.message_id, e.mailbox_id, e.content_id, e.is_read, e.is_quarantined
           ), counted as (
               insert into mailbox_counts (mailbox_id, slot, messages, unread)
               select mailbox_id, 0, -count(*), -count(*) filter (where not is_read) from gone where not is_quarantined
               group by mailbox_id order by mailbox_id
               on conflict (mailbox_id, slot) do update
               set messages = mailbox_counts.messages + excluded.messages, unread = mailbox_counts.unread + excluded.unread
           )
           select content_id as "content_id: ContentId" from gone"#,
        ids,
    )
    .fetch_all(&mut *db)
    .await?;
    let contents: Vec<Uuid> = gone.iter().map(|row| row.content_id.0).collect();
    delete_unused_contents(db, &contents).await?;
    Ok(i64::try_from(contents.len()).unwrap_or(i64::MAX))
}

/// Removes up to `limit` messages of a mailbox for good; answers with how many it removed.
pub async fn delete_some_in(db: &mut PgConnection, mailbox: MailboxId, limit: i64) -> Result<i64> {
    let gone = sqlx::query_scalar!(
        r#"delete from messages where message_id in (select message_id from messages where mailbox_id = $1 limit $2)
           returning content_id"#,
        mailbox as MailboxId,
        limit,
    )
    .fetch_all(&mut *db)
    .await?;
    delete_unused_contents(db, &gone).await?;
    Ok(i64::try_from(gone.len()).unwrap_or(i64::MAX))
}

async fn delete_unused_contents(db: &mut PgConnection, contents: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "delete from contents c where content_id = any($1::uuid[])
         and not exists (select from messages e where e.content_id = c.content_id)",
        contents,
    )
    .execute(db)
    .await?;
    Ok(())
}
