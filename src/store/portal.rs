//! Sessions of those who read mail without being administrators.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{AccessLinkId, Address, MailboxId, PrincipalId, SessionId};

/// Whose session it is.
#[derive(Debug, Clone, Copy)]
pub enum Holder {
    /// A user's.
    User(PrincipalId),
    /// That of a mailbox's password.
    Mailbox(MailboxId),
    /// That of an access link.
    Link(AccessLinkId),
}

/// A session to be made.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose it is.
    pub holder: Holder,
    /// Of the cookie's token.
    pub token_digest: &'a [u8],
    /// The browser's network address.
    pub remote_address: &'a str,
    /// What the browser calls itself.
    pub user_agent: &'a str,
    /// How long it lasts.
    pub lifetime_seconds: f64,
}

/// Adds a session and notes the sign-in.
pub async fn insert_session(db: &mut PgConnection, new: &NewSession<'_>) -> Result<SessionId> {
    let id = SessionId::generate();
    let (user, mailbox, link) = match new.holder {
        Holder::User(id) => (Some(id), None, None),
        Holder::Mailbox(id) => (None, Some(id), None),
        Holder::Link(id) => (None, None, Some(id)),
    };
    sqlx::query!(
        "with user_signed_in as (update principals set last_login_at = now() where principal_id = $3),
         mailbox_signed_in as (update mailboxes set last_login_at = now() where mailbox_id = $4)
         insert into sessions (session_id, token_digest, principal_id, mailbox_id, access_link_id, remote_address, user_agent,
             expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))",
        id as SessionId,
        new.token_digest,
        user as Option<PrincipalId>,
        mailbox as Option<MailboxId>,
        link as Option<AccessLinkId>,
        new.remote_address,
        new.user_agent,
        new.lifetime_seconds,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// A session with what its holder is called and sees. One of the three is there.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of the tables, documented in the migrations")]
pub struct SessionRow {
    pub id: SessionId,
    pub user_id: Option<PrincipalId>,
    pub user_name: Option<String>,
    pub mailbox_id: Option<MailboxId>,
    pub link_id: Option<AccessLinkId>,
    pub address: Option<Address>,
}

/// The session of a token, while it and its holder are good.
pub async fn find_session(db: &mut PgConnection, token_digest: &[u8]) -> Result<Option<SessionRow>> {
    let row = sqlx::query_as!(
        SessionRow,
        r#"select s.session_id as "id: SessionId", p.principal_id as "user_id?: PrincipalId", p.display_name as "user_name?",
               s.mailbox_id as "mailbox_id: MailboxId", s.access_link_id as "link_id: AccessLinkId",
               m.address as "address?: Address"
           from sessions s
           left join principals p on p.principal_id = s.principal_id and p.kind = 'user' and p.is_active
               and (p.token_expires_at is null or p.token_expires_at > now())
           left join access_links l on l.access_link_id = s.access_link_id and l.revoked_at is null
               and (l.expires_at is null or l.expires_at > now())
           left join mailboxes m on m.mailbox_id = coalesce(s.mailbox_id, l.mailbox_id) and m.lifecycle = 'active'
               and (m.expires_at is null or m.expires_at > now())
           where s.token_digest = $1 and s.expires_at > now() and (p.principal_id is not null or m.mailbox_id is not null)"#,
        token_digest,
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Ends the session of a token.
pub async fn delete_session(db: &mut PgConnection, id: SessionId) -> Result<()> {
    sqlx::query!("delete from sessions where session_id = $1", id as SessionId).execute(db).await?;
    Ok(())
}

/// Ends all sessions of a mailbox's password.
pub async fn delete_mailbox_sessions(db: &mut PgConnection, mailbox: MailboxId) -> Result<()> {
    sqlx::query!("delete from sessions where mailbox_id = $1", mailbox as MailboxId).execute(db).await?;
    Ok(())
}

/// What signing in to a mailbox needs to know.
#[derive(Debug)]
pub struct MailboxSignIn {
    /// The mailbox.
    pub id: MailboxId,
    /// Its password's hash, where it has one.
    pub password_hash: Option<String>,
}

/// A mailbox that is in use, by its address.
pub async fn find_mailbox(db: &mut PgConnection, address: &Address) -> Result<Option<MailboxSignIn>> {
    let row = sqlx::query_as!(
        MailboxSignIn,
        r#"select mailbox_id as "id: MailboxId", password_hash from mailboxes
           where address = $1 and lifecycle = 'active' and (expires_at is null or expires_at > now())"#,
        address.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// Sets a mailbox's password, outside the trash; false where there is none.
pub async fn set_mailbox_password(
    db: &mut PgConnection,
    mailbox: MailboxId,
    password_hash: &str,
    sealed: Option<&[u8]>,
) -> Result<()> {
    sqlx::query!(
        "update mailboxes set password_hash = $2, sealed_password = $3 where mailbox_id = $1",
        mailbox as MailboxId,
        password_hash,
        sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the sealed copies of all mailbox passwords; answers with how many there were.
pub async fn forget_readable_passwords(db: &mut PgConnection) -> Result<i64> {
    let done = sqlx::query!("update mailboxes set sealed_password = null where sealed_password is not null").execute(db).await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}

/// A mailbox's password as it is kept.
#[derive(Debug)]
pub struct KeptPassword {
    /// Whether it has one.
    pub is_set: bool,
    /// The sealed copy, where there is one.
    pub sealed: Option<Vec<u8>>,
}

/// A mailbox's password as it is kept; `None` where there is no such mailbox outside the trash.
pub async fn kept_password(db: &mut PgConnection, address: &Address) -> Result<Option<KeptPassword>> {
    let row = sqlx::query_as!(
        KeptPassword,
        r#"select password_hash is not null as "is_set!", sealed_password as sealed from mailboxes
           where address = $1 and lifecycle <> 'trashed'"#,
        address.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}
