//! Users, and which mailboxes they see.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{Address, MailboxId, Member, PrincipalId, Timestamp, User};

/// What a listing of users is narrowed by.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Just this one.
    pub id: Option<PrincipalId>,
    /// Just the one with this token, while the token and the user are good.
    pub token_digest: Option<&'a [u8]>,
    /// Just those that may sign in, or just those that may not.
    pub is_active: Option<bool>,
    /// Those whose name or note contains this text.
    pub text: Option<&'a str>,
}

/// Users, newest first, after `after`.
pub async fn list(
    db: &mut PgConnection,
    filter: &Filter<'_>,
    after: Option<PrincipalId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<User>> {
    let rows = sqlx::query_as!(
        User,
        r#"select p.principal_id as "id: PrincipalId", p.display_name as name, p.note, p.is_active,
               (select count(*) from mailboxes m where m.owner_id = p.principal_id and m.lifecycle <> 'trashed')
               + (select count(*) from mailbox_members s join mailboxes m using (mailbox_id)
                  where s.principal_id = p.principal_id and m.lifecycle <> 'trashed') as "mailbox_count!",
               p.created_at as "created_at: Timestamp", p.last_login_at as "last_login_at: Timestamp",
               p.token_made_at as "token_made_at: Timestamp", p.token_expires_at as "token_expires_at: Timestamp"
           from principals p
           where p.kind = 'user' and ($1::uuid is null or p.principal_id = $1)
               and ($2::bytea is null or (p.token_digest = $2 and p.is_active
                   and (p.token_expires_at is null or p.token_expires_at > now())))
               and ($3::bool is null or p.is_active = $3)
               and ($4::text is null or position(lower($4) in lower(p.display_name)) > 0
                   or position(lower($4) in lower(p.note)) > 0)
               and ($5::uuid is null or p.principal_id < $5)
           order by p.principal_id desc limit $6 offset $7"#,
        filter.id as Option<PrincipalId>,
        filter.token_digest,
        filter.is_active,
        filter.text,
        after as Option<PrincipalId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A user by its id.
pub async fn find(db: &mut PgConnection, id: PrincipalId) -> Result<Option<User>> {
    Ok(list(db, &Filter { id: Some(id), ..Filter::default() }, None, 1, 0).await?.pop())
}

/// A user's token as it is stored.
#[derive(Debug)]
pub struct Token<'a> {
    /// Its digest.
    pub digest: &'a [u8],
    /// After how many days it is refused; `None` means never.
    pub expires_in_days: Option<i64>,
}

/// Adds a user.
pub async fn insert(db: &mut PgConnection, name: &str, note: &str, token: &Token<'_>) -> Result<PrincipalId> {
    let id = PrincipalId::generate();
    sqlx::query!(
        "insert into principals (principal_id, kind, username, display_name, note, token_digest, token_made_at, token_expires_at)
         values ($1, 'user', $6, $2, $3, $4, now(), now() + make_interval(days => $5))",
        id as PrincipalId,
        name,
        note,
        token.digest,
        token.expires_in_days.and_then(|days| i32::try_from(days).ok()),
        // No name that an administrator can have.
        format!("user: {id}"),
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Changes a user; `None` leaves a property as it is. False where there is none. One that may not sign in has no sessions.
pub async fn update(
    db: &mut PgConnection,
    id: PrincipalId,
    name: Option<&str>,
    note: Option<&str>,
    is_active: Option<bool>,
) -> Result<bool> {
    let done = sqlx::query!(
        "with ended as (delete from sessions where principal_id = $1 and not coalesce($4, true)
             and exists (select from principals where principal_id = $1 and kind = 'user'))
         update principals set display_name = coalesce($2, display_name), note = coalesce($3, note),
             is_active = coalesce($4, is_active)
         where principal_id = $1 and kind = 'user'",
        id as PrincipalId,
        name,
        note,
        is_active,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a user another token, and ends the sessions that the old one began; false where there is no such user.
pub async fn replace_token(db: &mut PgConnection, id: PrincipalId, token: &Token<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "with ended as (delete from sessions where principal_id = $1
             and exists (select from principals where principal_id = $1 and kind = 'user'))
         update principals set token_digest = $2, token_made_at = now(), token_expires_at = now() + make_interval(days => $3)
         where principal_id = $1 and kind = 'user'",
        id as PrincipalId,
        token.digest,
        token.expires_in_days.and_then(|days| i32::try_from(days).ok()),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a user; its mailboxes have no owner then. False where there is none.
pub async fn delete(db: &mut PgConnection, id: PrincipalId) -> Result<bool> {
    let done =
        sqlx::query!("delete from principals where principal_id = $1 and kind = 'user'", id as PrincipalId).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// The addresses of the mailboxes that a user sees, outside the trash.
pub async fn addresses(db: &mut PgConnection, id: PrincipalId) -> Result<Vec<Address>> {
    let rows = sqlx::query_scalar!(
        r#"select address as "address!: Address" from mailboxes where owner_id = $1 and lifecycle <> 'trashed'
           union
           select m.address from mailbox_members s join mailboxes m using (mailbox_id)
           where s.principal_id = $1 and m.is_shared and m.lifecycle <> 'trashed'"#,
        id as PrincipalId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Gives mailboxes outside the trash that are not shared an owner, or takes it; answers with the addresses it did so for.
pub async fn assign(db: &mut PgConnection, addresses: &[String], owner: Option<PrincipalId>) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar!(
        "update mailboxes set owner_id = $2
         where address = any($1) and not is_shared and lifecycle not in ('trashed', 'collected') returning address",
        addresses,
        owner as Option<PrincipalId>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Makes a mailbox shared: its owner becomes a member.
pub async fn share(db: &mut PgConnection, id: MailboxId) -> Result<()> {
    sqlx::query!(
        "insert into mailbox_members (mailbox_id, principal_id)
         select mailbox_id, owner_id from mailboxes where mailbox_id = $1 and owner_id is not null
         on conflict do nothing",
        id as MailboxId,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("update mailboxes set is_shared = true, owner_id = null where mailbox_id = $1", id as MailboxId)
        .execute(db)
        .await?;
    Ok(())
}

/// Makes a shared mailbox one of this owner, or of nobody.
pub async fn unshare(db: &mut PgConnection, id: MailboxId, owner: Option<PrincipalId>) -> Result<()> {
    sqlx::query!("delete from mailbox_members where mailbox_id = $1", id as MailboxId).execute(&mut *db).await?;
    sqlx::query!(
        "update mailboxes set is_shared = false, owner_id = $2 where mailbox_id = $1",
        id as MailboxId,
        owner as Option<PrincipalId>,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a member; adding one again changes nothing.
pub async fn add_member(db: &mut PgConnection, mailbox: MailboxId, user: PrincipalId) -> Result<()> {
    sqlx::query!(
        "insert into mailbox_members (mailbox_id, principal_id) values ($1, $2) on conflict do nothing",
        mailbox as MailboxId,
        user as PrincipalId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a member away; false where the user is none.
pub async fn remove_member(db: &mut PgConnection, mailbox: MailboxId, user: PrincipalId) -> Result<bool> {
    let done = sqlx::query!(
        "delete from mailbox_members where mailbox_id = $1 and principal_id = $2",
        mailbox as MailboxId,
        user as PrincipalId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The members of a shared mailbox, the longest there first.
pub async fn members(db: &mut PgConnection, mailbox: MailboxId) -> Result<Vec<Member>> {
    let rows = sqlx::query_as!(
        Member,
        r#"select s.principal_id as "user_id: PrincipalId", p.display_name as name, m.address as "mailbox: Address",
               s.assigned_at as "assigned_at: Timestamp"
           from mailbox_members s join principals p using (principal_id) join mailboxes m using (mailbox_id)
           where s.mailbox_id = $1 order by s.assigned_at, s.principal_id limit 1000"#,
        mailbox as MailboxId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
