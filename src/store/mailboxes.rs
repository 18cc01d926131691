//! Mailboxes.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::types::{
    Address, DomainName, Lifecycle, Mailbox, MailboxId, PrincipalId, Reach, SenderPolicy, ServiceTemplateId, Timestamp,
};

/// What a listing of mailboxes is narrowed by.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Just this address.
    pub address: Option<&'a Address>,
    /// Just this domain.
    pub domain: Option<&'a DomainName>,
    /// Just this lifecycle; without, everything but the trash and what is collected.
    pub lifecycle: Option<Lifecycle>,
    /// Whatever the lifecycle.
    pub any_lifecycle: bool,
    /// Those whose address or note contains this text.
    pub text: Option<&'a str>,
    /// Those that this user owns or is a member of.
    pub user: Option<PrincipalId>,
    /// Those that nobody owns and that are not shared.
    pub unassigned: bool,
    /// Shared ones.
    pub shared: bool,
    /// Those that this service template is bound to.
    pub service: Option<ServiceTemplateId>,
    /// Those that the caller sees.
    pub reach: Reach,
}

/// Mailboxes, newest first, after `after`.
pub async fn list(
    db: &mut PgConnection,
    filter: &Filter<'_>,
    after: Option<MailboxId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<Mailbox>> {
    let (domains, mailboxes) = filter.reach.names().unzip();
    let rows = sqlx::query_as!(
        Mailbox,
        r#"select m.mailbox_id as "id: MailboxId", m.address as "address: Address", d.name as "domain: DomainName",
               l.lifecycle as "lifecycle!: LifecycleText", m.note, m.sender_policy,
               coalesce(c.messages, 0) as "message_count!", coalesce(c.unread, 0) as "unread_count!",
               m.created_by, m.created_at as "created_at: Timestamp", m.expires_at as "expires_at: Timestamp",
               m.trashed_at as "trashed_at: Timestamp", m.trashed_by, m.owner_id as "user_id: PrincipalId", m.is_shared,
               m.last_login_at as "last_login_at: Timestamp", m.retention_days
           from mailboxes m
           join domains d using (domain_id)
           cross join lateral (
               select case when m.lifecycle = 'active' and m.expires_at <= now() then 'expired' else m.lifecycle end as lifecycle
           ) l
           left join lateral (
               select sum(messages)::bigint as messages, sum(unread)::bigint as unread
               from mailbox_counts where mailbox_id = m.mailbox_id
           ) c on true
           where ($1::text is null or m.address = $1)
               and ($2::text is null or d.name = $2)
               and ($3::text is null or l.lifecycle = $3)
               and ($3::text is not null or $4 or m.lifecycle not in ('trashed', 'collected'))
               and ($5::text is null or position(lower($5) in m.address) > 0 or position(lower($5) in lower(m.note)) > 0)
               and ($6::uuid is null or m.mailbox_id < $6)
               and ($9::text[] is null or d.name = any($9) or m.address = any($10))
               and ($11::uuid is null or m.mailbox_id in (
                   select mailbox_id from mailboxes where owner_id = $11
                   union select mailbox_id from mailbox_members where principal_id = $11))
               and (not $12 or (m.owner_id is null and not m.is_shared)) and (not $13 or m.is_shared)
               and ($14::uuid is null or m.mailbox_id in (
                   select mailbox_id from service_bindings where service_template_id = $14))
           order by m.mailbox_id desc limit $7 offset $8"#,
        filter.address.map(Address::as_str),
        filter.domain.map(DomainName::as_str),
        filter.lifecycle.map(Lifecycle::as_str),
        filter.any_lifecycle,
        filter.text,
        after as Option<MailboxId>,
        limit,
        skip,
        domains.as_deref(),
        mailboxes.as_deref(),
        filter.user as Option<PrincipalId>,
        filter.unassigned,
        filter.shared,
        filter.service as Option<ServiceTemplateId>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The lifecycle as text in the database; a name that this version does not know counts as disabled.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
struct LifecycleText(String);

impl From<LifecycleText> for Lifecycle {
    fn from(text: LifecycleText) -> Self {
        Self::try_from(text.0).unwrap_or(Self::Disabled)
    }
}

/// A mailbox by its address, in whatever state.
pub async fn find(db: &mut PgConnection, address: &Address) -> Result<Option<Mailbox>> {
    let filter = Filter { address: Some(address), any_lifecycle: true, ..Filter::default() };
    Ok(list(db, &filter, None, 1, 0).await?.pop())
}

/// The id of a mailbox that can be read: any but those in the trash.
pub async fn readable_id(db: &mut PgConnection, address: &Address) -> Result<Option<MailboxId>> {
    let id = sqlx::query_scalar!(
        r#"select mailbox_id as "id: MailboxId" from mailboxes where address = $1 and lifecycle <> 'trashed'"#,
        address.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(id)
}

/// The ids of the mailboxes with these addresses.
pub async fn ids(db: &mut PgConnection, addresses: &[String]) -> Result<Vec<MailboxId>> {
    let ids = sqlx::query_scalar!(r#"select mailbox_id as "id: MailboxId" from mailboxes where address = any($1)"#, addresses)
        .fetch_all(db)
        .await?;
    Ok(ids)
}

/// Mailboxes to be made; the columns of one statement.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct New {
    pub addresses: Vec<String>,
    pub domains: Vec<String>,
    pub password_hashes: Vec<String>,
    pub sealed_passwords: Vec<Option<Vec<u8>>>,
    pub note: String,
    pub created_by: String,
    pub expires_at: Option<Timestamp>,
}

/// Makes mailboxes, and adopts those that collected mail for an address so far. Answers with the addresses that it made;
/// what is missing from them was there already, as a mailbox or an alias, or its domain is not.
pub async fn insert(db: &mut PgConnection, new: &New) -> Result<Vec<String>> {
    let ids: Vec<Uuid> = new.addresses.iter().map(|_| Uuid::now_v7()).collect();
    let made = sqlx::query_scalar!(
        r#"insert into mailboxes (mailbox_id, address, domain_id, password_hash, sealed_password, note, created_by, expires_at)
           select t.id, t.address, d.domain_id, t.password_hash, t.sealed_password, $6, $7, $8
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[])
               as t (id, address, domain, password_hash, sealed_password)
           join domains d on d.name = t.domain
           where not exists (select from aliases a where a.address = t.address)
           on conflict (address) do update
           set lifecycle = 'active', password_hash = excluded.password_hash, sealed_password = excluded.sealed_password,
               note = excluded.note, created_by = excluded.created_by, created_at = now(), expires_at = excluded.expires_at
           where mailboxes.lifecycle = 'collected'
           returning address"#,
        &ids,
        &new.addresses,
        &new.domains,
        &new.password_hashes,
        &new.sealed_passwords as &[Option<Vec<u8>>],
        new.note,
        new.created_by,
        new.expires_at as Option<Timestamp>,
    )
    .fetch_all(db)
    .await?;
    Ok(made)
}

/// Changes to a mailbox; `None` leaves a property as it is.
#[derive(Debug, Default)]
pub struct Changes {
    /// A note for people.
    pub note: Option<String>,
    /// Whether it receives.
    pub is_active: Option<bool>,
    /// From which senders it gives out codes and links.
    pub sender_policy: Option<SenderPolicy>,
    /// The end of its time; `Some(None)` takes the end away.
    pub expires_at: Option<Option<Timestamp>>,
    /// After how many days its messages are removed; `Some(None)` as its domain has it.
    pub retention_days: Option<Option<i64>>,
}

/// Changes a mailbox that is not in the trash; false where there is none.
pub async fn update(db: &mut PgConnection, address: &Address, changes: &Changes) -> Result<bool> {
    let done = sqlx::query!(
        "update mailboxes set
             note = coalesce($2, note),
             lifecycle = case when $3::bool then 'active' when not $3::bool then 'disabled' else lifecycle end,
             expires_at = case when $4 then $5 else expires_at end,
             retention_days = case when $6 then $7 else retention_days end,
             sender_policy = coalesce($8, sender_policy)
         where address = $1 and lifecycle not in ('trashed', 'collected')",
        address.as_str(),
        changes.note,
        changes.is_active,
        changes.expires_at.is_some(),
        changes.expires_at.flatten() as Option<Timestamp>,
        changes.retention_days.is_some(),
        changes.retention_days.flatten().and_then(|days| i32::try_from(days).ok()),
        changes.sender_policy.map(SenderPolicy::as_str),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a mailbox into the trash; false where there is none, or it is there.
pub async fn trash(db: &mut PgConnection, address: &Address, by: &str) -> Result<bool> {
    let done = sqlx::query!(
        "update mailboxes set lifecycle = 'trashed', trashed_at = now(), trashed_by = $2
         where address = $1 and lifecycle <> 'trashed'",
        address.as_str(),
        by,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a mailbox out of the trash; false where it is not there.
pub async fn restore(db: &mut PgConnection, address: &Address) -> Result<bool> {
    let done = sqlx::query!(
        "update mailboxes set lifecycle = 'active', trashed_at = null, trashed_by = null
         where address = $1 and lifecycle = 'trashed'",
        address.as_str(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a mailbox for good, after its messages are gone. The rule that delivered unknown addresses to it becomes `reject`.
pub async fn delete(db: &mut PgConnection, id: MailboxId) -> Result<()> {
    sqlx::query!(
        "update domains set unknown_policy = 'reject', unknown_mailbox_id = null where unknown_mailbox_id = $1",
        id as MailboxId,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("delete from mailboxes where mailbox_id = $1", id as MailboxId).execute(db).await?;
    Ok(())
}

/// A mailbox's password, sealed; `None` where it has none or there is no such mailbox.
pub async fn sealed_password(db: &mut PgConnection, address: &Address) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!("select sealed_password from mailboxes where address = $1", address.as_str())
        .fetch_optional(db)
        .await?;
    Ok(sealed.flatten())
}
