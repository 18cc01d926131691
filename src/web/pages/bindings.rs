//! Which mailboxes are used for which services: the list, when each ends, and binding many at once.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum_extra::extract::Form;
use chrono::NaiveDate;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::service_links::BatchBindServicesToMailboxes;
use crate::operations::service_links::BatchBound;
use crate::operations::service_links::ListServiceBindings;
use crate::operations::service_links::RemoveServiceFromMailbox;
use crate::operations::service_links::UpdateServiceExpiration;
use crate::types::Address;
use crate::types::ServiceBinding;
use crate::types::ServiceBindingId;
use crate::types::ServiceTemplate;
use crate::types::ServiceTemplateId;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::errors::told;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::cursor;
use crate::web::pages::pasted;
use crate::web::pages::services;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

const HERE: &str = "/admin/services/bindings";
const ENDS: [&str; 4] = ["", "soon", "ended", "going"];
/// What "soon" means, in days.
const SOON: i64 = 7;

/// What the list shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    template: String,
    mailbox: String,
    /// `soon`, `ended`, `going`, or all.
    ends: String,
    cursor: String,
    /// Whether the form is open.
    new: String,
}

impl Filter {
    fn is_narrow(&self) -> bool {
        !(self.template.is_empty() && self.mailbox.trim().is_empty() && self.ends.is_empty())
    }

    fn href(&self) -> String {
        let (template, mailbox) = (encode(&self.template), encode(self.mailbox.trim()));
        format!("{HERE}?template={template}&mailbox={mailbox}&ends={}", encode(&self.ends))
    }

    /// The page that is shown, to come back to.
    fn here(&self) -> String {
        if self.cursor.is_empty() { self.href() } else { format!("{}&cursor={}", self.href(), encode(&self.cursor)) }
    }

    fn operation(&self) -> Result<ListServiceBindings, Error> {
        let template_id = if self.template.is_empty() { None } else { Some(services::parsed(&self.template)?) };
        let mailbox = match self.mailbox.trim() {
            "" => None,
            text => Some(text.parse::<Address>().map_err(|reason| Error::invalid("mailbox", reason.to_string()))?),
        };
        let soon = Timestamp(Timestamp::now().0 + TimeDelta::days(SOON));
        let (ends_before, is_expired) = match self.ends.as_str() {
            "soon" => (Some(soon), Some(false)),
            "ended" => (None, Some(true)),
            "going" => (None, Some(false)),
            _ => (None, None),
        };
        let cursor = cursor(&self.cursor)?;
        Ok(ListServiceBindings { template_id, mailbox, ends_before, is_expired, cursor, ..ListServiceBindings::default() })
    }
}

/// What the form for many sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct BatchForm {
    addresses: String,
    #[serde(rename = "template")]
    templates: Vec<String>,
    /// A day as in `2026-11-20`; empty is never.
    expires_on: String,
}

impl BatchForm {
    fn has(&self, template: &ServiceTemplate) -> bool {
        self.templates.contains(&template.id.to_string())
    }
}

#[derive(Debug, Template)]
#[template(path = "services/bindings.html")]
struct BindingsPage {
    ui: Ui,
    filter: Filter,
    bindings: Vec<ServiceBinding>,
    templates: Vec<ServiceTemplate>,
    ends: [&'static str; 4],
    next: Option<String>,
    open_form: bool,
    form: BatchForm,
    errors: Errors,
    /// Of the filter.
    filter_errors: Errors,
}

/// What became of each pair.
#[derive(Debug, Template)]
#[template(path = "services/bound.html")]
struct BoundPage {
    ui: Ui,
    bound: BatchBound,
    bound_count: i64,
    skipped_count: i64,
    wrong: Vec<String>,
}

async fn page(admin: &Admin, filter: Filter) -> Result<(Option<Error>, BindingsPage), Error> {
    let ui = admin.ui(Section::Services);
    let read = match filter.operation() {
        Ok(list) => admin.ctx.call(list).await,
        Err(error) => Err(error),
    };
    let (bindings, next, wrong) = match read {
        Ok(page) => (page.items, page.next_cursor, None),
        Err(error @ Error::Invalid(_)) => (Vec::new(), None, Some(error)),
        Err(error) => return Err(error),
    };
    let page = BindingsPage {
        next: next.map(|next| format!("{}&cursor={}", filter.href(), encode(String::from(next)))),
        bindings,
        templates: services::newest(admin).await?,
        ends: ENDS,
        open_form: !filter.new.is_empty(),
        form: BatchForm::default(),
        errors: Errors::default(),
        filter_errors: wrong.as_ref().map(|error| Errors::from_error(error, &ui, &["mailbox"])).unwrap_or_default(),
        filter,
        ui,
    };
    Ok((wrong, page))
}

/// `GET /admin/services/bindings`.
pub(in crate::web) async fn list(admin: Admin, Query(filter): Query<Filter>) -> Answer {
    match page(&admin, filter).await? {
        (Some(error), page) => render::page_with(http::status(&error), &page),
        (None, page) => render::page(&page),
    }
}

/// `POST /admin/services/bindings`: binds the chosen services to all mailboxes that were pasted.
pub(in crate::web) async fn bind(admin: Admin, Form(form): Form<BatchForm>) -> Answer {
    let (mailboxes, wrong) = pasted::addresses(&form.addresses);
    let result = match checked(&form, &mailboxes) {
        Ok((template_ids, expires_at)) => {
            let batch = BatchBindServicesToMailboxes { mailboxes, template_ids, custom_services: Vec::new(), expires_at };
            admin.ctx.call(batch).await
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(bound) => {
            let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
            let (bound_count, skipped_count) = (count(bound.success_count), count(bound.skipped_count));
            render::page(&BoundPage { ui: admin.ui(Section::Services), bound, bound_count, skipped_count, wrong })
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. } | Error::NotFound { .. })) => {
            let fields = ["addresses", "template_ids", "expires_at"];
            let errors = Errors::from_error(&error, &admin.ui(Section::Services), &fields);
            let page = BindingsPage { open_form: true, form, errors, ..page(&admin, Filter::default()).await?.1 };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

fn checked(form: &BatchForm, mailboxes: &[Address]) -> Result<(Vec<ServiceTemplateId>, Option<Timestamp>), Error> {
    if mailboxes.is_empty() {
        return Err(Error::invalid("addresses", "has no address in it"));
    }
    let templates: Result<Vec<_>, Error> = form.templates.iter().map(|id| services::parsed(id)).collect();
    Ok((templates?, day(&form.expires_on)?))
}

/// The start of a day, by UTC; empty is never.
fn day(text: &str) -> Result<Option<Timestamp>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let at = date.map(|date| date.and_utc()).filter(|at| (0..=253_402_300_799).contains(&at.timestamp()));
    at.map(|at| Some(Timestamp(at))).ok_or_else(|| Error::invalid("expires_at", "is not a day such as 2026-11-20"))
}

/// What the form of one binding sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct ExpiryForm {
    expires_on: String,
    next: String,
}

fn parsed(id: &str) -> Result<ServiceBindingId, Error> {
    id.parse().map_err(|_| Error::not_found("service", "There is no such binding."))
}

/// The list as it was shown, or all of it.
fn back(next: &str) -> &str {
    if next.starts_with(HERE) { render::safe_next(next) } else { HERE }
}

/// `POST /admin/services/bindings/{id}`.
pub(in crate::web) async fn set_end(admin: Admin, Path(id): Path<String>, Form(form): Form<ExpiryForm>) -> Answer {
    let id = parsed(&id)?;
    let expires_at = match day(&form.expires_on) {
        Ok(at) => at,
        Err(error) => {
            let errors = Errors::of_form(told(&admin.ui(Section::Services), "expires_at", "is not a day such as 2026-11-20"));
            let page = BindingsPage { filter_errors: errors, ..page(&admin, Filter::default()).await?.1 };
            return render::page_with(http::status(&error), &page);
        }
    };
    admin.ctx.call(UpdateServiceExpiration { id, expires_at }).await?;
    render::done(back(&form.next), "binding_changed")
}

/// `POST /admin/services/bindings/{id}/delete`.
pub(in crate::web) async fn delete(admin: Admin, Path(id): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let id = parsed(&id)?;
    let ui = admin.ui(Section::Services);
    let question = ConfirmPage::new(&admin, Section::Services, back(&form.next)).ask(
        ui.t("services.unbind_title").to_owned(),
        ui.t("services.unbind_text"),
        ui.t("services.unbind"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(RemoveServiceFromMailbox { id }).await {
        Ok(_) => render::done(back(&form.next), "binding_deleted"),
        Err(error) => question.failed(error),
    }
}
