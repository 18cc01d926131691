//! The tools: one for each operation, and the names that the callers of an earlier system know.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{Error, Result};
use crate::operations::{self, Caller, Effect, Entry, Method, Spec};

use super::compat::{self, Rendering};
use super::{schema, untrusted};

/// The few tools that an agent needs, in the order in which it needs them.
pub const CORE_NAMES: [&str; 15] = [
    "create_mailbox",
    "list_mailboxes",
    "get_verification_code",
    "wait_for_code",
    "wait_for_link",
    "wait_for_message",
    "expect_no_message",
    "list_emails",
    "search_emails",
    "get_email",
    "delete_mailbox",
    "acquire_mailbox",
    "extend_lease",
    "release_lease",
    "complete_lease",
];

/// Which tools a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolset {
    /// All; those of the earlier system with the inputs and answers that they had there.
    All,
    /// Those of [`CORE_NAMES`], in this server's own form and with short schemas.
    Core,
}

impl Toolset {
    /// From the query of the endpoint: `?toolset=core`.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self> {
        let mut toolset = Self::All;
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            toolset = match (name.as_ref(), value.as_ref()) {
                ("toolset", "core") => Self::Core,
                ("toolset", "all") => Self::All,
                ("toolset", _) => return Err(Error::invalid("toolset", "must be core or all")),
                _ => return Err(Error::invalid(name.into_owned(), "is unknown; there is toolset")),
            };
        }
        Ok(toolset)
    }
}

/// A tool, and what answers it.
#[derive(Debug)]
pub struct Listed {
    /// What clients see.
    pub tool: Tool,
    /// The operation behind it.
    pub entry: &'static Entry,
    /// How inputs and answer are told, where that is not as the operation has them.
    pub(super) rendering: Option<&'static Rendering>,
}

static ALL: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let known = compat::all().iter().filter_map(|rendering| {
        let entry = operations::find(rendering.operation)?;
        let tool = tool(rendering.tool, entry, rendering.title, rendering.input(entry), rendering.output());
        Some(Listed { tool, entry, rendering: Some(rendering) })
    });
    let own = operations::all().iter().filter(|entry| compat::all().iter().all(|known| known.tool != entry.spec.name));
    let own = own.map(|entry| Listed {
        tool: tool(entry.spec.name, entry, None, schema::input(&entry.input), schema::output(&entry.output)),
        entry,
        rendering: None,
    });
    known.chain(own).collect()
});

static CORE: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let entries = CORE_NAMES.iter().filter_map(|name| operations::find(name));
    entries
        .map(|entry| {
            let (input, output) = (schema::short_input(&entry.input), schema::short_output(&entry.output));
            let mut tool = tool(entry.spec.name, entry, None, input, output);
            tool.description = Some(schema::first_sentence(&entry.description).to_owned().into());
            Listed { tool, entry, rendering: None }
        })
        .collect()
});

fn all(toolset: Toolset) -> &'static [Listed] {
    match toolset {
        Toolset::All => &ALL,
        Toolset::Core => &CORE,
    }
}

/// The tools that a caller may use.
pub fn list(toolset: Toolset, caller: &Caller) -> impl Iterator<Item = &'static Listed> {
    all(toolset).iter().filter(|listed| caller.may(listed.entry.spec.scope))
}

/// The tool of a name, whoever may use it.
pub(super) fn find(toolset: Toolset, name: &str) -> Option<&'static Listed> {
    all(toolset).iter().find(|listed| listed.tool.name == name)
}

fn tool(
    name: &'static str,
    entry: &'static Entry,
    title: Option<&'static str>,
    input: Map<String, Value>,
    mut output: Map<String, Value>,
) -> Tool {
    let title = title.unwrap_or(entry.spec.title);
    if untrusted::is_mail(entry.spec.scope) {
        untrusted::describe(&mut output);
    }
    Tool::new_with_raw(name, Some(Cow::Borrowed(entry.description.as_str())), Arc::new(input))
        .with_title(title)
        .with_annotations(annotations(entry.spec, entry.open_world))
        .with_raw_output_schema(Arc::new(output))
}

/// What a client may tell its user before a call.
fn annotations(spec: &Spec, open_world: bool) -> ToolAnnotations {
    let reads = matches!(spec.effect, Effect::Read | Effect::Reveal);
    // Doing it twice leaves what doing it once leaves; a second POST makes or takes a second thing.
    let idempotent = reads || spec.rest.0 != Method::Post;
    ToolAnnotations::new()
        .read_only(reads)
        .destructive(spec.effect == Effect::Destructive)
        .idempotent(idempotent)
        .open_world(open_world)
}
