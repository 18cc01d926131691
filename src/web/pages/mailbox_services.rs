//! The services that a mailbox is used for, each with its end.

use axum::extract::Path;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::service_links::AddCustomServiceToMailbox;
use crate::operations::service_links::AddServiceToMailbox;
use crate::operations::service_links::GetMailboxServices;
use crate::operations::service_links::ListServiceTemplates;
use crate::operations::service_links::RemoveServiceFromMailbox;
use crate::operations::service_links::UpdateServiceExpiration;
use crate::types::Address;
use crate::types::Int;
use crate::types::Mailbox;
use crate::types::ServiceBinding;
use crate::types::ServiceBindingId;
use crate::types::ServiceTemplate;
use crate::types::Text;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailbox::SettingsPage;
use crate::web::pages::mailbox::settings_of;
use crate::web::pages::mailbox::start_of;
use crate::web::pages::mailboxes::parsed;
use crate::web::render;
use crate::web::render::Answer;

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct ServiceForm {
    /// A template's id; empty is a service without one.
    pub template_id: String,
    pub name: String,
    pub login_url: String,
    pub service_note: String,
    /// A day as in `2026-11-20`; empty is never.
    pub ends_on: String,
}

/// The services of a mailbox.
#[derive(Debug, Default)]
pub(in crate::web) struct Bound {
    pub services: Vec<ServiceBinding>,
    /// Templates to choose from, the newest 200.
    pub templates: Vec<ServiceTemplate>,
    pub form: ServiceForm,
    pub errors: Errors,
}

impl Bound {
    /// Those of a mailbox.
    pub(in crate::web) async fn of(admin: &Admin, mailbox: &Mailbox) -> Result<Self, Error> {
        let services = admin.ctx.call(GetMailboxServices { address: mailbox.address.clone() }).await?;
        let list = ListServiceTemplates { limit: Int::new(200), ..ListServiceTemplates::default() };
        let templates = admin.ctx.call(list).await?.items;
        let is_free = |template: &ServiceTemplate| services.iter().all(|service| service.template_id != Some(template.id));
        let templates = templates.into_iter().filter(is_free).collect();
        Ok(Self { services, templates, ..Self::default() })
    }

    /// Whether the form for a service without a template is to be mended.
    pub(in crate::web) fn is_custom_open(&self) -> bool {
        !self.form.name.is_empty() || !self.form.login_url.is_empty()
    }
}

/// The start of a day (UTC); `None` where none is given.
fn end(day: &str) -> Result<Option<Timestamp>, Error> {
    match day.trim() {
        "" => Ok(None),
        day => start_of(day).map(Some).map_err(|_| Error::invalid("ends_on", "is not a day such as 2026-11-20")),
    }
}

/// `POST /admin/mailboxes/{address}/services`.
pub(in crate::web) async fn add(admin: Admin, Path(address): Path<String>, Form(form): Form<ServiceForm>) -> Answer {
    let address = parsed(&address)?;
    match bind(&admin, &address, &form).await {
        Ok(_) => render::done(&settings_of(&address), "service_added"),
        Err(error) => {
            let keep = |page: &mut SettingsPage, errors| {
                page.bound.errors = errors;
                page.bound.form = form;
            };
            SettingsPage::refused(&admin, &address, error, keep).await
        }
    }
}

async fn bind(admin: &Admin, address: &Address, form: &ServiceForm) -> Result<ServiceBinding, Error> {
    let expires_at = end(&form.ends_on)?;
    let address = address.clone();
    if !form.template_id.is_empty() {
        let template_id =
            form.template_id.parse().map_err(|_| Error::not_found("service_template", "There is no such template."))?;
        return admin.ctx.call(AddServiceToMailbox { address, template_id, expires_at }).await;
    }
    let custom = AddCustomServiceToMailbox {
        address,
        name: Text::new(&form.name).map_err(|reason| Error::invalid("name", reason))?,
        login_url: Text::new(&form.login_url).map_err(|reason| Error::invalid("login_url", reason))?,
        note: Text::new(&form.service_note).map_err(|reason| Error::invalid("service_note", reason))?,
        expires_at,
    };
    admin.ctx.call(custom).await
}

/// `POST /admin/mailboxes/{address}/services/{id}`: sets when it ends.
pub(in crate::web) async fn set_end(
    admin: Admin,
    Path((address, id)): Path<(String, String)>,
    Form(form): Form<ServiceForm>,
) -> Answer {
    let (address, id) = (parsed(&address)?, binding(&id)?);
    let result = match end(&form.ends_on) {
        Ok(expires_at) => admin.ctx.call(UpdateServiceExpiration { id, expires_at }).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => render::done(&settings_of(&address), "service_changed"),
        Err(error) => SettingsPage::refused(&admin, &address, error, |page, errors| page.bound.errors = errors).await,
    }
}

/// `POST /admin/mailboxes/{address}/services/{id}/remove`.
pub(in crate::web) async fn remove(admin: Admin, Path((address, id)): Path<(String, String)>) -> Answer {
    let (address, id) = (parsed(&address)?, binding(&id)?);
    match admin.ctx.call(RemoveServiceFromMailbox { id }).await {
        // Pressing the button twice makes no error.
        Ok(_) | Err(Error::NotFound { .. }) => render::done(&settings_of(&address), "service_removed"),
        Err(error) => Err(error.into()),
    }
}

fn binding(id: &str) -> Result<ServiceBindingId, Error> {
    id.parse().map_err(|_| Error::not_found("service", "There is no such service."))
}
