//! The newest codes of many mailboxes.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{MessageId, Timestamp};

/// The newest code of a mailbox outside the trash; without one, only how many messages were looked at.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct Row {
    pub address: String,
    pub checked: i64,
    pub id: Option<MessageId>,
    pub subject: Option<String>,
    pub from_address: Option<String>,
    pub from_name: Option<String>,
    pub received_at: Option<Timestamp>,
    pub code: Option<String>,
    pub code_confidence: Option<f64>,
}

/// For each of these mailboxes the newest message with a code that is given out, not older than `seconds`, among its twenty newest; `from` and
/// `subject` are in lower case.
pub async fn newest_in_each(
    db: &mut PgConnection,
    addresses: &[String],
    from: Option<&str>,
    subject: Option<&str>,
    seconds: i64,
) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.address, coalesce(n.checked, 0) as "checked!", e.message_id as "id?: MessageId", e.subject as "subject?",
               e.from_address as "from_address?", e.from_name as "from_name?", e.received_at as "received_at?: Timestamp",
               e.code, round(e.code_confidence::numeric, 3)::float8 as code_confidence
           from mailboxes m
           cross join lateral (
               select count(*) as checked, array_agg(message_id order by message_id desc) filter (
                   where code is not null and not withholds(m.sender_policy, sender_trust) and received_at >= now() - make_interval(secs => $4)
                       and ($2::text is null or position($2 in lower(from_address)) > 0 or position($2 in lower(from_name)) > 0)
                       and ($3::text is null or position($3 in lower(subject)) > 0)) as ids
               from (select * from messages where mailbox_id = m.mailbox_id and not is_quarantined order by message_id desc limit 20) newest
           ) n
           left join messages e on e.message_id = n.ids[1]
           where m.address = any($1) and m.lifecycle <> 'trashed'"#,
        addresses,
        from,
        subject,
        f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)),
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
