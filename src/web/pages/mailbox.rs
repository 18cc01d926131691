//! One mailbox: its settings, the trash, the end.

use askama::Template;
use axum::extract::Path;
use axum_extra::extract::Form;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::mailboxes::DeleteMailbox;
use crate::operations::mailboxes::GetMailbox;
use crate::operations::mailboxes::PurgeMailbox;
use crate::operations::mailboxes::RestoreMailbox;
use crate::operations::mailboxes::UpdateMailbox;
use crate::types::Lifecycle;
use crate::types::Mailbox;
use crate::types::SenderPolicy;
use crate::types::Text;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::parsed;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SettingsForm {
    note: String,
    /// A day as in `2026-11-20`; empty is never.
    expires_on: String,
    /// `yes`, or not there.
    is_active: String,
    /// The policy's name; empty leaves it as it is.
    sender_policy: String,
}

#[derive(Debug, Template)]
#[template(path = "mailboxes/settings.html")]
struct SettingsPage {
    ui: Ui,
    mailbox: Mailbox,
    /// The address as a segment of a path.
    path: String,
    form: SettingsForm,
    sender_policies: [&'static str; 3],
    errors: Errors,
}

impl SettingsPage {
    fn new(admin: &Admin, mailbox: Mailbox) -> Self {
        let form = SettingsForm {
            note: mailbox.note.clone(),
            expires_on: mailbox.expires_at.map(|at| at.0.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            is_active: if mailbox.lifecycle == Lifecycle::Disabled { String::new() } else { "yes".to_owned() },
            sender_policy: mailbox.sender_policy.as_str().to_owned(),
        };
        let sender_policies = [SenderPolicy::Any, SenderPolicy::NotFailed, SenderPolicy::Aligned].map(SenderPolicy::as_str);
        let ui = admin.ui(Section::Mailboxes);
        Self { ui, path: encode(&mailbox.address), mailbox, form, sender_policies, errors: Errors::default() }
    }
}

/// `GET /admin/mailboxes/{address}/settings`.
pub(in crate::web) async fn show(admin: Admin, Path(address): Path<String>) -> Answer {
    let mailbox = admin.ctx.call(GetMailbox { address: parsed(&address)? }).await?;
    render::page(&SettingsPage::new(&admin, mailbox))
}

/// `POST /admin/mailboxes/{address}/settings`.
pub(in crate::web) async fn update(admin: Admin, Path(address): Path<String>, Form(form): Form<SettingsForm>) -> Answer {
    let address = parsed(&address)?;
    let before = admin.ctx.call(GetMailbox { address: address.clone() }).await?;
    let result = match changes(&before, &form) {
        Ok(changes) => admin.ctx.call(changes).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => render::done(&format!("/admin/mailboxes/{}/settings", encode(&address)), "mailbox_changed"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Mailboxes), &["note", "expires_at"]);
            let page = SettingsPage { form, errors, ..SettingsPage::new(&admin, before) };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the form changes. A day that was not touched stays the moment that it was.
fn changes(before: &Mailbox, form: &SettingsForm) -> Result<UpdateMailbox, Error> {
    let note = Text::new(&form.note).map_err(|reason| Error::invalid("note", reason))?;
    let shown = before.expires_at.map(|at| at.0.format("%Y-%m-%d").to_string()).unwrap_or_default();
    let expires_at = match form.expires_on.trim() {
        same if same == shown => None,
        "" => Some(None),
        day => Some(Some(start_of(day)?)),
    };
    let sender_policy = if form.sender_policy.is_empty() { None } else { Some(SenderPolicy::from(form.sender_policy.clone())) };
    Ok(UpdateMailbox {
        address: before.address.clone(),
        note: Some(note),
        is_active: Some(form.is_active == "yes"),
        sender_policy,
        expires_at,
        retention_days: None,
    })
}

fn start_of(day: &str) -> Result<Timestamp, Error> {
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let at = date.map(|date| date.and_utc()).filter(|at| (0..=253_402_300_799).contains(&at.timestamp()));
    at.map(Timestamp).ok_or_else(|| Error::invalid("expires_at", "is not a day such as 2026-11-20"))
}

/// `POST /admin/mailboxes/{address}/trash`.
pub(in crate::web) async fn trash(admin: Admin, Path(address): Path<String>) -> Answer {
    admin.ctx.call(DeleteMailbox { address: parsed(&address)? }).await?;
    render::done("/admin/mailboxes", "mailbox_trashed")
}

/// `POST /admin/mailboxes/{address}/restore`.
pub(in crate::web) async fn restore(admin: Admin, Path(address): Path<String>) -> Answer {
    let mailbox = admin.ctx.call(RestoreMailbox { address: parsed(&address)? }).await?;
    render::done(&format!("/admin/mailboxes/{}/settings", encode(&mailbox.address)), "mailbox_restored")
}

/// `POST /admin/mailboxes/{address}/purge`.
pub(in crate::web) async fn purge(admin: Admin, Path(address): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let address = parsed(&address)?;
    let ui = admin.ui(Section::Mailboxes);
    let back = format!("/admin/mailboxes/{}/settings", encode(&address));
    let question = ConfirmPage::new(&admin, Section::Mailboxes, &back)
        .ask(ui.t1("confirm.mailbox_purge", &address), ui.t("confirm.mailbox_purge_text"), ui.t("purge"))
        .typing(address.to_string());
    if !form.is_given() {
        return question.show();
    }
    if form.typed.trim() != address.as_str() {
        return question.typed_differs();
    }
    match admin.ctx.call(PurgeMailbox { address, permanent: true }).await {
        Ok(_) => render::done("/admin/mailboxes", "mailbox_purged"),
        Err(error) => question.failed(error),
    }
}
