//! Service templates, and their bindings to mailboxes.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::types::{
    Address, ExtractionRules, MailboxId, ServiceBinding, ServiceBindingId, ServiceTemplate, ServiceTemplateId, Timestamp,
};

/// A template's row.
struct TemplateRow {
    id: ServiceTemplateId,
    name: String,
    login_url: String,
    note: String,
    extraction_rules: serde_json::Value,
    binding_count: i64,
    created_at: Timestamp,
}

impl From<TemplateRow> for ServiceTemplate {
    fn from(row: TemplateRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            login_url: row.login_url,
            note: row.note,
            // What a later version wrote in another form is no rule here.
            extraction_rules: serde_json::from_value(row.extraction_rules).unwrap_or_default(),
            binding_count: row.binding_count,
            created_at: row.created_at,
        }
    }
}

/// Templates, newest first, after `after`; `only` narrows to one.
pub async fn templates(
    db: &mut PgConnection,
    only: Option<ServiceTemplateId>,
    after: Option<ServiceTemplateId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<ServiceTemplate>> {
    let rows = sqlx::query_as!(
        TemplateRow,
        r#"select service_template_id as "id: ServiceTemplateId", name, login_url, note, extraction_rules,
               (select count(*) from service_bindings b where b.service_template_id = t.service_template_id) as "binding_count!",
               created_at as "created_at: Timestamp"
           from service_templates t
           where ($1::uuid is null or service_template_id = $1) and ($2::uuid is null or service_template_id < $2)
           order by service_template_id desc limit $3 offset $4"#,
        only as Option<ServiceTemplateId>,
        after as Option<ServiceTemplateId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Adds a template.
pub async fn insert_template(
    db: &mut PgConnection,
    name: &str,
    login_url: &str,
    note: &str,
    rules: &ExtractionRules,
) -> Result<ServiceTemplateId> {
    let id = ServiceTemplateId::generate();
    sqlx::query!(
        "insert into service_templates (service_template_id, name, login_url, note, extraction_rules)
         values ($1, $2, $3, $4, $5)",
        id as ServiceTemplateId,
        name,
        login_url,
        note,
        Json(rules) as _,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Changes to a template; `None` leaves a property as it is.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct TemplateChanges<'a> {
    pub name: Option<&'a str>,
    pub login_url: Option<&'a str>,
    pub note: Option<&'a str>,
    pub rules: Option<&'a ExtractionRules>,
}

/// Changes a template; false where there is none.
pub async fn update_template(db: &mut PgConnection, id: ServiceTemplateId, changes: &TemplateChanges<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "update service_templates set name = coalesce($2, name), login_url = coalesce($3, login_url), note = coalesce($4, note),
             extraction_rules = coalesce($5, extraction_rules)
         where service_template_id = $1",
        id as ServiceTemplateId,
        changes.name,
        changes.login_url,
        changes.note,
        changes.rules.map(Json) as _,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a template with its bindings; false where there is none.
pub async fn delete_template(db: &mut PgConnection, id: ServiceTemplateId) -> Result<bool> {
    let done =
        sqlx::query!("delete from service_templates where service_template_id = $1", id as ServiceTemplateId).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Which bindings are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those of a mailbox.
    Of(MailboxId),
    /// Those of the mailboxes with these addresses.
    Among(&'a [String]),
    /// One.
    One(ServiceBindingId),
}

/// Asks for bindings `b` of mailboxes `m`, with their templates `t` where they have one; the rest of the statement says which.
macro_rules! bindings {
    ($which:tt, $($argument:tt)*) => {
        sqlx::query_as!(
            ServiceBinding,
            r#"select b.service_binding_id as "id: ServiceBindingId", m.address as "mailbox: Address",
                   coalesce(t.name, b.custom_name) as "name!", coalesce(t.login_url, b.custom_login_url, '') as "login_url!",
                   coalesce(t.note, b.custom_note, '') as "note!", b.service_template_id is null as "is_custom!",
                   b.service_template_id as "template_id: ServiceTemplateId", b.custom_name, b.custom_login_url, b.custom_note,
                   b.expires_at as "expires_at: Timestamp", coalesce(b.expires_at <= now(), false) as "is_expired!",
                   b.created_at as "created_at: Timestamp"
               from service_bindings b join mailboxes m using (mailbox_id) left join service_templates t using (service_template_id)
               "# + $which,
            $($argument)*
        )
    };
}

/// Bindings, the oldest first; at most 1000.
pub async fn bindings(db: &mut PgConnection, which: Which<'_>) -> Result<Vec<ServiceBinding>> {
    let (mailbox, among, one) = match which {
        Which::Of(id) => (Some(id), None, None),
        Which::Among(addresses) => (None, Some(addresses), None),
        Which::One(id) => (None, None, Some(id)),
    };
    let rows = bindings!(
        r#"where ($1::uuid is null or b.mailbox_id = $1) and ($2::uuid is null or b.service_binding_id = $2)
               and ($3::text[] is null or m.address = any($3)) and m.lifecycle <> 'trashed'
           order by b.service_binding_id limit 1000"#,
        mailbox as Option<MailboxId>,
        one as Option<ServiceBindingId>,
        among,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// What a listing of bindings is narrowed by.
#[derive(Debug, Default)]
pub struct BindingFilter<'a> {
    /// Those of this template.
    pub template: Option<ServiceTemplateId>,
    /// Those of this mailbox.
    pub mailbox: Option<&'a Address>,
    /// Those that end before this time.
    pub ends_before: Option<Timestamp>,
    /// Those that have ended, or those that have not.
    pub is_expired: Option<bool>,
}

/// Bindings of mailboxes outside the trash, newest first, after `after`.
pub async fn list_bindings(
    db: &mut PgConnection,
    filter: &BindingFilter<'_>,
    after: Option<ServiceBindingId>,
    limit: i64,
    skip: i64,
) -> Result<Vec<ServiceBinding>> {
    let rows = bindings!(
        r#"where m.lifecycle <> 'trashed'
               and ($1::uuid is null or b.service_template_id = $1) and ($2::text is null or m.address = $2)
               and ($3::timestamptz is null or b.expires_at < $3)
               and ($4::bool is null or coalesce(b.expires_at <= now(), false) = $4)
               and ($5::uuid is null or b.service_binding_id < $5)
           order by b.service_binding_id desc limit $6 offset $7"#,
        filter.template as Option<ServiceTemplateId>,
        filter.mailbox.map(Address::as_str),
        filter.ends_before as Option<Timestamp>,
        filter.is_expired,
        after as Option<ServiceBindingId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A service to be bound.
#[derive(Debug, Clone, Copy)]
pub enum Service<'a> {
    /// By its template.
    Template(ServiceTemplateId),
    /// Without one.
    #[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
    Custom { name: &'a str, login_url: &'a str, note: &'a str },
}

/// Binds a service to a mailbox; `Conflict` where it is bound already.
pub async fn bind(
    db: &mut PgConnection,
    mailbox: MailboxId,
    service: Service<'_>,
    expires_at: Option<Timestamp>,
) -> Result<ServiceBindingId> {
    let id = ServiceBindingId::generate();
    let (template, name, login_url, note) = match service {
        Service::Template(template) => (Some(template), None, None, None),
        Service::Custom { name, login_url, note } => (None, Some(name), Some(login_url), Some(note)),
    };
    let done = sqlx::query!(
        "insert into service_bindings (service_binding_id, mailbox_id, service_template_id, custom_name, custom_login_url,
             custom_note, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        id as ServiceBindingId,
        mailbox as MailboxId,
        template as Option<ServiceTemplateId>,
        name,
        login_url,
        note,
        expires_at as Option<Timestamp>,
    )
    .execute(db)
    .await?;
    match done.rows_affected() {
        0 => Err(Error::conflict("service_bound", "This service is bound to the mailbox already.")),
        _ => Ok(id),
    }
}

/// Services to be bound, one of the columns `template_ids` and `names` for each.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, documented in the migration")]
pub struct Batch {
    pub template_ids: Vec<Option<Uuid>>,
    pub names: Vec<Option<String>>,
    pub login_urls: Vec<Option<String>>,
    pub notes: Vec<Option<String>>,
}

/// Binds each of these services to each of these mailboxes outside the trash, in one statement. Answers with what was bound: an
/// address, and the place of the service in the batch, from 1.
pub async fn bind_all(
    db: &mut PgConnection,
    addresses: &[String],
    batch: &Batch,
    expires_at: Option<Timestamp>,
) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"with service as (
               select * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) with ordinality
                   as t (template_id, name, login_url, note, place)
           ), bound as (
               insert into service_bindings (service_binding_id, mailbox_id, service_template_id, custom_name, custom_login_url,
                   custom_note, expires_at)
               select gen_random_uuid(), m.mailbox_id, s.template_id, s.name, s.login_url, s.note, $6
               from mailboxes m cross join service s
               where m.address = any($1) and m.lifecycle not in ('trashed', 'collected')
               on conflict do nothing
               returning mailbox_id, service_template_id, custom_name
           )
           select m.address, s.place as "place!" from bound b join mailboxes m using (mailbox_id)
           join service s on s.template_id is not distinct from b.service_template_id and s.name is not distinct from b.custom_name"#,
        addresses,
        &batch.template_ids as &[Option<Uuid>],
        &batch.names as &[Option<String>],
        &batch.login_urls as &[Option<String>],
        &batch.notes as &[Option<String>],
        expires_at as Option<Timestamp>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.address, row.place)).collect())
}

/// Sets the end of a binding; false where there is none.
pub async fn set_expiry(db: &mut PgConnection, id: ServiceBindingId, expires_at: Option<Timestamp>) -> Result<bool> {
    let done = sqlx::query!(
        "update service_bindings set expires_at = $2 where service_binding_id = $1",
        id as ServiceBindingId,
        expires_at as Option<Timestamp>,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a binding; false where there is none.
pub async fn unbind(db: &mut PgConnection, id: ServiceBindingId) -> Result<bool> {
    let done =
        sqlx::query!("delete from service_bindings where service_binding_id = $1", id as ServiceBindingId).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
