//! One mailbox: its page with all that is set there, the trash, the end.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
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
use crate::types::Address;
use crate::types::Int;
use crate::types::Lifecycle;
use crate::types::Mailbox;
use crate::types::SenderPolicy;
use crate::types::Text;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailbox_people::People;
use crate::web::pages::mailbox_services::Bound;
use crate::web::pages::mailbox_ways::Ways;
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
    /// A number of days; empty is as the domain has it.
    retention_days: String,
}

/// The page of a mailbox: its settings, who sees it, the ways into it, what it is used for.
#[derive(Debug, Template)]
#[template(path = "mailboxes/settings.html")]
pub(in crate::web) struct SettingsPage {
    ui: Ui,
    mailbox: Mailbox,
    /// The address as a segment of a path.
    path: String,
    form: SettingsForm,
    sender_policies: [&'static str; 3],
    errors: Errors,
    pub people: People,
    pub ways: Ways,
    pub bound: Bound,
}

impl SettingsPage {
    async fn of(admin: &Admin, mailbox: Mailbox, who: &str) -> Result<Self, Error> {
        let form = SettingsForm {
            note: mailbox.note.clone(),
            expires_on: mailbox.expires_at.map(|at| at.0.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            is_active: if mailbox.lifecycle == Lifecycle::Disabled { String::new() } else { "yes".to_owned() },
            sender_policy: mailbox.sender_policy.as_str().to_owned(),
            retention_days: mailbox.retention_days.map(|days| days.to_string()).unwrap_or_default(),
        };
        // Of what lies in the trash nothing more is shown than that.
        let (people, ways, bound) = if mailbox.trashed_at.is_some() {
            (People::default(), Ways::default(), Bound::default())
        } else {
            (People::of(admin, &mailbox, who).await?, Ways::of(admin, &mailbox).await?, Bound::of(admin, &mailbox).await?)
        };
        Ok(Self {
            ui: admin.ui(Section::Mailboxes),
            path: encode(&mailbox.address),
            mailbox,
            form,
            sender_policies: [SenderPolicy::Any, SenderPolicy::NotFailed, SenderPolicy::Aligned].map(SenderPolicy::as_str),
            errors: Errors::default(),
            people,
            ways,
            bound,
        })
    }

    /// The page with what was refused at its place; other errors have a page of their own.
    pub(in crate::web) async fn refused(
        admin: &Admin,
        address: &Address,
        error: Error,
        place: impl FnOnce(&mut Self, Errors),
    ) -> Answer {
        if !matches!(error, Error::Invalid(_) | Error::Conflict { .. }) {
            return Err(error.into());
        }
        let mailbox = admin.ctx.call(GetMailbox { address: address.clone() }).await?;
        let mut page = Self::of(admin, mailbox, "").await?;
        let errors = Errors::from_error(&error, &page.ui, FIELDS);
        place(&mut page, errors);
        render::page_with(http::status(&error), &page)
    }
}

/// The fields of the page's forms that say themselves what is wrong with them.
const FIELDS: &[&str] = &[
    "note",
    "expires_at",
    "retention_days",
    "user_id",
    "mailbox_password",
    "link_note",
    "expires_in_hours",
    "name",
    "login_url",
    "service_note",
    "ends_on",
];

/// The address of a mailbox's page.
pub(in crate::web) fn settings_of(address: &Address) -> String {
    format!("/admin/mailboxes/{}/settings", encode(address))
}

/// What the page's address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    /// What the users to choose from are narrowed by.
    who: String,
}

/// `GET /admin/mailboxes/{address}/settings`.
pub(in crate::web) async fn show(admin: Admin, Path(address): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let mailbox = admin.ctx.call(GetMailbox { address: parsed(&address)? }).await?;
    render::page(&SettingsPage::of(&admin, mailbox, &asked.who).await?)
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
        Ok(_) => render::done(&settings_of(&address), "mailbox_changed"),
        Err(error) => {
            let keep = |page: &mut SettingsPage, errors| {
                page.errors = errors;
                page.form = form;
            };
            SettingsPage::refused(&admin, &address, error, keep).await
        }
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
        retention_days: Some(days(&form.retention_days)?),
    })
}

/// A number of days; `None` as the domain has it.
fn days(text: &str) -> Result<Option<Int<1, 36_500>>, Error> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let days = text.parse().ok().and_then(Int::new);
            days.map(Some).ok_or_else(|| Error::invalid("retention_days", "must be a whole number from 1 to 36500"))
        }
    }
}

/// The first moment of a day such as `2026-11-20` (UTC).
pub(in crate::web) fn start_of(day: &str) -> Result<Timestamp, Error> {
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
    render::done(&settings_of(&mailbox.address), "mailbox_restored")
}

/// `POST /admin/mailboxes/{address}/purge`.
pub(in crate::web) async fn purge(admin: Admin, Path(address): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let address = parsed(&address)?;
    let ui = admin.ui(Section::Mailboxes);
    let back = settings_of(&address);
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
