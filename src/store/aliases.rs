//! Aliases: other addresses of mailboxes.

use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::store::OnConstraint as _;
use crate::types::{Address, Alias, AliasId, DomainName, MailboxId, Timestamp};

/// Which aliases to list.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Just this one.
    pub address: Option<&'a Address>,
    /// Of this domain.
    pub domain: Option<&'a DomainName>,
    /// That deliver to this mailbox.
    pub mailbox: Option<&'a Address>,
}

/// Aliases by address, after `after`.
pub async fn list(db: &mut PgConnection, filter: &Filter<'_>, after: Option<&str>, limit: i64, skip: i64) -> Result<Vec<Alias>> {
    let rows = sqlx::query!(
        r#"select a.alias_id as "id: AliasId", a.address as "address: Address", d.name as "domain: DomainName",
               array(
                   select m.address from alias_mailboxes t join mailboxes m on m.mailbox_id = t.mailbox_id
                   where t.alias_id = a.alias_id order by m.address
               ) as "mailboxes!", a.note, a.created_by, a.created_at as "created_at: Timestamp"
           from aliases a join domains d on d.domain_id = a.domain_id
           where ($1::text is null or a.address = $1) and ($2::text is null or d.name = $2)
               and ($3::text is null or exists (
                   select from alias_mailboxes t join mailboxes m on m.mailbox_id = t.mailbox_id
                   where t.alias_id = a.alias_id and m.address = $3))
               and ($4::text is null or a.address > $4)
           order by a.address limit $5 offset $6"#,
        filter.address.map(Address::as_str),
        filter.domain.map(DomainName::as_str),
        filter.mailbox.map(Address::as_str),
        after,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    let alias = rows.into_iter().map(|row| Alias {
        id: row.id,
        address: row.address,
        domain: row.domain,
        mailboxes: row.mailboxes.iter().filter_map(|address| address.parse().ok()).collect(),
        note: row.note,
        created_by: row.created_by,
        created_at: row.created_at,
    });
    Ok(alias.collect())
}

/// One alias by its address.
pub async fn find(db: &mut PgConnection, address: &Address) -> Result<Option<Alias>> {
    let filter = Filter { address: Some(address), ..Filter::default() };
    Ok(list(db, &filter, None, 1, 0).await?.pop())
}

/// Adds an alias that leads nowhere yet; `Conflict` where the address has one. False where its domain is not ours.
pub async fn insert(db: &mut PgConnection, address: &Address, note: &str, by: &str) -> Result<bool> {
    let done = sqlx::query!(
        "insert into aliases (alias_id, address, domain_id, note, created_by)
         select $1, $2, domain_id, $4, $5 from domains where name = $3",
        AliasId::generate() as AliasId,
        address.as_str(),
        address.domain_str(),
        note,
        by,
    )
    .execute(db)
    .await
    .on_constraint("aliases_address_key", || Error::conflict("alias_exists", format!("There is an alias {address} already.")))?;
    Ok(done.rows_affected() == 1)
}

/// Sets the note.
pub async fn set_note(db: &mut PgConnection, address: &Address, note: &str) -> Result<()> {
    sqlx::query!("update aliases set note = $2 where address = $1", address.as_str(), note).execute(db).await?;
    Ok(())
}

/// Sets the mailboxes that get the mail, and no others.
pub async fn set_mailboxes(db: &mut PgConnection, address: &Address, mailboxes: &[MailboxId]) -> Result<()> {
    let ids: Vec<uuid::Uuid> = mailboxes.iter().map(|id| id.0).collect();
    sqlx::query!(
        "delete from alias_mailboxes t using aliases a
         where a.alias_id = t.alias_id and a.address = $1 and t.mailbox_id <> all($2)",
        address.as_str(),
        &ids,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "insert into alias_mailboxes (alias_id, mailbox_id)
         select a.alias_id, id from aliases a, unnest($2::uuid[]) as t (id) where a.address = $1
         on conflict do nothing",
        address.as_str(),
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes an alias; false where there is none.
pub async fn delete(db: &mut PgConnection, address: &Address) -> Result<bool> {
    let done = sqlx::query!("delete from aliases where address = $1", address.as_str()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
