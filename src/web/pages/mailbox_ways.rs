//! Ways into one mailbox: its password, and links that open it. What is secret is shown once, on a page of its own.

use askama::Template;
use axum::extract::Path;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::error::Fault;
use crate::operations::mailboxes::CreateAccessLink;
use crate::operations::mailboxes::CreatedAccessLink;
use crate::operations::mailboxes::GetMailboxPassword;
use crate::operations::mailboxes::ListAccessLinks;
use crate::operations::mailboxes::RevokeAccessLink;
use crate::operations::mailboxes::SetMailboxPassword;
use crate::types::AccessLink;
use crate::types::AccessLinkId;
use crate::types::Address;
use crate::types::Int;
use crate::types::Mailbox;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailbox::SettingsPage;
use crate::web::pages::mailbox::settings_of;
use crate::web::pages::mailboxes::parsed;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

/// After how many hours a link may end; 0 is never.
const HOURS: [i64; 6] = [1, 24, 7 * 24, 30 * 24, 365 * 24, 0];

/// What the form for a link sends.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(in crate::web) struct LinkForm {
    pub note: String,
    pub expires_in_hours: i64,
}

impl Default for LinkForm {
    fn default() -> Self {
        Self { note: String::new(), expires_in_hours: 7 * 24 }
    }
}

/// The ways into a mailbox.
#[derive(Debug)]
pub(in crate::web) struct Ways {
    pub links: Vec<AccessLink>,
    pub hours: [i64; 6],
    pub form: LinkForm,
    /// What is wrong with a new link.
    pub errors: Errors,
    /// What is wrong with a new password.
    pub password_errors: Errors,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            links: Vec::new(),
            hours: HOURS,
            form: LinkForm::default(),
            errors: Errors::default(),
            password_errors: Errors::default(),
        }
    }
}

impl Ways {
    /// Those of a mailbox.
    pub(in crate::web) async fn of(admin: &Admin, mailbox: &Mailbox) -> Result<Self, Error> {
        let links = admin.ctx.call(ListAccessLinks { address: mailbox.address.clone() }).await?;
        Ok(Self { links, ..Self::default() })
    }
}

/// A secret, shown once.
#[derive(Debug, Template)]
#[template(path = "mailboxes/secret.html")]
struct SecretPage {
    ui: Ui,
    title: String,
    text: &'static str,
    /// Whom or what it is of.
    label: String,
    /// `None` where there is none that can be shown.
    secret: Option<String>,
    back: String,
}

/// What the form for a password sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct PasswordForm {
    /// Empty has one drawn.
    password: String,
}

/// `POST /admin/mailboxes/{address}/password`.
pub(in crate::web) async fn set_password(admin: Admin, Path(address): Path<String>, Form(form): Form<PasswordForm>) -> Answer {
    let address = parsed(&address)?;
    let chosen = Some(form.password).filter(|password| !password.is_empty());
    let is_chosen = chosen.is_some();
    match admin.ctx.call(SetMailboxPassword { address: address.clone(), password: chosen }).await {
        Ok(_) if is_chosen => render::done(&settings_of(&address), "mailbox_password_set"),
        Ok(set) => {
            let ui = admin.ui(Section::Mailboxes);
            let (title, text) = (ui.t("mailbox_ways.password_new").to_owned(), ui.t("mailbox_ways.password_new_text"));
            secret(ui, title, text, &address, set.password)
        }
        Err(error) => {
            let error = at_mailbox_password(error);
            SettingsPage::refused(&admin, &address, error, |page, errors| page.ways.password_errors = errors).await
        }
    }
}

/// The catalogue has the rule of an administrator's password under `password`.
fn at_mailbox_password(error: Error) -> Error {
    match error {
        Error::Invalid(faults) => {
            let here = |fault: Fault| Fault { field: "mailbox_password".into(), ..fault };
            Error::Invalid(faults.into_iter().map(here).collect())
        }
        other => other,
    }
}

/// `POST /admin/mailboxes/{address}/password/reveal`. Each time is in the audit log.
pub(in crate::web) async fn reveal_password(admin: Admin, Path(address): Path<String>) -> Answer {
    let address = parsed(&address)?;
    let kept = admin.ctx.call(GetMailboxPassword { address: address.clone() }).await?;
    let ui = admin.ui(Section::Mailboxes);
    let text = match (&kept.password, kept.is_set) {
        (Some(_), _) => ui.t("mailbox_ways.password_shown"),
        (None, true) => ui.t("mailbox_ways.password_not_kept"),
        (None, false) => ui.t("mailbox_ways.password_none"),
    };
    secret(ui.clone(), ui.t("password").to_owned(), text, &address, kept.password)
}

fn secret(ui: Ui, title: String, text: &'static str, address: &Address, secret: Option<String>) -> Answer {
    render::page(&SecretPage { ui, title, text, label: address.to_unicode(), secret, back: settings_of(address) })
}

/// `POST /admin/mailboxes/{address}/links`.
pub(in crate::web) async fn create_link(admin: Admin, Path(address): Path<String>, Form(form): Form<LinkForm>) -> Answer {
    let address = parsed(&address)?;
    match make_link(&admin, &address, &form).await {
        Ok(made) => {
            let ui = admin.ui(Section::Mailboxes);
            let (title, text) = (ui.t("mailbox_ways.link_new").to_owned(), ui.t("mailbox_ways.link_once"));
            secret(ui, title, text, &address, Some(made.url))
        }
        Err(error) => {
            let keep = |page: &mut SettingsPage, errors| {
                page.ways.errors = errors;
                page.ways.form = form;
            };
            SettingsPage::refused(&admin, &address, error, keep).await
        }
    }
}

async fn make_link(admin: &Admin, address: &Address, form: &LinkForm) -> Result<CreatedAccessLink, Error> {
    let note = Text::new(&form.note).map_err(|reason| Error::invalid("link_note", reason))?;
    let expires_in_hours = match form.expires_in_hours {
        0 => None,
        hours => {
            Some(Int::new(hours).ok_or_else(|| Error::invalid("expires_in_hours", "must be a whole number from 1 to 87600"))?)
        }
    };
    admin.ctx.call(CreateAccessLink { address: address.clone(), note, expires_in_hours }).await
}

/// `POST /admin/mailboxes/{address}/links/{id}/revoke`.
pub(in crate::web) async fn revoke_link(
    admin: Admin,
    Path((address, id)): Path<(String, String)>,
    Form(form): Form<Confirmation>,
) -> Answer {
    let address = parsed(&address)?;
    let id: AccessLinkId = id.parse().map_err(|_| Error::not_found("access_link", "There is no such link."))?;
    let ui = admin.ui(Section::Mailboxes);
    let question = ConfirmPage::new(&admin, Section::Mailboxes, &settings_of(&address)).ask(
        ui.t("mailbox_ways.link_revoke_question").to_owned(),
        ui.t("mailbox_ways.link_revoke_text"),
        ui.t("keys.revoke"),
    );
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(RevokeAccessLink { address: address.clone(), id }).await {
        Ok(_) => render::done(&settings_of(&address), "link_revoked"),
        Err(error) => question.failed(error),
    }
}
