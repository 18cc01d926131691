//! API keys.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{ApiKey, ApiKeyId, Reach, Scopes, Timestamp};

struct Row {
    id: ApiKeyId,
    name: String,
    prefix: String,
    scopes: Option<Vec<String>>,
    reach_domains: Option<Vec<String>>,
    reach_mailboxes: Option<Vec<String>>,
    reads_per_minute: Option<i32>,
    writes_per_minute: Option<i32>,
    created_by: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        let scopes = match Scopes::from_stored(row.scopes.as_deref()) {
            Scopes::All => None,
            Scopes::Only(list) => Some(list),
        };
        let (domains, mailboxes) = match Reach::from_stored(row.reach_domains.as_deref(), row.reach_mailboxes.as_deref()) {
            Reach::All => (None, None),
            Reach::Only { domains, mailboxes } => (Some(domains), Some(mailboxes)),
        };
        Self {
            id: row.id,
            name: row.name,
            prefix: format!("sk_live_{}", row.prefix),
            scopes,
            domains,
            mailboxes,
            reads_per_minute: row.reads_per_minute,
            writes_per_minute: row.writes_per_minute,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// Keys, newest first, after `after`; `only` narrows to one.
pub async fn list(
    db: &mut PgConnection,
    only: Option<ApiKeyId>,
    after: Option<ApiKeyId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<ApiKey>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select api_key_id as "id: ApiKeyId", name, prefix, scopes, reach_domains, reach_mailboxes,
               reads_per_minute, writes_per_minute, created_by, created_at as "created_at: Timestamp",
               expires_at as "expires_at: Timestamp", last_used_at as "last_used_at: Timestamp",
               revoked_at as "revoked_at: Timestamp"
           from api_keys
           where ($1::uuid is null or api_key_id = $1) and ($2::uuid is null or api_key_id < $2)
           order by api_key_id desc limit $3 offset $4"#,
        only as Option<ApiKeyId>,
        after as Option<ApiKeyId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

/// A key to be made.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct New<'a> {
    pub id: ApiKeyId,
    pub name: &'a str,
    pub prefix: &'a str,
    pub salt: &'a [u8],
    pub secret_digest: &'a [u8],
    pub scopes: Option<Vec<String>>,
    pub reach: &'a Reach,
    pub reads_per_minute: Option<i64>,
    pub writes_per_minute: Option<i64>,
    pub created_by: &'a str,
    pub expires_in_days: Option<i64>,
}

/// Adds a key.
pub async fn insert(db: &mut PgConnection, new: &New<'_>) -> Result<()> {
    let (domains, mailboxes) = new.reach.names().unzip();
    sqlx::query!(
        "insert into api_keys (api_key_id, name, prefix, salt, secret_digest, scopes, created_by, expires_at, reach_domains,
             reach_mailboxes, reads_per_minute, writes_per_minute)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8), $9, $10, $11, $12)",
        new.id as ApiKeyId,
        new.name,
        new.prefix,
        new.salt,
        new.secret_digest,
        new.scopes.as_deref(),
        new.created_by,
        new.expires_in_days.and_then(|days| i32::try_from(days).ok()),
        domains.as_deref(),
        mailboxes.as_deref(),
        new.reads_per_minute.and_then(|pace| i32::try_from(pace).ok()),
        new.writes_per_minute.and_then(|pace| i32::try_from(pace).ok()),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is needed to check a key.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The key's id.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// Belongs to the digest.
    pub salt: Vec<u8>,
    /// Of the secret part.
    pub secret_digest: Vec<u8>,
    /// The stored list of scopes.
    pub scopes: Option<Vec<String>>,
    /// The stored list of domains that it sees.
    pub reach_domains: Option<Vec<String>>,
    /// The stored list of mailboxes that it sees.
    pub reach_mailboxes: Option<Vec<String>>,
    /// How many reads it has a minute, where it is not the default.
    pub reads_per_minute: Option<i32>,
    /// How many writes it has a minute, where it is not the default.
    pub writes_per_minute: Option<i32>,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// Whether its time is over.
    pub is_expired: bool,
    /// Whether its last use is to be noted again.
    pub is_use_stale: bool,
}

/// Finds a key by its prefix.
pub async fn find_by_prefix(db: &mut PgConnection, prefix: &str) -> Result<Option<Credentials>> {
    let row = sqlx::query_as!(
        Credentials,
        r#"select api_key_id as "id: ApiKeyId", name, salt, secret_digest, scopes, reach_domains, reach_mailboxes,
               reads_per_minute, writes_per_minute, revoked_at is not null as "is_revoked!",
               coalesce(expires_at <= now(), false) as "is_expired!",
               coalesce(last_used_at < now() - interval '1 minute', true) as "is_use_stale!"
           from api_keys where prefix = $1"#,
        prefix,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Notes that a key was used just now.
pub async fn note_use(db: &mut PgConnection, id: ApiKeyId) -> Result<()> {
    sqlx::query!("update api_keys set last_used_at = now() where api_key_id = $1", id as ApiKeyId).execute(db).await?;
    Ok(())
}

/// Revokes a key; false where there is none. A key that is revoked keeps the time of the first revocation.
pub async fn revoke(db: &mut PgConnection, id: ApiKeyId) -> Result<bool> {
    let done = sqlx::query!("update api_keys set revoked_at = coalesce(revoked_at, now()) where api_key_id = $1", id as ApiKeyId)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a key; false where there is none.
pub async fn delete(db: &mut PgConnection, id: ApiKeyId) -> Result<bool> {
    let done = sqlx::query!("delete from api_keys where api_key_id = $1", id as ApiKeyId).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
