//! Domains.

use askama::Template;
use axum::extract::Path;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::domains::CreateDomain;
use crate::operations::domains::DeleteDomain;
use crate::operations::domains::ListDomains;
use crate::operations::domains::UpdateDomain;
use crate::types::AuthPolicy;
use crate::types::Domain;
use crate::types::DomainName;
use crate::types::Int;
use crate::types::UnknownRecipients;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::errors::told;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

const HERE: &str = "/admin/domains";

#[derive(Debug, Template)]
#[template(path = "domains.html")]
struct DomainsPage {
    ui: Ui,
    domains: Vec<Domain>,
    policies: [&'static str; 3],
    auth_policies: [&'static str; 3],
    open_form: bool,
    form: DomainForm,
    errors: Errors,
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct DomainForm {
    name: String,
    unknown: String,
    deliver_to: String,
    auth_policy: String,
    is_default: bool_field::Checked,
}

/// A checkbox: sent as `yes`, or not at all.
mod bool_field {
    use serde::Deserialize;
    use serde::Deserializer;

    #[derive(Debug, Default, Clone, Copy)]
    pub(super) struct Checked(pub(super) bool);

    impl<'de> Deserialize<'de> for Checked {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer).map(|text| Self(text == "yes"))
        }
    }
}

impl DomainForm {
    /// The rule, or what is wrong with it and at which field.
    fn unknown(&self, ui: &Ui) -> Result<UnknownRecipients, (&'static str, String)> {
        match self.unknown.as_str() {
            "collect" => Ok(UnknownRecipients::Collect),
            "deliver" => match self.deliver_to.parse() {
                Ok(address) => Ok(UnknownRecipients::Deliver(address)),
                Err(reason) => Err(("deliver_to", told(ui, "address", &format!("{reason}")))),
            },
            _ => Ok(UnknownRecipients::Reject),
        }
    }
}

/// All domains; an installation has dozens, not thousands, so they fit a page.
pub(in crate::web) async fn all(admin: &Admin) -> Result<Vec<Domain>, Error> {
    let limit = Int::new(200);
    let mut domains = Vec::new();
    let mut cursor = None;
    loop {
        let page = admin.ctx.call(ListDomains { limit, cursor, ..ListDomains::default() }).await?;
        domains.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || domains.len() >= 2000 {
            return Ok(domains);
        }
    }
}

/// `GET /admin/domains`.
pub(in crate::web) async fn list(admin: Admin) -> Answer {
    let domains = all(&admin).await?;
    let open_form = domains.is_empty();
    render::page(&page(&admin, domains, open_form, DomainForm::default(), Errors::default()))
}

fn page(admin: &Admin, domains: Vec<Domain>, open_form: bool, form: DomainForm, errors: Errors) -> DomainsPage {
    let auth_policies = [AuthPolicy::Accept, AuthPolicy::Quarantine, AuthPolicy::Reject].map(AuthPolicy::as_str);
    let policies = ["reject", "collect", "deliver"];
    DomainsPage { ui: admin.ui(Section::Domains), domains, policies, auth_policies, open_form, form, errors }
}

async fn refused(admin: &Admin, form: DomainForm, errors: Errors, error: &Error) -> Answer {
    let domains = all(admin).await?;
    render::page_with(http::status(error), &page(admin, domains, true, form, errors))
}

/// `POST /admin/domains`.
pub(in crate::web) async fn create(admin: Admin, Form(form): Form<DomainForm>) -> Answer {
    let name: DomainName = match form.name.parse() {
        Ok(name) => name,
        Err(reason) => {
            let error = Error::invalid("name", format!("{reason}"));
            return refused(
                &admin,
                form,
                Errors::of_field("name", told(&admin.ui(Section::Domains), "domain", &format!("{reason}"))),
                &error,
            )
            .await;
        }
    };
    let unknown = match form.unknown(&admin.ui(Section::Domains)) {
        Ok(unknown) => unknown,
        Err((field, reason)) => return refused(&admin, form, Errors::of_field(field, reason), &Error::invalid(field, "")).await,
    };
    let auth_policy = AuthPolicy::from(form.auth_policy.clone());
    match admin.ctx.call(CreateDomain { is_default: form.is_default.0, unknown, auth_policy, ..CreateDomain::plain(name) }).await
    {
        Ok(_) => render::done(HERE, "domain_added"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Domains), &["name", "unknown"]);
            refused(&admin, form, errors, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/domains/{name}`.
pub(in crate::web) async fn update(admin: Admin, Path(name): Path<String>, Form(form): Form<DomainForm>) -> Answer {
    let name = parsed(&name)?;
    let unknown = if form.unknown.is_empty() {
        None
    } else {
        match form.unknown(&admin.ui(Section::Domains)) {
            Ok(unknown) => Some(unknown),
            Err((_, reason)) => {
                let errors = Errors::of_form(format!("{name}: {reason}"));
                return refused(&admin, DomainForm::default(), errors, &Error::invalid("unknown", "")).await;
            }
        }
    };
    let is_default = form.is_default.0.then_some(true);
    let auth_policy = if form.auth_policy.is_empty() { None } else { Some(AuthPolicy::from(form.auth_policy.clone())) };
    match admin.ctx.call(UpdateDomain { is_default, unknown, auth_policy, ..UpdateDomain::nothing(name) }).await {
        Ok(_) => render::done(HERE, "domain_changed"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Domains), &[]);
            refused(&admin, DomainForm::default(), errors, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/domains/{name}/delete`.
pub(in crate::web) async fn delete(admin: Admin, Path(name): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let name = parsed(&name)?;
    let ui = admin.ui(Section::Domains);
    let question = ConfirmPage::new(&admin, Section::Domains, HERE).ask(
        ui.t1("confirm.domain_delete", &name),
        ui.t("confirm.domain_delete_text"),
        ui.t("delete"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(DeleteDomain { name }).await {
        Ok(_) => render::done(HERE, "domain_deleted"),
        Err(error) => question.failed(error),
    }
}

pub(in crate::web) fn parsed(name: &str) -> Result<DomainName, Error> {
    name.parse().map_err(|_| Error::not_found("domain", format!("There is no domain {name}.")))
}
