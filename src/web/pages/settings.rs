//! The runtime settings: each with what it is for, its range and its default; and removing old messages by hand.
//!
//! What a setting is, its type, its range, comes from the operation's own schema; only the words stand in the catalogue.

use std::collections::HashMap;

use askama::Template;
use axum_extra::extract::Form;
use serde_json::Map;
use serde_json::Value;

use crate::error::Error;
use crate::http;
use crate::operations;
use crate::operations::settings::GetSettings;
use crate::types::SETTING_NAMES;
use crate::types::Settings;
use crate::types::SettingsState;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::failure;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::old_messages::OldMessages;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

pub(in crate::web) const HERE: &str = "/admin/settings";

/// The settings in groups, as people look for them. A setting that is in none is shown in the last.
const GROUPS: [(&str, &[&str]); 4] = [
    ("messages", &["retention_days"]),
    ("mailboxes", &["expired_mailboxes", "expired_mailbox_grace_hours", "trash_days"]),
    ("records", &["audit_log_days", "smtp_session_days"]),
    ("rest", &["keep_readable_passwords"]),
];

/// What a setting holds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::web) enum Kind {
    /// A whole number in a range; nothing where `never` is allowed.
    Number { min: i64, max: i64, is_optional: bool },
    /// One of some words.
    Choice(Vec<String>),
    /// Yes or no.
    Switch,
}

/// A setting as the form shows it.
#[derive(Debug)]
pub(in crate::web) struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// As text: the number, the word, `yes`; empty is nothing or no.
    pub value: String,
    /// The default, as text.
    pub default: String,
    /// What is in force while the form shows something else.
    pub in_force: Option<String>,
    /// Its description in English, where the catalogue has none.
    pub description: String,
}

#[derive(Debug, Template)]
#[template(path = "settings.html")]
pub(in crate::web) struct SettingsPage {
    ui: Ui,
    groups: Vec<(&'static str, Vec<Field>)>,
    version: String,
    state: SettingsState,
    errors: Errors,
    /// Somebody else changed them while the form was filled in.
    is_conflict: bool,
    old: OldMessages,
}

type Sent = HashMap<String, String>;

impl SettingsPage {
    /// The page, with the settings that are in force.
    pub(in crate::web) async fn of(admin: &Admin) -> Result<Self, Error> {
        let state = admin.ctx.call(GetSettings {}).await?;
        Ok(Self {
            ui: admin.ui(Section::Settings),
            groups: groups(&state, None),
            version: state.version.clone(),
            state,
            errors: Errors::default(),
            is_conflict: false,
            old: OldMessages::default(),
        })
    }

    /// The page with what became of the form for old messages.
    pub(in crate::web) fn with_old(self, old: OldMessages) -> Self {
        Self { old, ..self }
    }
}

fn groups(state: &SettingsState, sent: Option<&Sent>) -> Vec<(&'static str, Vec<Field>)> {
    let (now, default) = (as_map(&state.settings), as_map(&Settings::default()));
    let field = |name: &&'static str| {
        let kind = kind(name);
        let in_force = text(now.get(*name));
        let value = sent.map_or_else(|| in_force.clone(), |sent| sent_text(sent, name));
        Field {
            name,
            default: text(default.get(*name)),
            in_force: (value != in_force).then_some(in_force),
            value,
            kind,
            description: description(name),
        }
    };
    let placed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let rest: Vec<&'static str> = SETTING_NAMES.iter().copied().filter(|name| !placed.contains(name)).collect();
    let mut groups: Vec<_> = GROUPS.iter().map(|(group, names)| (*group, names.iter().map(field).collect::<Vec<_>>())).collect();
    if let Some((_, last)) = groups.last_mut() {
        last.extend(rest.iter().map(field));
    }
    groups
}

fn as_map(settings: &Settings) -> Map<String, Value> {
    serde_json::to_value(settings).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default()
}

/// A value as the form has it.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => String::new(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn sent_text(sent: &Sent, name: &str) -> String {
    sent.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn schema(name: &str) -> Option<&'static Value> {
    operations::find("get_settings")?.output.get("properties")?.get(name)
}

fn description(name: &str) -> String {
    let text = schema(name).and_then(|schema| schema.get("description")).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// What a setting holds, out of its schema.
fn kind(name: &str) -> Kind {
    let Some(schema) = schema(name) else { return Kind::Switch };
    let mut words = Vec::new();
    collect_words(schema, &mut words);
    let limit = |key: &str| schema.get(key).and_then(Value::as_i64);
    let is_nullable = schema.get("type").and_then(Value::as_array).is_some_and(|types| types.iter().any(|kind| kind == "null"));
    match (limit("minimum"), limit("maximum")) {
        (Some(min), Some(max)) => Kind::Number { min, max, is_optional: is_nullable },
        _ if words.is_empty() => Kind::Switch,
        _ => Kind::Choice(words),
    }
}

fn collect_words(schema: &Value, words: &mut Vec<String>) {
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        words.push(word.to_owned());
    }
    for key in ["enum", "oneOf", "anyOf"] {
        for inner in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            match inner {
                Value::String(word) => words.push(word.clone()),
                inner => collect_words(inner, words),
            }
        }
    }
}

/// `GET /admin/settings`.
pub(in crate::web) async fn show(admin: Admin) -> Answer {
    render::page(&SettingsPage::of(&admin).await?)
}

/// `POST /admin/settings`: changes what differs from what is in force, or sets one back to its default.
pub(in crate::web) async fn update(admin: Admin, Form(mut sent): Form<Sent>) -> Answer {
    let ui = admin.ui(Section::Settings);
    let state = admin.ctx.call(GetSettings {}).await?;
    if let Some(name) = sent.get("default").and_then(|name| SETTING_NAMES.iter().find(|known| **known == name.as_str())) {
        sent.insert((*name).to_owned(), text(as_map(&Settings::default()).get(*name)));
    }
    let mut changes = match changes(&ui, &state, &sent) {
        Ok(changes) => changes,
        Err((name, reason)) => {
            return refused(&admin, &sent, Errors::of_field(name, reason), &Error::invalid(name, "is wrong")).await;
        }
    };
    let forgets = changes.get("keep_readable_passwords") == Some(&Value::Bool(false));
    if forgets && sent.get("confirm").is_none_or(|answer| answer != "yes") {
        return forget_question(&admin, &ui, &sent).show();
    }
    changes.insert("version".to_owned(), sent.get("version").cloned().unwrap_or_default().into());
    let operation = operations::find("update_settings").ok_or_else(|| Error::not_found("operation", "It is not there."))?;
    match operation.call(&admin.ctx, changes).await {
        Ok(_) => render::done(HERE, "settings_changed"),
        Err(error @ Error::Conflict { .. }) => {
            let detail = match &error {
                Error::Conflict { code, detail } => failure::conflict(code, detail, &ui),
                other => other.to_string(),
            };
            refused(&admin, &sent, Errors::of_form(detail), &error).await
        }
        Err(error @ Error::Invalid(_)) => refused(&admin, &sent, Errors::from_error(&error, &ui, SETTING_NAMES), &error).await,
        Err(error) => Err(error.into()),
    }
}

/// What was typed stays; what is in force now stands beside it.
async fn refused(admin: &Admin, sent: &Sent, errors: Errors, error: &Error) -> Answer {
    let page = SettingsPage::of(admin).await?;
    let is_conflict = matches!(error, Error::Conflict { .. });
    let version = if is_conflict { page.version } else { sent.get("version").cloned().unwrap_or_default() };
    let groups = groups(&page.state, Some(sent));
    render::page_with(http::status(error), &SettingsPage { groups, version, errors, is_conflict, ..page })
}

fn forget_question(admin: &Admin, ui: &Ui, sent: &Sent) -> ConfirmPage {
    let question = ConfirmPage::new(admin, Section::Settings, HERE).ask(
        ui.t("settings.forget_title").to_owned(),
        ui.t("settings.forget_text"),
        ui.t("settings.forget"),
    );
    let names = SETTING_NAMES.iter().copied().chain(["version"]);
    names.fold(question, |question, name| question.carrying(name, sent_text(sent, name)))
}

/// What differs from what is in force; or the field that is wrong, and why.
fn changes(ui: &Ui, state: &SettingsState, sent: &Sent) -> Result<Map<String, Value>, (&'static str, String)> {
    let now = as_map(&state.settings);
    let one = sent.get("default").filter(|name| !name.is_empty());
    let mut changes = Map::new();
    for name in SETTING_NAMES.iter().filter(|name| one.is_none_or(|one| one == **name)) {
        let value = value(ui, &kind(name), &sent_text(sent, name)).map_err(|reason| (*name, reason))?;
        if now.get(*name) != Some(&value) {
            changes.insert((*name).to_owned(), value);
        }
    }
    Ok(changes)
}

fn value(ui: &Ui, kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Switch => Ok(Value::Bool(text == "yes")),
        Kind::Choice(words) if words.iter().any(|word| word == text) => Ok(text.into()),
        Kind::Choice(_) => Err(ui.t("settings.choose").to_owned()),
        Kind::Number { is_optional: true, .. } if text.is_empty() => Ok(Value::Null),
        Kind::Number { min, max, .. } => {
            let number = text.parse::<i64>().ok().filter(|number| (min..=max).contains(&number));
            number.map(Value::from).ok_or_else(|| ui.t2("settings.range", ui.number(min), ui.number(max)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::language::Language;

    #[test]
    fn every_setting_is_read_from_its_schema_and_has_its_words() {
        assert_eq!(kind("retention_days"), Kind::Number { min: 1, max: 36_500, is_optional: true });
        assert_eq!(kind("expired_mailbox_grace_hours"), Kind::Number { min: 0, max: 87_600, is_optional: false });
        assert_eq!(kind("keep_readable_passwords"), Kind::Switch);
        let words = ["keep", "trash", "purge"].map(str::to_owned).to_vec();
        assert_eq!(kind("expired_mailboxes"), Kind::Choice(words));
        for name in SETTING_NAMES {
            for key in [format!("setting.{name}"), format!("setting_text.{name}")] {
                assert!(Language::English.find(&key).is_some(), "{key} is missing in the catalogue");
            }
        }
    }
}
