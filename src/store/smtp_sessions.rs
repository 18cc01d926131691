//! The ledger of SMTP sessions.

use std::net::IpAddr;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{Address, ContentId, MessageId, SessionId, SmtpSession, SmtpStored, SmtpTransaction, Timestamp};

/// A session to be written down. Its texts hold no NUL.
#[derive(Debug, Clone)]
pub struct New {
    /// What lists show. Senders and recipients are in lower case.
    pub session: SmtpSession,
    /// What was said in each transaction.
    pub transactions: Vec<SmtpTransaction>,
    /// The codes of all replies to senders, recipients and messages, and of the one that decided, each once.
    pub reply_codes: Vec<i16>,
}

impl New {
    fn as_json(&self) -> serde_json::Value {
        let session = &self.session;
        let content_ids: Vec<ContentId> = self.transactions.iter().filter_map(|transaction| transaction.content_id).collect();
        serde_json::json!({
            "smtp_session_id": session.id,
            "began_at": session.began_at.0,
            "ended_at": session.ended_at.0,
            "address": session.address,
            "proxy": session.proxy,
            "reverse_name": session.reverse_name,
            "helo": session.helo,
            "tls": session.tls,
            "stage": session.stage,
            "outcome": session.outcome,
            "reason": session.reason,
            "reply_code": session.reply_code,
            "reply_text": session.reply_text,
            "octets_in": session.octets_in,
            "octets_out": session.octets_out,
            "commands": session.commands,
            "errors": session.errors,
            "messages": session.messages,
            "recipients_named": session.recipients_named,
            "transactions": self.transactions,
            "senders": session.senders,
            "recipients": session.recipients,
            "reply_codes": self.reply_codes,
            "content_ids": content_ids,
        })
    }
}

/// Writes sessions down, with one statement. One that is there already stays as it is.
pub async fn insert(db: &mut PgConnection, sessions: &[New]) -> Result<(), sqlx::Error> {
    let rows = serde_json::Value::Array(sessions.iter().map(New::as_json).collect());
    sqlx::query!(
        "insert into smtp_sessions
         select * from jsonb_populate_recordset(null::smtp_sessions, $1)
         on conflict do nothing",
        rows,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a listing of sessions is narrowed by.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// From this address on, up to that one.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// With this sender, in lower case.
    pub sender: Option<String>,
    /// With this recipient, in lower case.
    pub recipient: Option<String>,
    /// With this code as the reply that decided, or as the reply to a sender, a recipient or a message.
    pub reply_code: Option<i16>,
    /// With this outcome.
    pub outcome: Option<&'static str>,
    /// That began then or later.
    pub since: Option<Timestamp>,
    /// That began before then.
    pub until: Option<Timestamp>,
}

/// The key that sorts before all sessions of a millisecond or later.
fn key_at(time: Timestamp) -> SessionId {
    let millis = u64::try_from(time.0.timestamp_millis()).unwrap_or(0);
    SessionId(Uuid::from_u128(u128::from(millis & 0xffff_ffff_ffff) << 80))
}

/// Sessions, newest first, after `after`. Of senders and recipients, the first five are there.
pub async fn list(
    db: &mut PgConnection,
    filter: &Filter,
    after: Option<SessionId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<SmtpSession>> {
    let (first, last) = filter.addresses.map_or((None, None), |(first, last)| (Some(first.to_string()), Some(last.to_string())));
    let rows = sqlx::query_as!(
        SmtpSession,
        r#"select smtp_session_id as "id: SessionId", began_at as "began_at: Timestamp", ended_at as "ended_at: Timestamp",
               (extract(epoch from ended_at - began_at) * 1000)::bigint as "duration_ms!", host(address) as "address!",
               host(proxy) as proxy, reverse_name, helo, tls, stage, outcome, reason, reply_code, reply_text, octets_in, octets_out,
               commands, errors, messages, recipients_named, senders[1:5] as "senders!", recipients[1:5] as "recipients!"
           from smtp_sessions
           where ($1::uuid is null or smtp_session_id < $1)
               and ($2::text is null or address between $2::text::inet and $3::text::inet)
               and ($4::text is null or senders @> array[$4])
               and ($5::text is null or recipients @> array[$5])
               and ($6::smallint is null or reply_codes @> array[$6])
               and ($7::text is null or outcome = $7)
               and ($8::uuid is null or smtp_session_id >= $8)
               and ($9::uuid is null or smtp_session_id < $9)
           order by smtp_session_id desc limit $10 offset $11"#,
        after as Option<SessionId>,
        first,
        last,
        filter.sender.as_deref(),
        filter.recipient.as_deref(),
        filter.reply_code,
        filter.outcome,
        filter.since.map(key_at) as Option<SessionId>,
        filter.until.map(key_at) as Option<SessionId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A session with its transactions.
pub async fn find(db: &mut PgConnection, id: SessionId) -> Result<Option<(SmtpSession, Vec<SmtpTransaction>)>> {
    let session = sqlx::query_as!(
        SmtpSession,
        r#"select smtp_session_id as "id: SessionId", began_at as "began_at: Timestamp", ended_at as "ended_at: Timestamp",
               (extract(epoch from ended_at - began_at) * 1000)::bigint as "duration_ms!", host(address) as "address!",
               host(proxy) as proxy, reverse_name, helo, tls, stage, outcome, reason, reply_code, reply_text, octets_in, octets_out,
               commands, errors, messages, recipients_named, senders, recipients
           from smtp_sessions where smtp_session_id = $1"#,
        id as SessionId,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(session) = session else { return Ok(None) };
    let transactions = sqlx::query_scalar!("select transactions from smtp_sessions where smtp_session_id = $1", id as SessionId)
        .fetch_optional(db)
        .await?;
    // What an older version wrote in another form is left out rather than failing the whole.
    let transactions = transactions.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
    Ok(Some((session, transactions)))
}

/// The messages that a session stored and that are still there, outside the trash.
pub async fn stored(db: &mut PgConnection, id: SessionId) -> Result<Vec<SmtpStored>> {
    let rows = sqlx::query_as!(
        SmtpStored,
        r#"select e.message_id as "message_id: MessageId", e.content_id as "content_id: ContentId", m.address as "mailbox: Address"
           from smtp_sessions s join messages e on e.content_id = any(s.content_ids) join mailboxes m using (mailbox_id)
           where s.smtp_session_id = $1 and m.lifecycle <> 'trashed'
           order by e.message_id limit 500"#,
        id as SessionId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Deletes sessions that began before a time, oldest first, at most so many. Answers how many they were.
pub async fn delete_before(db: &mut PgConnection, time: Timestamp, most: i64) -> Result<u64> {
    let deleted = sqlx::query!(
        "delete from smtp_sessions where smtp_session_id in
             (select smtp_session_id from smtp_sessions where smtp_session_id < $1 order by smtp_session_id limit $2)",
        key_at(time) as SessionId,
        most,
    )
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
