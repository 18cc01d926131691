//! New mailboxes, one or many.

use askama::Template;
use axum_extra::extract::Form;
use chrono::TimeDelta;

use crate::error::Error;
use crate::http;
use crate::operations::mailboxes::CreateMailbox;
use crate::operations::mailboxes::CreateMailboxesBatch;
use crate::types::Address;
use crate::types::DomainName;
use crate::types::Int;
use crate::types::Text;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailboxes::Filter;
use crate::web::pages::mailboxes::MailboxesPage;
use crate::web::pages::mailboxes::NewForm;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

/// The most that the form makes at once.
const MOST: i64 = 100;

/// The passwords, shown once.
#[derive(Debug, Template)]
#[template(path = "mailboxes/created.html")]
struct CreatedPage {
    ui: Ui,
    created: Vec<(String, String)>,
    /// How many there are.
    number: i64,
    /// All of them, a line each, for the clipboard.
    all_lines: String,
    failed: Vec<String>,
}

impl CreatedPage {
    fn new(admin: &Admin, created: Vec<(String, String)>, failed: Vec<String>) -> Self {
        let lines: Vec<_> = created.iter().map(|(address, password)| format!("{address} {password}")).collect();
        let number = i64::try_from(created.len()).unwrap_or(i64::MAX);
        Self { ui: admin.ui(Section::Mailboxes), all_lines: lines.join("\n"), number, created, failed }
    }
}

/// `POST /admin/mailboxes`.
pub(in crate::web) async fn one(admin: Admin, Form(form): Form<NewForm>) -> Answer {
    match create_one(&admin, &form).await {
        Ok(page) => render::page(&page),
        Err(error) => {
            let mut errors = Errors::from_error(&error, &admin.ui(Section::Mailboxes), &["address", "note"]);
            if let Error::Conflict { code: "mailbox_exists", detail } = &error {
                errors = Errors::of_field("address", detail);
            }
            refused(&admin, form, error, errors, Errors::default()).await
        }
    }
}

async fn create_one(admin: &Admin, form: &NewForm) -> Result<CreatedPage, Error> {
    let address = address(form)?;
    let note = Text::new(&form.note).map_err(|reason| Error::invalid("note", reason))?;
    let made = admin.ctx.call(CreateMailbox { address: Some(address), note, expires_at: expiry(form.expires_in_days)? }).await?;
    Ok(CreatedPage::new(admin, vec![(made.mailbox.address.to_string(), made.password)], Vec::new()))
}

/// A whole address, or what stands before the @ of the chosen domain.
fn address(form: &NewForm) -> Result<Address, Error> {
    let wrong = |reason: &dyn std::fmt::Display| Error::invalid("address", reason.to_string());
    if form.address.contains('@') {
        return form.address.parse::<Address>().map_err(|reason| wrong(&reason));
    }
    Address::new(form.address.trim(), &domain(form)?).map_err(|reason| wrong(&reason))
}

fn domain(form: &NewForm) -> Result<DomainName, Error> {
    if form.domain.is_empty() {
        return Err(Error::conflict("no_domain", "There is no domain yet; add one first."));
    }
    form.domain.parse().map_err(|reason| Error::invalid("address", format!("has a domain that {reason}")))
}

fn expiry(days: i64) -> Result<Option<Timestamp>, Error> {
    match days {
        0 => Ok(None),
        1..=3650 => Ok(Some(Timestamp(Timestamp::now().0 + TimeDelta::days(days)))),
        _ => Err(Error::invalid("expires_in_days", "must be from 0 to 3650")),
    }
}

/// `POST /admin/mailboxes/batch`.
pub(in crate::web) async fn many(admin: Admin, Form(form): Form<NewForm>) -> Answer {
    match create_many(&admin, &form).await {
        Ok(page) => render::page(&page),
        Err(error) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Mailboxes), &["count"]);
            refused(&admin, form, error, Errors::default(), errors).await
        }
    }
}

async fn create_many(admin: &Admin, form: &NewForm) -> Result<CreatedPage, Error> {
    let count = form.count.trim().parse::<i64>().ok().filter(|n| (1..=MOST).contains(n)).and_then(Int::new);
    let count = count.ok_or_else(|| Error::invalid("count", format!("must be a number from 1 to {MOST}")))?;
    let operation = CreateMailboxesBatch {
        addresses: None,
        count: Some(count),
        domain: Some(domain(form)?),
        note: Text::default(),
        expires_at: expiry(form.expires_in_days)?,
    };
    let (mut created, mut failed) = (Vec::new(), Vec::new());
    for item in admin.ctx.call(operation).await? {
        match (item.password, item.error) {
            (Some(password), _) => created.push((item.address, password)),
            (None, error) => failed.push(format!("{}: {}", item.address, error.unwrap_or_default())),
        }
    }
    Ok(CreatedPage::new(admin, created, failed))
}

async fn refused(admin: &Admin, form: NewForm, error: Error, one: Errors, many: Errors) -> Answer {
    if !matches!(error, Error::Invalid(_) | Error::Conflict { .. } | Error::NotFound { .. }) {
        return Err(error.into());
    }
    let page = MailboxesPage::of(admin, Filter::default()).await?.refused(form, one, many);
    render::page_with(http::status(&error), &page)
}
