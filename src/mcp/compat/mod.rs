//! The tools of an earlier system, with the names, parameters and answers that its callers know.
//!
//! Each is a row of [`table`]: the operation that does the work, how the inputs are called there, and how the answer is told. Where
//! the earlier system told secrets (hashes, salts, stored passwords, tokens in lists), the fields are left out.

mod answers;
mod rows;
mod table;

use serde_json::{Map, Value, json};

use crate::error::{Error, Fault, Result};
use crate::operations::{Ctx, Entry, snake_case};

use super::schema;
use answers::Answer;

/// A tool of the earlier system.
#[derive(Debug)]
pub(super) struct Rendering {
    /// Its name.
    pub(super) tool: &'static str,
    /// The operation that does the work.
    pub(super) operation: &'static str,
    /// What people read, where the operation's own title says something else.
    pub(super) title: Option<&'static str>,
    /// Inputs that have another name here: this tool's, then the operation's.
    names: &'static [(&'static str, &'static str)],
    /// Inputs that always have the same value here.
    fixed: &'static [(&'static str, Fixed)],
    /// How the answer is told.
    answer: Answer,
}

/// The value of an input that is no choice of the caller.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fixed {
    Yes,
    /// It is left out, and not offered.
    Absent,
}

/// All of them.
pub(super) fn all() -> &'static [Rendering] {
    table::TABLE
}

impl Rendering {
    /// The schema of the inputs, under the names that they have here.
    pub(super) fn input(&self, entry: &Entry) -> Map<String, Value> {
        let mut input = schema::input(&entry.input);
        let properties = input.remove("properties");
        let theirs = properties.iter().filter_map(Value::as_object).flatten();
        let theirs: Map<String, Value> = theirs
            .filter(|(own, _)| !self.is_fixed(own))
            .map(|(own, property)| (self.name_here(own), property.clone()))
            .collect();
        let required = input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let required: Vec<Value> = required.filter(|own| !self.is_fixed(own)).map(|own| self.name_here(own).into()).collect();
        input.insert("properties".to_owned(), theirs.into());
        input.insert("required".to_owned(), required.into());
        input
    }

    /// The schema of the answer.
    pub(super) fn output(&self) -> Map<String, Value> {
        schema::output(&self.answer.schema())
    }

    /// Calls the operation, and tells its answer as the earlier system did.
    pub(super) async fn perform(&self, ctx: &Ctx, entry: &Entry, arguments: Map<String, Value>) -> Result<Value> {
        let inputs = self.inputs(arguments);
        let given = inputs.clone();
        let answer = entry.call(ctx, inputs).await.map_err(|error| self.with_names_here(error))?;
        self.answer.tell(ctx, &given, answer).await
    }

    fn inputs(&self, arguments: Map<String, Value>) -> Map<String, Value> {
        let mut inputs: Map<String, Value> = arguments
            .into_iter()
            .map(|(name, value)| {
                let own = self.names.iter().find(|(here, _)| *here == name || snake_case(here) == name);
                (own.map_or(name, |(_, own)| (*own).to_owned()), value)
            })
            .collect();
        for (own, value) in self.fixed {
            match value {
                Fixed::Yes => inputs.insert((*own).to_owned(), true.into()),
                Fixed::Absent => inputs.remove(*own),
            };
        }
        inputs
    }

    fn is_fixed(&self, own: &str) -> bool {
        self.fixed.iter().any(|(name, _)| *name == own)
    }

    fn name_here(&self, own: &str) -> String {
        let renamed = self.names.iter().find(|(_, name)| *name == own);
        renamed.map_or_else(|| rows::camel_case(own), |(here, _)| (*here).to_owned())
    }

    /// A fault names the input as the caller knows it.
    fn with_names_here(&self, error: Error) -> Error {
        let Error::Invalid(faults) = error else { return error };
        let renamed = faults.into_iter().map(|fault| {
            let (first, rest) = fault.field.split_once('/').unwrap_or((&fault.field, ""));
            let known = self.names.iter().find(|(_, own)| *own == first);
            let field = match known {
                Some((here, _)) if rest.is_empty() => (*here).into(),
                Some((here, _)) => format!("{here}/{rest}").into(),
                None => fault.field.clone(),
            };
            // A schema that misses an input quotes its name.
            let quoted = |name: &str| format!("\"{name}\"");
            let reason = self.names.iter().fold(fault.reason, |reason, (here, own)| reason.replace(&quoted(own), &quoted(here)));
            Fault { field, reason }
        });
        Error::Invalid(renamed.collect())
    }
}

/// What most changes answered.
fn done() -> Value {
    json!({ "success": true })
}
