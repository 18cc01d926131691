//! What an operation says of itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::types::Scope;

use super::{Confinement, Ctx};

/// Something that a caller can ask for.
pub trait Operation: DeserializeOwned + JsonSchema + Send + 'static {
    /// The answer.
    type Output: Serialize + JsonSchema + Send;
    /// What it says of itself.
    const SPEC: Spec;
    /// How it keeps within what a caller with limits sees.
    const CONFINEMENT: Confinement = Confinement::Inputs;
    /// Whether it reaches beyond this server, or shows what strangers wrote.
    const OPEN_WORLD: bool = matches!(Self::SPEC.scope, Scope::MailRead | Scope::CodeRead);
    /// How long it may take before the caller hears that the database does not answer.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(10)
    }
    /// What happens. The scope was checked before.
    fn run(self, ctx: &Ctx) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// What an operation says of itself.
#[derive(Debug)]
pub struct Spec {
    /// `verb_noun`: the tool's name and the OpenAPI operationId.
    pub name: &'static str,
    /// A few words for people.
    pub title: &'static str,
    /// Method and path below `/api/v1`; `{names}` are fields of the input. A query in the path selects among operations that
    /// share it.
    pub rest: (Method, &'static str),
    /// What the caller needs.
    pub scope: Scope,
    /// What it does to the world.
    pub effect: Effect,
    /// The action in the audit log; every operation but a plain read has one.
    pub audit: Option<&'static str>,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The name, in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the input travels in the body, where it is not in the path.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// What an operation does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// It changes something, and the change can be taken back.
    Write,
    /// It removes something for good.
    Destructive,
    /// It shows a secret.
    Reveal,
}
