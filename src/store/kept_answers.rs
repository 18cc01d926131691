//! Answers that are kept for requests with an `Idempotency-Key`.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::ApiKeyId;

/// How long an answer is kept, in hours.
const KEPT_HOURS: i32 = 24;

/// What is known of a word that a caller used before.
#[derive(Debug)]
pub struct Row {
    /// Of route and input of the request that used it first.
    pub fingerprint: Vec<u8>,
    /// The answer's status; none while the request is being done.
    pub status: Option<i16>,
    /// The answer's body, sealed.
    pub sealed_body: Option<Vec<u8>>,
    /// Whether the request began so long ago that it cannot be under way any more.
    pub is_stale: bool,
}

/// Takes a word for a request that begins now; false where it is taken. Drops some answers whose time is over.
pub async fn claim(db: &mut PgConnection, owner: ApiKeyId, word: &str, fingerprint: &[u8]) -> Result<bool> {
    let done = sqlx::query!(
        "with over as (
             delete from kept_answers where (api_key_id, idempotency_key) in (
                 select api_key_id, idempotency_key from kept_answers
                 where started_at < now() - make_interval(hours => $4) and (api_key_id, idempotency_key) <> ($1, $2)
                 order by started_at limit 100 for update skip locked)
         )
         insert into kept_answers as k (api_key_id, idempotency_key, fingerprint) values ($1, $2, $3)
         on conflict (api_key_id, idempotency_key) do update
             set fingerprint = excluded.fingerprint, started_at = now(), status = null, sealed_body = null
             where k.started_at < now() - make_interval(hours => $4)",
        owner as ApiKeyId,
        word,
        fingerprint,
        KEPT_HOURS,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is known of a word.
pub async fn find(db: &mut PgConnection, owner: ApiKeyId, word: &str) -> Result<Option<Row>> {
    let row = sqlx::query_as!(
        Row,
        r#"select fingerprint, status, sealed_body, started_at < now() - interval '15 minutes' as "is_stale!"
           from kept_answers where api_key_id = $1 and idempotency_key = $2"#,
        owner as ApiKeyId,
        word,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Keeps the answer of a request that is done.
pub async fn keep(db: &mut PgConnection, owner: ApiKeyId, word: &str, status: i16, sealed_body: &[u8]) -> Result<()> {
    sqlx::query!(
        "update kept_answers set status = $3, sealed_body = $4 where api_key_id = $1 and idempotency_key = $2",
        owner as ApiKeyId,
        word,
        status,
        sealed_body,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a word back, because its request changed nothing and may be sent again.
pub async fn release(db: &mut PgConnection, owner: ApiKeyId, word: &str) -> Result<()> {
    sqlx::query!("delete from kept_answers where api_key_id = $1 and idempotency_key = $2", owner as ApiKeyId, word)
        .execute(db)
        .await?;
    Ok(())
}
