//! Accounts, their sessions, and one-time links.

use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store::OnConstraint as _;
use crate::types::{PrincipalId, SessionId, Timestamp};

/// Whether there is an administrator.
pub async fn has_admin(db: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists (select from principals where kind = 'admin') as "exists!""#).fetch_one(db).await?)
}

/// Waits until no other transaction is deciding about the first administrator.
pub async fn lock_setup(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("lock table principals in share row exclusive mode").execute(db).await?;
    Ok(())
}

/// Adds an administrator; `Conflict` where the name is taken.
pub async fn insert_admin(db: &mut PgConnection, username: &str, password_hash: &str) -> Result<PrincipalId> {
    let id = PrincipalId::generate();
    sqlx::query!(
        "insert into principals (principal_id, kind, username, password_hash) values ($1, 'admin', $2, $3)",
        id as PrincipalId,
        username,
        password_hash,
    )
    .execute(db)
    .await
    .on_constraint("principals_username_key", || {
        Error::conflict("username_taken", format!("There is an account {username} already."))
    })?;
    Ok(id)
}

/// What signing in needs to know of an account.
#[derive(Debug)]
pub struct SignInRow {
    /// The account.
    pub id: PrincipalId,
    /// Its password's hash, where it has one.
    pub password_hash: Option<String>,
    /// Whether it may sign in.
    pub is_active: bool,
}

/// An administrator by name.
pub async fn find_admin(db: &mut PgConnection, username: &str) -> Result<Option<SignInRow>> {
    let row = sqlx::query_as!(
        SignInRow,
        r#"select principal_id as "id: PrincipalId", password_hash, is_active from principals
           where username = $1 and kind = 'admin'"#,
        username,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Sets an account's password.
pub async fn set_password(db: &mut PgConnection, id: PrincipalId, password_hash: &str) -> Result<()> {
    sqlx::query!("update principals set password_hash = $2 where principal_id = $1", id as PrincipalId, password_hash)
        .execute(db)
        .await?;
    Ok(())
}

/// A session to be made.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct NewSession<'a> {
    pub token_digest: &'a [u8],
    pub principal_id: PrincipalId,
    pub remote_address: &'a str,
    pub user_agent: &'a str,
    pub lifetime_seconds: f64,
}

/// Adds a session, notes the sign-in, and drops sessions whose time is over.
pub async fn insert_session(db: &mut PgConnection, new: &NewSession<'_>) -> Result<SessionId> {
    let id = SessionId::generate();
    sqlx::query!(
        "with signed_in as (update principals set last_login_at = now() where principal_id = $3),
         over as (delete from sessions where expires_at <= now())
         insert into sessions (session_id, token_digest, principal_id, remote_address, user_agent, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
        id as SessionId,
        new.token_digest,
        new.principal_id as PrincipalId,
        new.remote_address,
        new.user_agent,
        new.lifetime_seconds,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// A signed-in browser, as its owner sees it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct Session {
    pub id: SessionId,
    pub principal_id: PrincipalId,
    pub username: String,
    pub remote_address: String,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The session of a token, while it and its account are good.
pub async fn find_session(db: &mut PgConnection, token_digest: &[u8]) -> Result<Option<Session>> {
    let row = sqlx::query_as!(
        Session,
        r#"select s.session_id as "id: SessionId", p.principal_id as "principal_id: PrincipalId", p.username, s.remote_address,
               s.user_agent, s.created_at as "created_at: Timestamp", s.last_seen_at as "last_seen_at: Timestamp",
               s.expires_at as "expires_at: Timestamp"
           from sessions s join principals p using (principal_id)
           where s.token_digest = $1 and s.expires_at > now() and p.is_active and p.kind = 'admin'"#,
        token_digest,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Notes that a session is in use; to the minute.
pub async fn touch_session(db: &mut PgConnection, id: SessionId) -> Result<()> {
    sqlx::query!(
        "update sessions set last_seen_at = now() where session_id = $1 and last_seen_at < now() - interval '1 minute'",
        id as SessionId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The sessions of an account, the one used last first.
pub async fn list_sessions(db: &mut PgConnection, principal: PrincipalId) -> Result<Vec<Session>> {
    let rows = sqlx::query_as!(
        Session,
        r#"select s.session_id as "id: SessionId", p.principal_id as "principal_id: PrincipalId", p.username, s.remote_address,
               s.user_agent, s.created_at as "created_at: Timestamp", s.last_seen_at as "last_seen_at: Timestamp",
               s.expires_at as "expires_at: Timestamp"
           from sessions s join principals p using (principal_id)
           where s.principal_id = $1 and s.expires_at > now()
           order by s.last_seen_at desc limit 100"#,
        principal as PrincipalId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Ends a session of an account; false where there is none.
pub async fn delete_session(db: &mut PgConnection, principal: PrincipalId, id: SessionId) -> Result<bool> {
    let done = sqlx::query!(
        "delete from sessions where session_id = $1 and principal_id = $2",
        id as SessionId,
        principal as PrincipalId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of an account but one.
pub async fn delete_other_sessions(db: &mut PgConnection, principal: PrincipalId, keep: SessionId) -> Result<()> {
    sqlx::query!(
        "delete from sessions where principal_id = $1 and session_id <> $2",
        principal as PrincipalId,
        keep as SessionId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces the setup links by one that is good for half an hour.
pub async fn replace_setup_link(db: &mut PgConnection, token_digest: &[u8]) -> Result<()> {
    sqlx::query!("delete from one_time_links where purpose = 'setup'").execute(&mut *db).await?;
    sqlx::query!(
        "insert into one_time_links (token_digest, purpose, expires_at) values ($1, 'setup', now() + interval '30 minutes')",
        token_digest,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a setup link is good.
pub async fn has_setup_link(db: &mut PgConnection, token_digest: &[u8]) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from one_time_links where token_digest = $1 and purpose = 'setup' and expires_at > now()) as "exists!""#,
        token_digest,
    )
    .fetch_one(db)
    .await?;
    Ok(found)
}

/// Uses setup links up.
pub async fn delete_setup_links(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("delete from one_time_links where purpose = 'setup'").execute(db).await?;
    Ok(())
}
