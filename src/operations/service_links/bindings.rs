//! Which services a mailbox is used for.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::operations::listing::listing;
use crate::operations::mailboxes::unknown_mailbox;
use crate::operations::{Ctx, Effect, Method, Operation, Spec};
use crate::store;
use crate::store::service_links::{Batch, BindingFilter, Service, Which};
use crate::types::{Address, MailboxId, Page, Scope, ServiceBinding, ServiceBindingId, ServiceTemplateId, Text, Timestamp};

use super::{checked_name, checked_url, templates};

/// Lists the services that a mailbox is used for, in the order in which they were bound; at most 1000.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetMailboxServices {
    /// The mailbox's address.
    pub address: Address,
}

impl Operation for GetMailboxServices {
    type Output = Vec<ServiceBinding>;
    const SPEC: Spec = Spec {
        name: "get_mailbox_services",
        title: "List a mailbox's services",
        rest: (Method::Get, "/mailboxes/{address}/services"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<ServiceBinding>> {
        let mut db = ctx.services.db.acquire().await?;
        let mailbox = mailbox_of(&mut db, &self.address).await?;
        store::service_links::bindings(&mut db, Which::Of(mailbox)).await
    }
}

listing! {
    /// Lists which services mailboxes are used for, over all mailboxes outside the trash, the newest binding first.
    pub struct ListServiceBindings {
        /// Just those of this service template.
        pub template_id: Option<ServiceTemplateId>,
        /// Just those of this mailbox.
        pub mailbox: Option<Address>,
        /// Just those that end before this time, those that have ended included.
        pub ends_before: Option<Timestamp>,
        /// Just those that have ended, or just those that have not.
        pub is_expired: Option<bool>,
    }
}

impl Operation for ListServiceBindings {
    type Output = Page<ServiceBinding>;
    const SPEC: Spec = Spec {
        name: "list_service_bindings",
        title: "List the services of all mailboxes",
        rest: (Method::Get, "/services"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<ServiceBinding>> {
        let page = self.page();
        let filter = BindingFilter {
            template: self.template_id,
            mailbox: self.mailbox.as_ref(),
            ends_before: self.ends_before,
            is_expired: self.is_expired,
        };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::service_links::list_bindings(&mut db, &filter, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// The services of several mailboxes at once, as far as the caller sees them; for doors whose lists show them. The scope is that
/// of [`GetMailboxServices`].
pub async fn services_of(ctx: &Ctx, addresses: &[&Address]) -> Result<Vec<ServiceBinding>> {
    ctx.check_scope(&GetMailboxServices::SPEC).await?;
    let seen = addresses.iter().filter(|address| ctx.caller.reach().has_mailbox(address));
    let seen: Vec<String> = seen.map(ToString::to_string).collect();
    let mut db = ctx.services.db.acquire().await?;
    store::service_links::bindings(&mut db, Which::Among(&seen)).await
}

/// Binds a service to a mailbox, by its template.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AddServiceToMailbox {
    /// The mailbox's address.
    pub address: Address,
    /// The template's id.
    pub template_id: ServiceTemplateId,
    /// When the binding ends; without, never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl Operation for AddServiceToMailbox {
    type Output = ServiceBinding;
    const SPEC: Spec = Spec {
        name: "add_service_to_mailbox",
        title: "Bind a service to a mailbox",
        rest: (Method::Post, "/mailboxes/{address}/services"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service.bind"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ServiceBinding> {
        let mut tx = ctx.begin().await?;
        let mailbox = mailbox_of(&mut tx, &self.address).await?;
        templates::found(&mut tx, self.template_id).await?;
        let service = Service::Template(self.template_id);
        let id = store::service_links::bind(&mut tx, mailbox, service, self.expires_at).await?;
        let binding = found(&mut tx, id).await?;
        ctx.commit::<Self>(tx, self.address.as_str(), json!({ "id": id, "name": binding.name })).await?;
        Ok(binding)
    }
}

/// Binds a service to a mailbox that has no template.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AddCustomServiceToMailbox {
    /// The mailbox's address.
    pub address: Address,
    /// What people call the service.
    pub name: Text<100>,
    /// The address of its sign-in page, beginning with https:// or http://.
    pub login_url: Text<2000>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<500>,
    /// When the binding ends; without, never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl Operation for AddCustomServiceToMailbox {
    type Output = ServiceBinding;
    const SPEC: Spec = Spec {
        name: "add_custom_service_to_mailbox",
        title: "Bind a service without a template",
        rest: (Method::Post, "/mailboxes/{address}/services/custom"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service.bind_custom"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ServiceBinding> {
        let (name, login_url, note) = (self.name.as_str(), self.login_url.as_str(), self.note.as_str());
        checked_name("name", name)?;
        checked_url("login_url", login_url)?;
        let mut tx = ctx.begin().await?;
        let mailbox = mailbox_of(&mut tx, &self.address).await?;
        let service = Service::Custom { name, login_url, note };
        let id = store::service_links::bind(&mut tx, mailbox, service, self.expires_at).await?;
        let binding = found(&mut tx, id).await?;
        ctx.commit::<Self>(tx, self.address.as_str(), json!({ "id": id, "name": binding.name })).await?;
        Ok(binding)
    }
}

/// Takes a service from its mailbox.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RemoveServiceFromMailbox {
    /// The binding's id.
    pub id: ServiceBindingId,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemovedService {
    /// The binding's id.
    pub id: ServiceBindingId,
    /// Always true.
    pub deleted: bool,
}

impl Operation for RemoveServiceFromMailbox {
    type Output = RemovedService;
    const SPEC: Spec = Spec {
        name: "remove_service_from_mailbox",
        title: "Take a service from its mailbox",
        rest: (Method::Delete, "/services/{id}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Destructive,
        audit: Some("service.unbind"),
    };

    async fn run(self, ctx: &Ctx) -> Result<RemovedService> {
        let mut tx = ctx.begin().await?;
        let binding = found(&mut tx, self.id).await?;
        store::service_links::unbind(&mut tx, self.id).await?;
        ctx.commit::<Self>(tx, binding.mailbox.as_str(), json!({ "id": self.id, "name": binding.name })).await?;
        Ok(RemovedService { id: self.id, deleted: true })
    }
}

/// Sets when the binding of a service ends.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateServiceExpiration {
    /// The binding's id.
    pub id: ServiceBindingId,
    /// When it ends; null or absent means never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl Operation for UpdateServiceExpiration {
    type Output = ServiceBinding;
    const SPEC: Spec = Spec {
        name: "update_service_expiration",
        title: "Set when a service ends",
        rest: (Method::Patch, "/services/{id}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service.set_expiry"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ServiceBinding> {
        let mut tx = ctx.begin().await?;
        found(&mut tx, self.id).await?;
        store::service_links::set_expiry(&mut tx, self.id, self.expires_at).await?;
        let binding = found(&mut tx, self.id).await?;
        let detail = json!({ "id": self.id, "expires_at": self.expires_at });
        ctx.commit::<Self>(tx, binding.mailbox.as_str(), detail).await?;
        Ok(binding)
    }
}

/// A service without a template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomService {
    /// What people call it.
    pub name: Text<100>,
    /// The address of its sign-in page, beginning with https:// or http://.
    #[serde(alias = "loginUrl")]
    pub login_url: Text<2000>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<500>,
}

/// Binds several services to several mailboxes. Each pair has its own result; what is bound already is skipped.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct BatchBindServicesToMailboxes {
    /// The mailboxes' addresses, at most 1000.
    #[schemars(length(min = 1, max = 1000))]
    pub mailboxes: Vec<Address>,
    /// The ids of templates to bind, at most 50.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub template_ids: Vec<ServiceTemplateId>,
    /// Services without a template to bind, at most 50.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub custom_services: Vec<CustomService>,
    /// When the bindings end; without, never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// What became of all pairs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchBound {
    /// How many were bound.
    pub success_count: usize,
    /// How many were not, because they were bound already or the mailbox is not in use.
    pub skipped_count: usize,
    /// Each pair of a mailbox and a service.
    pub details: Vec<BoundItem>,
}

/// What became of one pair.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BoundItem {
    /// The mailbox's address.
    pub address: Address,
    /// What people call the service.
    pub service_name: String,
    /// `success` or `skipped`.
    #[schemars(extend("enum" = ["success", "skipped"]))]
    pub status: &'static str,
}

impl Operation for BatchBindServicesToMailboxes {
    type Output = BatchBound;
    const SPEC: Spec = Spec {
        name: "batch_bind_services_to_mailboxes",
        title: "Bind services to many mailboxes",
        rest: (Method::Post, "/services/batch-bind"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service.bind_batch"),
    };

    async fn run(self, ctx: &Ctx) -> Result<BatchBound> {
        let mut tx = ctx.begin().await?;
        let (batch, names) = self.batch(&mut tx).await?;
        let mut seen = HashSet::new();
        let addresses: Vec<&Address> = self.mailboxes.iter().filter(|address| seen.insert(*address)).collect();
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let bound: HashSet<(String, i64)> =
            store::service_links::bind_all(&mut tx, &texts, &batch, self.expires_at).await?.into_iter().collect();
        let pairs = addresses.iter().flat_map(|address| (1..).zip(&names).map(move |(place, name)| (*address, place, name)));
        let details: Vec<BoundItem> = pairs
            .map(|(address, place, name)| BoundItem {
                address: address.clone(),
                service_name: name.clone(),
                status: if bound.contains(&(address.to_string(), place)) { "success" } else { "skipped" },
            })
            .collect();
        let (success_count, skipped_count) = (bound.len(), details.len().saturating_sub(bound.len()));
        let target = format!("{} mailboxes", addresses.len());
        ctx.commit::<Self>(tx, &target, json!({ "services": names, "bound": success_count, "skipped": skipped_count })).await?;
        Ok(BatchBound { success_count, skipped_count, details })
    }
}

impl BatchBindServicesToMailboxes {
    /// The services as columns, each once, and their names.
    async fn batch(&self, db: &mut PgConnection) -> Result<(Batch, Vec<String>)> {
        let (mut batch, mut names) = (Batch::default(), Vec::new());
        let mut seen = HashSet::new();
        for id in self.template_ids.iter().filter(|id| seen.insert(**id)) {
            names.push(templates::found(db, *id).await?.name);
            batch.template_ids.push(Some(id.0));
            batch.names.push(None);
            batch.login_urls.push(None);
            batch.notes.push(None);
        }
        let mut seen = HashSet::new();
        for service in &self.custom_services {
            checked_name("custom_services", service.name.as_str())?;
            checked_url("custom_services", service.login_url.as_str())?;
            if seen.insert(service.name.as_str()) {
                names.push(service.name.as_str().to_owned());
                batch.template_ids.push(None);
                batch.names.push(Some(service.name.as_str().to_owned()));
                batch.login_urls.push(Some(service.login_url.as_str().to_owned()));
                batch.notes.push(Some(service.note.as_str().to_owned()));
            }
        }
        if names.is_empty() {
            return Err(Error::invalid("template_ids", "names nothing to bind; give template_ids, custom_services or both"));
        }
        Ok((batch, names))
    }
}

async fn mailbox_of(db: &mut PgConnection, address: &Address) -> Result<MailboxId> {
    store::mailboxes::readable_id(db, address).await?.ok_or_else(|| unknown_mailbox(address))
}

async fn found(db: &mut PgConnection, id: ServiceBindingId) -> Result<ServiceBinding> {
    let binding = store::service_links::bindings(db, Which::One(id)).await?.pop();
    binding.ok_or_else(|| Error::not_found("service", format!("There is no service {id} bound to a mailbox.")))
}
