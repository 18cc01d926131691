//! API keys.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::api_keys::CreateApiKey;
use crate::operations::api_keys::CreatedApiKey;
use crate::operations::api_keys::DeleteApiKey;
use crate::operations::api_keys::ListApiKeys;
use crate::operations::api_keys::RevokeApiKey;
use crate::types::Address;
use crate::types::ApiKey;
use crate::types::ApiKeyId;
use crate::types::DomainName;
use crate::types::Int;
use crate::types::InvalidAddress;
use crate::types::InvalidDomainName;
use crate::types::Scope;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::cursor;
use crate::web::pages::overview;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

const HERE: &str = "/admin/api-keys";
const PRESETS: [&str; 5] = ["tester", "ci", "agent", "full", "custom"];
/// After how many days a key may end; 0 is never.
const EXPIRIES: [i64; 5] = [0, 7, 30, 90, 365];

const FIELDS: [&str; 6] = ["name", "scopes", "expires_in_days", "limits", "reads_per_minute", "writes_per_minute"];

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    cursor: String,
    new: String,
}

/// The domains and mailboxes that a key is limited to.
type Limits = (Option<Vec<DomainName>>, Option<Vec<Address>>);

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct KeyForm {
    name: String,
    expires_in_days: i64,
    preset: String,
    limits: String,
    reads_per_minute: String,
    writes_per_minute: String,
    #[serde(rename = "scope")]
    scopes: Vec<String>,
}

impl KeyForm {
    fn scopes(&self) -> Result<Option<Vec<Scope>>, Error> {
        let fixed: &[Scope] = match self.preset.as_str() {
            "full" => return Ok(None),
            "tester" => &[Scope::MailRead, Scope::CodeRead, Scope::MailboxRead],
            "ci" => &[Scope::MailRead, Scope::CodeRead, Scope::MailWrite, Scope::MailboxRead, Scope::MailboxWrite],
            "agent" => &[Scope::MailRead, Scope::CodeRead, Scope::MailboxRead, Scope::MailboxWrite, Scope::PoolLease],
            _ => {
                let chosen: Result<Vec<Scope>, String> = self.scopes.iter().map(|name| name.parse()).collect();
                let chosen = chosen.map_err(|reason| Error::invalid("scopes", reason))?;
                if chosen.is_empty() {
                    return Err(Error::invalid("scopes", "needs at least one permission"));
                }
                return Ok(Some(chosen));
            }
        };
        Ok(Some(fixed.to_vec()))
    }

    /// The domains and mailboxes that the key is limited to; neither where the field is empty.
    fn limits(&self) -> Result<Limits, Error> {
        let (mut domains, mut mailboxes) = (Vec::new(), Vec::new());
        for name in self.limits.split([',', ' ', '\n', '\r', '\t']).filter(|name| !name.is_empty()) {
            let wrong = |reason: String| Error::invalid("limits", format!("has {name}, which is no domain or address: {reason}"));
            if name.contains('@') {
                mailboxes.push(name.parse().map_err(|reason: InvalidAddress| wrong(reason.to_string()))?);
            } else {
                domains.push(name.parse().map_err(|reason: InvalidDomainName| wrong(reason.to_string()))?);
            }
        }
        let given = !domains.is_empty() || !mailboxes.is_empty();
        Ok((given.then_some(domains), given.then_some(mailboxes)))
    }
}

#[derive(Debug, Template)]
#[template(path = "api_keys.html")]
struct KeysPage {
    ui: Ui,
    keys: Vec<ApiKey>,
    next: Option<String>,
    presets: [&'static str; 5],
    expiries: [i64; 5],
    scopes: Vec<String>,
    open_form: bool,
    form: KeyForm,
    errors: Errors,
}

/// The whole key, shown once.
#[derive(Debug, Template)]
#[template(path = "api_key_created.html")]
struct KeyCreatedPage {
    ui: Ui,
    name: String,
    key: String,
    curl: String,
}

async fn page(admin: &Admin, asked: &Asked) -> Result<KeysPage, Error> {
    let page = admin.ctx.call(ListApiKeys { cursor: cursor(&asked.cursor)?, ..ListApiKeys::default() }).await?;
    Ok(KeysPage {
        ui: admin.ui(Section::ApiKeys),
        keys: page.items,
        next: page.next_cursor.map(|next| format!("{HERE}?cursor={}", encode(String::from(next)))),
        presets: PRESETS,
        expiries: EXPIRIES,
        scopes: Scope::ALL.iter().map(|scope| scope.as_str().to_owned()).collect(),
        open_form: !asked.new.is_empty(),
        form: KeyForm { preset: "tester".to_owned(), ..KeyForm::default() },
        errors: Errors::default(),
    })
}

/// `GET /admin/api-keys`.
pub(in crate::web) async fn list(admin: Admin, Query(asked): Query<Asked>) -> Answer {
    render::page(&page(&admin, &asked).await?)
}

/// `POST /admin/api-keys`.
pub(in crate::web) async fn create(admin: Admin, Form(form): Form<KeyForm>) -> Answer {
    match make(&admin, &form).await {
        Ok(made) => {
            let url = admin.ctx.services.config.link("/api/v1/admin/verification-code");
            let curl = overview::code_line(&url, &overview::a_mailbox(&admin).await?, &made.key);
            render::page(&KeyCreatedPage { ui: admin.ui(Section::ApiKeys), name: made.api_key.name, key: made.key, curl })
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::ApiKeys), &FIELDS);
            let page = KeysPage { open_form: true, form, errors, ..page(&admin, &Asked::default()).await? };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn make(admin: &Admin, form: &KeyForm) -> Result<CreatedApiKey, Error> {
    let name = Text::new(form.name.trim()).map_err(|reason| Error::invalid("name", reason))?;
    let expires_in_days = match form.expires_in_days {
        0 => None,
        days => Some(Int::new(days).ok_or_else(|| Error::invalid("expires_in_days", "must be from 1 to 3650"))?),
    };
    let (domains, mailboxes) = form.limits()?;
    let scopes = form.scopes()?;
    let reads_per_minute = pace("reads_per_minute", &form.reads_per_minute)?;
    let writes_per_minute = pace("writes_per_minute", &form.writes_per_minute)?;
    let new = CreateApiKey { name, scopes, expires_in_days, domains, mailboxes, reads_per_minute, writes_per_minute };
    admin.ctx.call(new).await
}

/// How much a minute; empty is the default.
fn pace(field: &'static str, text: &str) -> Result<Option<Int<1, 1_000_000>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let pace = text.trim().parse().ok().and_then(Int::new);
    pace.map(Some).ok_or_else(|| Error::invalid(field, "must be a whole number from 1 to 1000000"))
}

/// `POST /admin/api-keys/{id}/revoke`.
pub(in crate::web) async fn revoke(admin: Admin, Path(id): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let id = parsed(&id)?;
    let ui = admin.ui(Section::ApiKeys);
    let name = name_of(&admin, id).await?;
    let question = ConfirmPage::new(&admin, Section::ApiKeys, HERE).ask(
        ui.t1("confirm.key_revoke", name),
        ui.t("confirm.key_revoke_text"),
        ui.t("keys.revoke"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(RevokeApiKey { id }).await {
        Ok(_) => render::done(HERE, "key_revoked"),
        Err(error) => question.failed(error),
    }
}

/// `POST /admin/api-keys/{id}/delete`.
pub(in crate::web) async fn delete(admin: Admin, Path(id): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let id = parsed(&id)?;
    let ui = admin.ui(Section::ApiKeys);
    let name = name_of(&admin, id).await?;
    let question = ConfirmPage::new(&admin, Section::ApiKeys, HERE).ask(
        ui.t1("confirm.key_delete", name),
        ui.t("confirm.key_delete_text"),
        ui.t("delete"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(DeleteApiKey { id }).await {
        Ok(_) => render::done(HERE, "key_deleted"),
        Err(error) => question.failed(error),
    }
}

fn parsed(id: &str) -> Result<ApiKeyId, Error> {
    id.parse().map_err(|_| Error::not_found("api_key", "There is no such key."))
}

/// The name for the question; the id where the key is not among the newest.
async fn name_of(admin: &Admin, id: ApiKeyId) -> Result<String, Error> {
    let newest = admin.ctx.call(ListApiKeys { limit: Int::new(200), ..ListApiKeys::default() }).await?;
    Ok(newest.items.into_iter().find(|key| key.id == id).map_or_else(|| id.to_string(), |key| key.name))
}
