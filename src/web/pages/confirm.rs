//! The question before something is removed: a page of its own, or a dialog where scripts run.

use askama::Template;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::web::errors::Errors;
use crate::web::person::Person;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

/// What the question's form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Confirmation {
    confirm: String,
    /// What was typed, where that is asked for.
    pub typed: String,
    /// Where to go afterwards.
    pub next: String,
}

impl Confirmation {
    /// Whether the question was answered.
    pub(in crate::web) fn is_given(&self) -> bool {
        self.confirm == "yes"
    }
}

/// The question.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub(in crate::web) struct ConfirmPage {
    ui: Ui,
    title: String,
    text: String,
    button: String,
    action: String,
    next: String,
    fields: Vec<(String, String)>,
    typed: Option<String>,
    errors: Errors,
}

impl ConfirmPage {
    /// A question about what this request asked for; `next` is where "cancel" leads.
    pub(in crate::web) fn new(person: &impl Person, section: Section, next: &str) -> Self {
        Self {
            ui: person.ui(section),
            title: String::new(),
            text: String::new(),
            button: String::new(),
            action: person.visit().here.clone(),
            next: person.visit().side.safe_next(next).to_owned(),
            fields: Vec::new(),
            typed: None,
            errors: Errors::default(),
        }
    }

    /// The question, what follows from it, and the word on the button.
    pub(in crate::web) fn ask(mut self, title: String, text: &str, button: &str) -> Self {
        self.title = title;
        text.clone_into(&mut self.text);
        button.clone_into(&mut self.button);
        self
    }

    /// Sends this along with the answer.
    pub(in crate::web) fn carrying(mut self, name: &str, value: String) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    /// Asks to type a word.
    pub(in crate::web) fn typing(mut self, word: String) -> Self {
        self.typed = Some(word);
        self
    }

    /// Shows the question.
    pub(in crate::web) fn show(&self) -> Answer {
        render::page(self)
    }

    /// Shows the question again, since what was typed differs.
    pub(in crate::web) fn typed_differs(mut self) -> Answer {
        self.errors = Errors::of_field("typed", self.ui.t("error.typed_differs"));
        render::page_with(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }

    /// Shows the question again with the reason why it could not be done.
    pub(in crate::web) fn failed(mut self, error: Error) -> Answer {
        if !matches!(error, Error::Conflict { .. } | Error::Invalid(_)) {
            return Err(error.into());
        }
        self.errors = Errors::from_error(&error, &self.ui, &[]);
        render::page_with(http::status(&error), &self)
    }
}
