//! Certificates that an authority issued, and what an order needs meanwhile.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::Timestamp;

/// A certificate with its key, sealed.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Identifies it, and seals its key.
    pub id: Uuid,
    /// The names that were asked for.
    pub names: Vec<String>,
    /// The chain in PEM, its own certificate first.
    pub chain_pem: String,
    /// The key in PEM, sealed.
    pub sealed_key: Vec<u8>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
}

/// The newest certificate.
pub async fn newest(db: &mut PgConnection) -> Result<Option<Issued>> {
    let found = sqlx::query_as!(
        Issued,
        r#"select certificate_id as id, names, chain_pem, sealed_key, not_before as "not_before: Timestamp",
               not_after as "not_after: Timestamp"
           from certificates order by created_at desc, certificate_id desc limit 1"#
    )
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Keeps a certificate, and removes those that expired a month ago.
pub async fn insert(db: &mut PgConnection, issued: &Issued) -> Result<()> {
    sqlx::query!(
        "with expired as (delete from certificates where not_after < now() - interval '30 days')
         insert into certificates (certificate_id, names, chain_pem, sealed_key, not_before, not_after)
         values ($1, $2, $3, $4, $5, $6)",
        issued.id,
        &issued.names,
        issued.chain_pem,
        issued.sealed_key,
        issued.not_before as Timestamp,
        issued.not_after as Timestamp,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How things stand with an authority.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The account, sealed.
    pub sealed_account: Option<Vec<u8>>,
    /// How many attempts failed since the last success.
    pub failures_in_a_row: i32,
}

/// Claims the right to order for ten minutes; `None` where another node has it, or the next attempt is yet to come.
pub async fn claim(db: &mut PgConnection, directory: &str) -> Result<Option<Authority>> {
    sqlx::query!("insert into acme_authorities (directory) values ($1) on conflict do nothing", directory)
        .execute(&mut *db)
        .await?;
    let claimed = sqlx::query_as!(
        Authority,
        "update acme_authorities set claimed_until = now() + interval '10 minutes', last_attempt_at = now()
         where directory = $1 and next_attempt_at <= now() and (claimed_until is null or claimed_until < now())
         returning sealed_account, failures_in_a_row",
        directory,
    )
    .fetch_optional(db)
    .await?;
    Ok(claimed)
}

/// Keeps the account.
pub async fn keep_account(db: &mut PgConnection, directory: &str, sealed: &[u8]) -> Result<()> {
    sqlx::query!("update acme_authorities set sealed_account = $2 where directory = $1", directory, sealed).execute(db).await?;
    Ok(())
}

/// Ends an attempt: a success, or what went wrong and in how many seconds to try again. Its challenges go.
pub async fn release(db: &mut PgConnection, directory: &str, failure: Option<(&str, f64)>) -> Result<()> {
    let (error, pause) = failure.map_or((None, 0.0), |(error, pause)| (Some(error), pause));
    sqlx::query!(
        "with gone as (delete from acme_challenges)
         update acme_authorities set claimed_until = null, last_error = $2, next_attempt_at = now() + make_interval(secs => $3),
             failures_in_a_row = case when $2::text is null then 0 else failures_in_a_row + 1 end
         where directory = $1",
        directory,
        error,
        pause,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts up what the authority will fetch.
pub async fn put_challenge(db: &mut PgConnection, token: &str, key_authorization: &str) -> Result<()> {
    sqlx::query!(
        "insert into acme_challenges (token, key_authorization) values ($1, $2)
         on conflict (token) do update set key_authorization = excluded.key_authorization, created_at = now()",
        token,
        key_authorization,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was put up under a token.
pub async fn challenge(db: &mut PgConnection, token: &str) -> Result<Option<String>> {
    let found =
        sqlx::query_scalar!("select key_authorization from acme_challenges where token = $1", token).fetch_optional(db).await?;
    Ok(found)
}

/// The domains that serve a policy, whose policy hosts need a certificate.
pub async fn domains_with_policy(db: &mut PgConnection) -> Result<Vec<String>> {
    let names =
        sqlx::query_scalar!("select name from domains where mta_sts <> 'none' order by name limit 90").fetch_all(db).await?;
    Ok(names)
}
