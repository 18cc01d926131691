//! The newest codes of many mailboxes.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{MessageId, SenderPolicy, SenderTrust, Timestamp};

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
    pub sender_trust: SenderTrust,
    /// The mailbox's policy, where it keeps the code back.
    pub withheld: Option<SenderPolicy>,
}

/// For each of these mailboxes the newest message with a code, not older than `seconds`, among its twenty newest; one that is
/// withheld counts only where there is no other. `from` and `subject` are in lower case.
pub async fn newest_in_each(
    db: &mut PgConnection,
    addresses: &[String],
    from: Option<&str>,
    subject: Option<&str>,
    seconds: i64,
) -> Result<Vec<Row>> {
    let rows = sqlx::query!(
        r#"select m.address, coalesce(n.checked, 0) as "checked!", e.message_id as "id?: MessageId", e.subject as "subject?",
               e.from_address as "from_address?", e.from_name as "from_name?", e.received_at as "received_at?: Timestamp",
               case when not w.withheld then e.code end as code,
               round(case when not w.withheld then e.code_confidence end::numeric, 3)::float8 as code_confidence,
               e.sender_trust as "sender_trust?", case when w.withheld then m.sender_policy end as "withheld?"
           from mailboxes m
           cross join lateral (
               select count(*) as checked, array_agg(message_id order by withholds(m.sender_policy, sender_trust), message_id desc)
                   filter (where code is not null and received_at >= now() - make_interval(secs => $4)
                       and ($2::text is null or position($2 in lower(from_address)) > 0 or position($2 in lower(from_name)) > 0)
                       and ($3::text is null or position($3 in lower(subject)) > 0)) as ids
               from (select * from messages where mailbox_id = m.mailbox_id and not is_quarantined order by message_id desc limit 20) newest
           ) n
           left join messages e on e.message_id = n.ids[1]
           cross join lateral (select withholds(m.sender_policy, e.sender_trust) as withheld) w
           where m.address = any($1) and m.lifecycle <> 'trashed'"#,
        addresses,
        from,
        subject,
        f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Row {
            address: row.address,
            checked: row.checked,
            id: row.id,
            subject: row.subject,
            from_address: row.from_address,
            from_name: row.from_name,
            received_at: row.received_at,
            code: row.code,
            code_confidence: row.code_confidence,
            sender_trust: row.sender_trust.map(SenderTrust::from).unwrap_or_default(),
            // Without a message there is nothing that could be kept back.
            withheld: row.withheld.filter(|_| row.id.is_some()).map(SenderPolicy::from),
        })
        .collect())
}
