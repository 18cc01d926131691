//! Service templates: what mailboxes are used for, and what the codes of each service look like.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::error::Fault;
use crate::http;
use crate::operations::service_links::CreateServiceTemplate;
use crate::operations::service_links::DeleteServiceTemplate;
use crate::operations::service_links::ListServiceTemplates;
use crate::operations::service_links::UpdateServiceTemplate;
use crate::types::Alphabet;
use crate::types::ExtractionRules;
use crate::types::Int;
use crate::types::ServiceTemplate;
use crate::types::ServiceTemplateId;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::cursor;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

pub(in crate::web) const HERE: &str = "/admin/services";
const ALPHABETS: [&str; 4] = ["", "digits", "letters", "letters_and_digits"];
const FIELDS: [&str; 7] = ["name", "login_url", "note", "sender", "min_length", "max_length", "pattern"];

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    cursor: String,
    new: String,
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct TemplateForm {
    name: String,
    login_url: String,
    note: String,
    sender: String,
    min_length: String,
    max_length: String,
    alphabet: String,
    pattern: String,
}

/// A template's inputs, checked.
struct Given {
    name: Text<100>,
    login_url: Text<2000>,
    note: Text<500>,
    extraction_rules: ExtractionRules,
}

impl TemplateForm {
    fn of(template: &ServiceTemplate) -> Self {
        let rules = template.extraction_rules.clone();
        let length = |length: Option<u8>| length.map(|n| n.to_string()).unwrap_or_default();
        Self {
            name: template.name.clone(),
            login_url: template.login_url.clone(),
            note: template.note.clone(),
            sender: rules.sender.unwrap_or_default(),
            min_length: length(rules.min_length),
            max_length: length(rules.max_length),
            alphabet: rules.alphabet.map(alphabet_name).unwrap_or_default().to_owned(),
            pattern: rules.pattern.unwrap_or_default(),
        }
    }

    fn given(&self) -> Result<Given, Error> {
        let text = |field: &'static str| move |reason: String| Error::invalid(field, reason);
        Ok(Given {
            name: Text::new(&self.name).map_err(text("name"))?,
            login_url: Text::new(&self.login_url).map_err(text("login_url"))?,
            note: Text::new(&self.note).map_err(text("note"))?,
            extraction_rules: ExtractionRules {
                sender: some(&self.sender),
                min_length: length("min_length", &self.min_length)?,
                max_length: length("max_length", &self.max_length)?,
                alphabet: match self.alphabet.as_str() {
                    "digits" => Some(Alphabet::Digits),
                    "letters" => Some(Alphabet::Letters),
                    "letters_and_digits" => Some(Alphabet::LettersAndDigits),
                    _ => None,
                },
                pattern: some(&self.pattern),
            },
        })
    }
}

fn alphabet_name(alphabet: Alphabet) -> &'static str {
    match alphabet {
        Alphabet::Digits => "digits",
        Alphabet::Letters => "letters",
        Alphabet::LettersAndDigits => "letters_and_digits",
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn length(field: &'static str, text: &str) -> Result<Option<u8>, Error> {
    let wrong = || Error::invalid(field, "must be a whole number from 1 to 64");
    if text.trim().is_empty() { Ok(None) } else { text.trim().parse().map(Some).map_err(|_| wrong()) }
}

/// The form has the rules beside the other fields.
fn flattened(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let flat = |fault: Fault| Fault {
        field: fault.field.strip_prefix("extraction_rules/").map(|name| name.to_owned().into()).unwrap_or(fault.field),
        reason: fault.reason,
    };
    Error::Invalid(faults.into_iter().map(flat).collect())
}

#[derive(Debug, Template)]
#[template(path = "services/list.html")]
struct TemplatesPage {
    ui: Ui,
    templates: Vec<ServiceTemplate>,
    next: Option<String>,
    alphabets: [&'static str; 4],
    open_form: bool,
    form: TemplateForm,
    errors: Errors,
}

#[derive(Debug, Template)]
#[template(path = "services/template.html")]
struct TemplatePage {
    ui: Ui,
    template: ServiceTemplate,
    alphabets: [&'static str; 4],
    form: TemplateForm,
    errors: Errors,
}

async fn page(admin: &Admin, asked: &Asked) -> Result<TemplatesPage, Error> {
    let list = ListServiceTemplates { cursor: cursor(&asked.cursor)?, ..ListServiceTemplates::default() };
    let page = admin.ctx.call(list).await?;
    Ok(TemplatesPage {
        ui: admin.ui(Section::Services),
        templates: page.items,
        next: page.next_cursor.map(|next| format!("{HERE}?cursor={}", encode(String::from(next)))),
        alphabets: ALPHABETS,
        open_form: !asked.new.is_empty(),
        form: TemplateForm::default(),
        errors: Errors::default(),
    })
}

/// The newest templates, for choices.
pub(in crate::web) async fn newest(admin: &Admin) -> Result<Vec<ServiceTemplate>, Error> {
    let list = ListServiceTemplates { limit: Int::new(200), ..ListServiceTemplates::default() };
    Ok(admin.ctx.call(list).await?.items)
}

/// `GET /admin/services`.
pub(in crate::web) async fn list(admin: Admin, Query(asked): Query<Asked>) -> Answer {
    render::page(&page(&admin, &asked).await?)
}

/// `POST /admin/services`.
pub(in crate::web) async fn create(admin: Admin, Form(form): Form<TemplateForm>) -> Answer {
    let result = match form.given() {
        Ok(Given { name, login_url, note, extraction_rules }) => {
            admin.ctx.call(CreateServiceTemplate { name, login_url, note, extraction_rules }).await
        }
        Err(error) => Err(error),
    };
    match result.map_err(flattened) {
        Ok(_) => render::done(HERE, "template_added"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Services), &FIELDS);
            let page = TemplatesPage { open_form: true, form, errors, ..page(&admin, &Asked::default()).await? };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

pub(in crate::web) fn parsed(id: &str) -> Result<ServiceTemplateId, Error> {
    id.parse().map_err(|_| Error::not_found("service_template", "There is no such service template."))
}

/// One template. There is no operation for one alone; among the newest is where people look.
async fn find(admin: &Admin, id: ServiceTemplateId) -> Result<ServiceTemplate, Error> {
    let mut from = None;
    loop {
        let list = ListServiceTemplates { limit: Int::new(200), cursor: from, ..ListServiceTemplates::default() };
        let page = admin.ctx.call(list).await?;
        if let Some(found) = page.items.into_iter().find(|template| template.id == id) {
            return Ok(found);
        }
        from = page.next_cursor;
        if from.is_none() {
            return Err(Error::not_found("service_template", format!("There is no service template {id}.")));
        }
    }
}

fn template_page(admin: &Admin, template: ServiceTemplate) -> TemplatePage {
    let form = TemplateForm::of(&template);
    TemplatePage { ui: admin.ui(Section::Services), template, alphabets: ALPHABETS, form, errors: Errors::default() }
}

/// `GET /admin/services/{id}`.
pub(in crate::web) async fn show(admin: Admin, Path(id): Path<String>) -> Answer {
    let template = find(&admin, parsed(&id)?).await?;
    render::page(&template_page(&admin, template))
}

/// `POST /admin/services/{id}`.
pub(in crate::web) async fn update(admin: Admin, Path(id): Path<String>, Form(form): Form<TemplateForm>) -> Answer {
    let id = parsed(&id)?;
    let result = match form.given() {
        Ok(given) => {
            let change = UpdateServiceTemplate {
                id,
                name: Some(given.name),
                login_url: Some(given.login_url),
                note: Some(given.note),
                extraction_rules: Some(given.extraction_rules),
            };
            admin.ctx.call(change).await
        }
        Err(error) => Err(error),
    };
    match result.map_err(flattened) {
        Ok(_) => render::done(&format!("{HERE}/{id}"), "template_changed"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Services), &FIELDS);
            let page = TemplatePage { form, errors, ..template_page(&admin, find(&admin, id).await?) };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/services/{id}/delete`.
pub(in crate::web) async fn delete(admin: Admin, Path(id): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let id = parsed(&id)?;
    let template = find(&admin, id).await?;
    let ui = admin.ui(Section::Services);
    let question = ConfirmPage::new(&admin, Section::Services, HERE).ask(
        ui.t1("services.delete_title", template.name),
        &ui.count("services.delete_text", &template.binding_count),
        ui.t("delete"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(DeleteServiceTemplate { id }).await {
        Ok(_) => render::done(HERE, "service_deleted"),
        Err(error) => question.failed(error),
    }
}
