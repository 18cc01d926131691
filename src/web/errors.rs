//! What is wrong with a form, told at its fields.

use crate::error::Error;
use crate::web::failure;
use crate::web::ui::Ui;

/// What is wrong with a form.
#[derive(Debug, Clone, Default)]
pub(in crate::web) struct Errors {
    fields: Vec<(String, String)>,
    general: Option<String>,
}

impl Errors {
    /// One field is wrong.
    pub(in crate::web) fn of_field(field: &str, message: impl Into<String>) -> Self {
        Self { fields: vec![(field.to_owned(), message.into())], general: None }
    }

    /// The form as a whole is refused.
    pub(in crate::web) fn of_form(message: impl Into<String>) -> Self {
        Self { fields: Vec::new(), general: Some(message.into()) }
    }

    /// From an operation's error. Faults of inputs that are not among `fields` are told above the form.
    pub(in crate::web) fn from_error(error: &Error, ui: &Ui, fields: &[&str]) -> Self {
        let Error::Invalid(faults) = error else {
            return Self::of_form(failure::words(error, ui).1);
        };
        let mut errors = Self::default();
        for fault in faults {
            if fields.contains(&fault.field.as_ref()) {
                errors.fields.push((fault.field.to_string(), sentence(&fault.reason)));
            } else {
                errors.general = Some(sentence(&fault.reason));
            }
        }
        errors
    }

    /// What is wrong with a field.
    pub(in crate::web) fn at(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }

    /// What is wrong with the form as a whole.
    pub(in crate::web) fn general(&self) -> Option<&str> {
        self.general.as_deref()
    }
}

/// A reason, which reads after the name of its input, as a sentence of its own.
pub(in crate::web) fn sentence(reason: &str) -> String {
    let stop = if reason.ends_with('.') { "" } else { "." };
    format!("It {reason}{stop}")
}
