//! One domain: its DNS, who receives in it, its aliases, and what senders report.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::ingest::Explanation;
use crate::operations::aliases::CreateAlias;
use crate::operations::aliases::DeleteAlias;
use crate::operations::aliases::ListAliases;
use crate::operations::aliases::UpdateAlias;
use crate::operations::domain_check::CheckDomain;
use crate::operations::domains::UpdateDomain;
use crate::operations::recipients::ExplainRecipient;
use crate::operations::tls_reports::ListTlsReports;
use crate::types::Address;
use crate::types::Alias;
use crate::types::Domain;
use crate::types::DomainCheck;
use crate::types::DomainName;
use crate::types::Int;
use crate::types::MtaSts;
use crate::types::Postmaster;
use crate::types::Text;
use crate::types::TlsReport;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::errors::told;
use crate::web::pages::domains;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

#[derive(Debug, Template)]
#[template(path = "domain.html")]
struct DomainPage {
    ui: Ui,
    domain: Domain,
    check: DomainCheck,
    aliases: Vec<Alias>,
    reports: Vec<TlsReport>,
    asked: String,
    explanation: Option<Explanation>,
    modes: [MtaSts; 3],
    form: AliasForm,
    errors: Errors,
}

/// What the page is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    explain: String,
}

/// A new alias.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct AliasForm {
    local: String,
    mailboxes: String,
    note: String,
}

/// The domain's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SettingsForm {
    takes_subdomains: String,
    postmaster: String,
    mta_sts: String,
}

/// `GET /admin/domains/{name}`.
pub(in crate::web) async fn show(admin: Admin, Path(name): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let name = domains::parsed(&name)?;
    let page = page(&admin, &name, asked.explain, AliasForm::default(), Errors::default()).await?;
    render::page(&page)
}

async fn page(admin: &Admin, name: &DomainName, asked: String, form: AliasForm, errors: Errors) -> Result<DomainPage, Error> {
    let ui = admin.ui(Section::Domains);
    let all = domains::all(admin).await?;
    let missing = || Error::not_found("domain", format!("There is no domain {name}."));
    let domain = all.into_iter().find(|domain| domain.name == *name).ok_or_else(missing)?;
    let (aliases, check, reports) = Box::pin(futures_util::future::join3(
        admin.ctx.call(ListAliases { domain: Some(name.clone()), limit: Int::new(200), ..ListAliases::default() }),
        admin.ctx.call(CheckDomain { name: name.clone(), last: true }),
        admin.ctx.call(ListTlsReports { domain: Some(name.clone()), limit: Int::new(20), ..ListTlsReports::default() }),
    ))
    .await;
    let (explanation, errors) = explained(admin, &ui, name, &asked, errors).await?;
    Ok(DomainPage {
        ui,
        domain,
        check: check?,
        aliases: aliases?.items,
        reports: reports?.items,
        asked,
        explanation,
        modes: MtaSts::ALL,
        form,
        errors,
    })
}

async fn explained(
    admin: &Admin,
    ui: &Ui,
    name: &DomainName,
    asked: &str,
    errors: Errors,
) -> Result<(Option<Explanation>, Errors), Error> {
    if asked.trim().is_empty() {
        return Ok((None, errors));
    }
    match in_domain(asked, name) {
        Ok(address) => Ok((Some(Box::pin(admin.ctx.call(ExplainRecipient { address })).await?), errors)),
        Err(reason) => Ok((None, Errors::of_field("explain", told(ui, "address", &reason)))),
    }
}

/// An address, or the part before the @ of one in the domain.
fn in_domain(text: &str, name: &DomainName) -> Result<Address, String> {
    let text = text.trim();
    let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{name}") };
    whole.parse::<Address>().map_err(|reason| reason.to_string())
}

/// `POST /admin/domains/{name}/check`.
pub(in crate::web) async fn check(admin: Admin, Path(name): Path<String>) -> Answer {
    let name = domains::parsed(&name)?;
    admin.ctx.call(CheckDomain { name: name.clone(), last: false }).await?;
    render::done(&format!("/admin/domains/{name}"), "domain_checked")
}

/// `POST /admin/domains/{name}/settings`.
pub(in crate::web) async fn settings(admin: Admin, Path(name): Path<String>, Form(form): Form<SettingsForm>) -> Answer {
    let name = domains::parsed(&name)?;
    let ui = admin.ui(Section::Domains);
    let postmaster = match form.postmaster.trim() {
        "" => Ok(Postmaster::Collect),
        text => in_domain(text, &name).map(Postmaster::Deliver),
    };
    let postmaster = match postmaster {
        Ok(postmaster) => postmaster,
        Err(reason) => {
            let errors = Errors::of_field("postmaster", told(&ui, "address", &reason));
            return refused(&admin, &name, AliasForm::default(), errors, &Error::invalid("postmaster", reason)).await;
        }
    };
    let change = UpdateDomain {
        takes_subdomains: Some(form.takes_subdomains == "yes"),
        postmaster: Some(postmaster),
        mta_sts: Some(MtaSts::from(form.mta_sts)),
        ..UpdateDomain::nothing(name.clone())
    };
    match admin.ctx.call(change).await {
        // What is wanted may be something else now.
        Ok(_) => {
            admin.ctx.call(CheckDomain { name: name.clone(), last: false }).await?;
            render::done(&format!("/admin/domains/{name}"), "domain_changed")
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &ui, &["postmaster"]);
            refused(&admin, &name, AliasForm::default(), errors, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(admin: &Admin, name: &DomainName, form: AliasForm, errors: Errors, error: &Error) -> Answer {
    let page = page(admin, name, String::new(), form, errors).await?;
    render::page_with(http::status(error), &page)
}

/// `POST /admin/domains/{name}/aliases`.
pub(in crate::web) async fn add_alias(admin: Admin, Path(name): Path<String>, Form(form): Form<AliasForm>) -> Answer {
    let name = domains::parsed(&name)?;
    let ui = admin.ui(Section::Domains);
    let wrong = |field: &'static str, reason: String| (Errors::of_field(field, told(&ui, "address", &reason)), field);
    let read = || -> Result<CreateAlias, (Errors, &'static str)> {
        let address = in_domain(&form.local, &name).map_err(|reason| wrong("address", reason))?;
        let mailboxes = targets(&form.mailboxes, &name).map_err(|reason| wrong("mailboxes", reason))?;
        let note = Text::new(&form.note).map_err(|reason| wrong("note", reason))?;
        Ok(CreateAlias { address, mailboxes, note })
    };
    let new = match read() {
        Ok(new) => new,
        Err((errors, field)) => return refused(&admin, &name, form, errors, &Error::invalid(field, "")).await,
    };
    match admin.ctx.call(new).await {
        Ok(_) => render::done(&format!("/admin/domains/{name}"), "alias_added"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. } | Error::NotFound { .. })) => {
            let errors = Errors::from_error(&error, &ui, &["address", "mailboxes", "note"]);
            refused(&admin, &name, form, errors, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The mailboxes of an alias, of this domain where only what stands before the @ is given.
fn targets(text: &str, name: &DomainName) -> Result<Vec<Address>, String> {
    text.split([',', ' ', '\t', '\n', '\r', ';']).filter(|word| !word.is_empty()).map(|word| in_domain(word, name)).collect()
}

/// `POST /admin/domains/{name}/aliases/{address}`.
pub(in crate::web) async fn update_alias(
    admin: Admin,
    Path((name, address)): Path<(String, String)>,
    Form(form): Form<AliasForm>,
) -> Answer {
    let name = domains::parsed(&name)?;
    let ui = admin.ui(Section::Domains);
    let address: Address = address.parse().map_err(|_| Error::not_found("alias", format!("There is no alias {address}.")))?;
    let change = || -> Result<UpdateAlias, Error> {
        let mailboxes = targets(&form.mailboxes, &name).map_err(|reason| Error::invalid("mailboxes", reason))?;
        let note = Text::new(&form.note).map_err(|reason| Error::invalid("note", reason))?;
        Ok(UpdateAlias { address: address.clone(), mailboxes: Some(mailboxes), note: Some(note) })
    };
    let result = match change() {
        Ok(change) => admin.ctx.call(change).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => render::done(&format!("/admin/domains/{name}"), "alias_changed"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            // The form stands in the row of the alias; what is wrong is told above them.
            let said = Errors::from_error(&error, &ui, &[]);
            let errors = Errors::of_form(format!("{address}: {}", said.general().unwrap_or_default()));
            refused(&admin, &name, AliasForm::default(), errors, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/domains/{name}/aliases/{address}/delete`.
pub(in crate::web) async fn delete_alias(admin: Admin, Path((name, address)): Path<(String, String)>) -> Answer {
    let name = domains::parsed(&name)?;
    let address = address.parse().map_err(|_| Error::not_found("alias", format!("There is no alias {address}.")))?;
    admin.ctx.call(DeleteAlias { address }).await?;
    render::done(&format!("/admin/domains/{name}"), "alias_deleted")
}
