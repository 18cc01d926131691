//! Service templates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::mail::extract::Rule;
use crate::operations::listing::listing;
use crate::operations::{Ctx, Effect, Method, Operation, Spec};
use crate::store;
use crate::types::{ExtractionRules, Page, Scope, ServiceTemplate, ServiceTemplateId, Text};

use super::{checked_name, checked_url};

listing! {
    /// Lists the service templates, newest first.
    pub struct ListServiceTemplates {}
}

impl Operation for ListServiceTemplates {
    type Output = Page<ServiceTemplate>;
    const SPEC: Spec = Spec {
        name: "list_service_templates",
        title: "List service templates",
        rest: (Method::Get, "/service-templates"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<ServiceTemplate>> {
        let page = self.page();
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::service_links::templates(&mut db, None, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Makes a service template: a service that mailboxes are used for, with what its codes look like.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateServiceTemplate {
    /// What people call the service.
    pub name: Text<100>,
    /// The address of its sign-in page, beginning with https:// or http://.
    pub login_url: Text<2000>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<500>,
    /// What its codes look like; without, anything that looks like a code.
    #[serde(default)]
    pub extraction_rules: ExtractionRules,
}

impl Operation for CreateServiceTemplate {
    type Output = ServiceTemplate;
    const SPEC: Spec = Spec {
        name: "create_service_template",
        title: "Make a service template",
        rest: (Method::Post, "/service-templates"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service_template.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ServiceTemplate> {
        checked_name("name", self.name.as_str())?;
        checked_url("login_url", self.login_url.as_str())?;
        checked_rules(&self.extraction_rules)?;
        let mut tx = ctx.begin().await?;
        let (name, login_url) = (self.name.as_str(), self.login_url.as_str());
        let id =
            store::service_links::insert_template(&mut tx, name, login_url, self.note.as_str(), &self.extraction_rules).await?;
        let template = found(&mut tx, id).await?;
        ctx.commit::<Self>(tx, &id.to_string(), json!({ "name": name, "login_url": login_url })).await?;
        Ok(template)
    }
}

/// Changes a service template, for all mailboxes that it is bound to. What is not given stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateServiceTemplate {
    /// The template's id.
    pub id: ServiceTemplateId,
    /// What people call the service.
    #[serde(default)]
    pub name: Option<Text<100>>,
    /// The address of its sign-in page, beginning with https:// or http://.
    #[serde(default)]
    pub login_url: Option<Text<2000>>,
    /// A note for people.
    #[serde(default)]
    pub note: Option<Text<500>>,
    /// What its codes look like; replaces all rules there were.
    #[serde(default)]
    pub extraction_rules: Option<ExtractionRules>,
}

impl Operation for UpdateServiceTemplate {
    type Output = ServiceTemplate;
    const SPEC: Spec = Spec {
        name: "update_service_template",
        title: "Change a service template",
        rest: (Method::Patch, "/service-templates/{id}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Write,
        audit: Some("service_template.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ServiceTemplate> {
        let changes = store::service_links::TemplateChanges {
            name: self.name.as_ref().map(Text::as_str),
            login_url: self.login_url.as_ref().map(Text::as_str),
            note: self.note.as_ref().map(Text::as_str),
            rules: self.extraction_rules.as_ref(),
        };
        changes.name.map_or(Ok(()), |name| checked_name("name", name))?;
        changes.login_url.map_or(Ok(()), |url| checked_url("login_url", url))?;
        changes.rules.map_or(Ok(()), checked_rules)?;
        let mut tx = ctx.begin().await?;
        if !store::service_links::update_template(&mut tx, self.id, &changes).await? {
            return Err(unknown_template(self.id));
        }
        let template = found(&mut tx, self.id).await?;
        let detail = json!({ "name": self.name, "login_url": self.login_url, "extraction_rules": self.extraction_rules });
        ctx.commit::<Self>(tx, &self.id.to_string(), detail).await?;
        Ok(template)
    }
}

/// Removes a service template, and takes it from all mailboxes that it is bound to.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteServiceTemplate {
    /// The template's id.
    pub id: ServiceTemplateId,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedServiceTemplate {
    /// The template's id.
    pub id: ServiceTemplateId,
    /// How many mailboxes it was taken from.
    pub removed_bindings: i64,
}

impl Operation for DeleteServiceTemplate {
    type Output = DeletedServiceTemplate;
    const SPEC: Spec = Spec {
        name: "delete_service_template",
        title: "Remove a service template",
        rest: (Method::Delete, "/service-templates/{id}"),
        scope: Scope::MailboxWrite,
        effect: Effect::Destructive,
        audit: Some("service_template.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedServiceTemplate> {
        let mut tx = ctx.begin().await?;
        let template = found(&mut tx, self.id).await?;
        store::service_links::delete_template(&mut tx, self.id).await?;
        let removed_bindings = template.binding_count;
        let detail = json!({ "name": template.name, "removed_bindings": removed_bindings });
        ctx.commit::<Self>(tx, &self.id.to_string(), detail).await?;
        Ok(DeletedServiceTemplate { id: self.id, removed_bindings })
    }
}

/// Rules are compiled where mail is read; what does not compile is refused here.
fn checked_rules(rules: &ExtractionRules) -> Result<()> {
    let compiled = Rule::new("new", rules.clone()).map(drop);
    compiled.map_err(|wrong| Error::invalid(format!("extraction_rules/{}", wrong.field), wrong.reason))
}

pub(super) fn unknown_template(id: ServiceTemplateId) -> Error {
    Error::not_found("service_template", format!("There is no service template {id}."))
}

pub(super) async fn found(db: &mut PgConnection, id: ServiceTemplateId) -> Result<ServiceTemplate> {
    store::service_links::templates(db, Some(id), None, 1, 0).await?.pop().ok_or_else(|| unknown_template(id))
}
