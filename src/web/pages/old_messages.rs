//! Removing old messages by hand: first how many there are, then, after a question, for good.

use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::retention::DeleteOldEmails;
use crate::types::Int;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::settings;
use crate::web::pages::settings::SettingsPage;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;

/// The form on the page of settings, and what it found.
#[derive(Debug, Default)]
pub(in crate::web) struct OldMessages {
    /// What was typed.
    pub form: OldForm,
    /// How many messages are old enough.
    pub found: Option<i64>,
    /// What is wrong with it.
    pub errors: Errors,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct OldForm {
    /// The age in days.
    pub days: String,
    /// A mailbox or a domain; empty is all.
    pub place: String,
    /// `count`, or `remove`.
    pub action: String,
    confirm: String,
}

impl OldForm {
    fn operation(&self, dry_run: bool) -> Result<DeleteOldEmails, Error> {
        let days = self.days.trim().parse().ok().and_then(Int::new);
        let days = days.ok_or_else(|| Error::invalid("days", "must be a whole number from 1 to 36500"))?;
        let wrong = |reason: &dyn std::fmt::Display| Error::invalid("place", reason.to_string());
        let (mailbox, domain) = match self.place.trim() {
            "" => (None, None),
            text if text.contains('@') => (Some(text.parse().map_err(|reason| wrong(&reason as &dyn std::fmt::Display))?), None),
            text => (None, Some(text.parse().map_err(|reason| wrong(&reason as &dyn std::fmt::Display))?)),
        };
        Ok(DeleteOldEmails { days, mailbox, domain, dry_run })
    }
}

/// `POST /admin/settings/old-messages`.
pub(in crate::web) async fn remove(admin: Admin, Form(form): Form<OldForm>) -> Answer {
    let is_confirmed = form.action == "remove" && form.confirm == "yes";
    let result = match form.operation(!is_confirmed) {
        Ok(operation) => admin.ctx.call(operation).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) if is_confirmed => render::done(settings::HERE, "old_removed"),
        Ok(found) if form.action == "remove" => question(&admin, &form, found.matching_count),
        Ok(found) => {
            let old = OldMessages { form, found: Some(found.matching_count), errors: Errors::default() };
            render::page(&SettingsPage::of(&admin).await?.with_old(old))
        }
        Err(error @ (Error::Invalid(_) | Error::NotFound { .. })) => {
            let ui = admin.ui(Section::Settings);
            let errors = match &error {
                Error::NotFound { .. } => Errors::of_field("place", ui.t("settings.old_no_place")),
                other => Errors::from_error(other, &ui, &["days", "place"]),
            };
            let page = SettingsPage::of(&admin).await?.with_old(OldMessages { form, found: None, errors });
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

fn question(admin: &Admin, form: &OldForm, found: i64) -> Answer {
    let ui = admin.ui(Section::Settings);
    ConfirmPage::new(admin, Section::Settings, settings::HERE)
        .ask(ui.count("settings.old_title", &found), ui.t("settings.old_text"), ui.t("purge"))
        .carrying("action", "remove".to_owned())
        .carrying("days", form.days.clone())
        .carrying("place", form.place.clone())
        .show()
}
