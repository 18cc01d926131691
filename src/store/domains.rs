//! Domains.

use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store::OnConstraint as _;
use crate::types::{
    Address, AuthPolicy, Domain, DomainId, DomainName, MailboxId, MtaSts, Postmaster, Reach, Timestamp, UnknownRecipients,
};

/// A domain's row, joined with what people read of it.
struct Row {
    id: DomainId,
    name: DomainName,
    is_default: bool,
    unknown_policy: String,
    unknown_address: Option<Address>,
    auth_policy: String,
    takes_subdomains: bool,
    mta_sts: String,
    postmaster_address: Option<Address>,
    mailbox_count: i64,
    retention_days: Option<i32>,
    created_at: Timestamp,
}

impl From<Row> for Domain {
    fn from(row: Row) -> Self {
        let unknown = match (row.unknown_policy.as_str(), row.unknown_address) {
            ("deliver", Some(address)) => UnknownRecipients::Deliver(address),
            ("collect", _) => UnknownRecipients::Collect,
            _ => UnknownRecipients::Reject,
        };
        Self {
            id: row.id,
            name: row.name,
            is_default: row.is_default,
            unknown,
            auth_policy: AuthPolicy::from(row.auth_policy),
            takes_subdomains: row.takes_subdomains,
            mta_sts: MtaSts::from(row.mta_sts),
            postmaster: row.postmaster_address.map_or(Postmaster::Collect, Postmaster::Deliver),
            mailbox_count: row.mailbox_count,
            retention_days: row.retention_days,
            created_at: row.created_at,
        }
    }
}

/// Domains in reach by name, after `after`; `only` narrows to one.
pub async fn list(
    db: &mut PgConnection,
    only: Option<&DomainName>,
    reach: &Reach,
    after: Option<&str>,
    limit: i64,
    skip: i64,
) -> Result<Vec<Domain>> {
    let (domains, _) = reach.names().unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select d.domain_id as "id: DomainId", d.name as "name: DomainName", d.is_default, d.unknown_policy,
               u.address as "unknown_address?: Address", d.auth_policy, d.takes_subdomains, d.mta_sts,
               p.address as "postmaster_address?: Address", d.created_at as "created_at: Timestamp", d.retention_days,
               (select count(*) from mailboxes m where m.domain_id = d.domain_id and m.lifecycle <> 'collected')
                   as "mailbox_count!"
           from domains d left join mailboxes u on u.mailbox_id = d.unknown_mailbox_id
           left join mailboxes p on p.mailbox_id = d.postmaster_mailbox_id
           where ($1::text is null or d.name = $1) and ($2::text is null or d.name > $2)
               and ($5::text[] is null or d.name = any($5))
           order by d.name limit $3 offset $4"#,
        only.map(DomainName::as_str),
        after,
        limit,
        skip,
        domains.as_deref(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Domain::from).collect())
}

/// One domain by its name.
pub async fn find(db: &mut PgConnection, name: &DomainName) -> Result<Option<Domain>> {
    Ok(list(db, Some(name), &Reach::All, None, 1, 0).await?.pop())
}

/// The default domain's name: the one marked so, else the oldest.
pub async fn default(db: &mut PgConnection) -> Result<Option<DomainName>> {
    let name = crate::store::recipients::default_domain(db).await?;
    Ok(name.and_then(|name| name.parse().ok()))
}

/// Adds a domain; the first one becomes the default. `Conflict` where it is there.
pub async fn insert(db: &mut PgConnection, name: &DomainName) -> Result<()> {
    sqlx::query!(
        "insert into domains (domain_id, name, is_default) values ($1, $2, not exists (select from domains))",
        DomainId::generate() as DomainId,
        name.as_str(),
    )
    .execute(db)
    .await
    .on_constraint("domains_name_key", || Error::conflict("domain_exists", format!("The domain {name} is there already.")))?;
    Ok(())
}

/// Makes a domain the default, and no other.
pub async fn make_default(db: &mut PgConnection, name: &DomainName) -> Result<()> {
    sqlx::query!("update domains set is_default = false where is_default and name <> $1", name.as_str())
        .execute(&mut *db)
        .await?;
    sqlx::query!("update domains set is_default = true where name = $1", name.as_str()).execute(db).await?;
    Ok(())
}

/// Sets what happens to mail for unknown addresses.
pub async fn set_unknown(db: &mut PgConnection, name: &DomainName, policy: &str, mailbox: Option<MailboxId>) -> Result<()> {
    sqlx::query!(
        "update domains set unknown_policy = $2, unknown_mailbox_id = $3 where name = $1",
        name.as_str(),
        policy,
        mailbox as Option<MailboxId>,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sets what happens to mail that its author's domain disowns.
pub async fn set_auth_policy(db: &mut PgConnection, name: &DomainName, policy: AuthPolicy) -> Result<()> {
    sqlx::query!("update domains set auth_policy = $2 where name = $1", name.as_str(), policy.as_str()).execute(db).await?;
    Ok(())
}

/// What each of these domains does with mail that its author's domain disowns.
pub async fn auth_policies(db: &mut PgConnection, names: &[String]) -> Result<Vec<(String, AuthPolicy)>> {
    let rows = sqlx::query!("select name, auth_policy from domains where name = any($1)", names).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.name, AuthPolicy::from(row.auth_policy))).collect())
}

/// Sets whether a domain takes its subdomains.
pub async fn set_takes_subdomains(db: &mut PgConnection, name: &DomainName, takes: bool) -> Result<()> {
    sqlx::query!("update domains set takes_subdomains = $2 where name = $1", name.as_str(), takes).execute(db).await?;
    Ok(())
}

/// Sets what senders are told about encryption.
pub async fn set_mta_sts(db: &mut PgConnection, name: &DomainName, mode: MtaSts) -> Result<()> {
    sqlx::query!("update domains set mta_sts = $2 where name = $1", name.as_str(), mode.as_str()).execute(db).await?;
    Ok(())
}

/// Sets where mail for postmaster and abuse lands; `None` collects it.
pub async fn set_postmaster(db: &mut PgConnection, name: &DomainName, mailbox: Option<MailboxId>) -> Result<()> {
    sqlx::query!("update domains set postmaster_mailbox_id = $2 where name = $1", name.as_str(), mailbox as Option<MailboxId>,)
        .execute(db)
        .await?;
    Ok(())
}

/// Removes a domain that has no mailboxes and aliases; `Conflict` where it has some, false where there is no such domain.
pub async fn delete(db: &mut PgConnection, name: &DomainName) -> Result<bool> {
    let done = sqlx::query!("delete from domains where name = $1", name.as_str()).execute(db).await;
    let in_use = |what| Error::conflict("domain_in_use", format!("The domain {name} still has {what}."));
    match done {
        Err(sqlx::Error::Database(cause)) if cause.constraint() == Some("mailboxes_domain_id_fkey") => {
            Err(in_use("mailboxes, perhaps in the trash or collected"))
        }
        Err(sqlx::Error::Database(cause)) if cause.constraint() == Some("aliases_domain_id_fkey") => Err(in_use("aliases")),
        done => Ok(done?.rows_affected() == 1),
    }
}

/// Sets after how many days the messages of a domain's mailboxes are removed; `None` as the installation has it.
pub async fn set_retention(db: &mut PgConnection, name: &DomainName, days: Option<i64>) -> Result<()> {
    sqlx::query!(
        "update domains set retention_days = $2 where name = $1",
        name.as_str(),
        days.and_then(|days| i32::try_from(days).ok()),
    )
    .execute(db)
    .await?;
    Ok(())
}
