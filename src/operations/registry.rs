//! The list of all operations, types erased: what REST routes, OpenAPI and later tools are made from.

use std::pin::Pin;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::error::{Error, Fault, Result};

use super::{Confinement, Ctx, Operation, Spec, reach};

type Run = for<'a> fn(&'a Ctx, Value) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

/// An operation with its types erased.
#[derive(Debug)]
pub struct Entry {
    /// What it says of itself.
    pub spec: &'static Spec,
    /// Its doc comment.
    pub description: String,
    /// The JSON schema of its input: an object.
    pub input: Value,
    /// The JSON schema of its answer.
    pub output: Value,
    /// How it keeps within what a caller with limits sees.
    pub confinement: Confinement,
    /// Whether it reaches beyond this server, or shows what strangers wrote.
    pub open_world: bool,
    validator: jsonschema::Validator,
    run: Run,
}

/// Declares the list; each line is one operation.
macro_rules! operations {
    ($($operation:ty),* $(,)?) => {
        /// Every operation there is.
        pub fn all() -> &'static [Entry] {
            static ALL: std::sync::LazyLock<Vec<Entry>> = std::sync::LazyLock::new(|| vec![$(registry::entry::<$operation>()),*]);
            &ALL
        }
    };
}
pub(super) use operations;

/// The operation of a name.
pub fn find(name: &str) -> Option<&'static Entry> {
    super::all().iter().find(|entry| entry.spec.name == name)
}

pub(super) fn entry<O: Operation>() -> Entry {
    let mut input = schema_of::<O>();
    let description = input.as_object_mut().and_then(|schema| schema.remove("description"));
    Entry {
        spec: &O::SPEC,
        description: description.and_then(|d| d.as_str().map(str::to_owned)).unwrap_or_default(),
        // A schema that the generator made is a schema; were it not, nothing would be accepted.
        validator: jsonschema::draft202012::new(&input)
            .or_else(|_| jsonschema::draft202012::new(&Value::Bool(false)))
            .unwrap_or_else(|_| unreachable!("`false` is a schema")),
        input,
        output: schema_of::<O::Output>(),
        confinement: O::CONFINEMENT,
        open_world: O::OPEN_WORLD,
        run: |ctx, input| Box::pin(run::<O>(ctx, input)),
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.remove("title");
    schema.to_value()
}

async fn run<O: Operation>(ctx: &Ctx, input: Value) -> Result<Value> {
    let operation: O = serde_path_to_error::deserialize(input).map_err(|error| {
        let path = error.path().to_string().replace('.', "/");
        let field = if path == "/" || path == "?" { String::new() } else { path };
        Error::invalid(field, error.into_inner().to_string())
    })?;
    let output = ctx.run(operation).await?;
    serde_json::to_value(output).map_err(|cause| Error::Internal(anyhow::Error::new(cause).context("writing an answer")))
}

impl Entry {
    /// The names of the inputs.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.properties().into_iter().flat_map(|p| p.keys().map(String::as_str))
    }

    /// The schema of one input.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.properties().and_then(|p| p.get(name))
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.input.get("properties").and_then(Value::as_object)
    }

    /// Checks the scope, then the input, then runs. Names of inputs may be in camel case.
    pub async fn call(&self, ctx: &Ctx, input: Map<String, Value>) -> Result<Value> {
        ctx.check_scope(self.spec).await?;
        let input = Value::Object(self.with_own_names(input)?);
        self.validate(&input)?;
        reach::check(ctx, self, &input).await?;
        (self.run)(ctx, input).await
    }

    /// Gives each input the name that the operation has for it, and refuses those it does not have.
    fn with_own_names(&self, mut input: Map<String, Value>) -> Result<Map<String, Value>> {
        for (name, value) in &mut input {
            if let Some(schema) = self.parameter(name).or_else(|| self.parameter(&snake_case(name))) {
                rename_within(schema, value);
            }
        }
        let mut own = Map::new();
        let mut faults = Vec::new();
        for (name, value) in input {
            let known = [name.clone(), snake_case(&name)].into_iter().find(|name| self.parameter(name).is_some());
            match known {
                Some(known) if own.contains_key(&known) => {
                    faults.push(Fault { field: name.into(), reason: format!("is given twice, also as `{known}`") });
                }
                Some(known) => {
                    own.insert(known, value);
                }
                None => {
                    let names: Vec<_> = self.parameters().collect();
                    let reason = match names.as_slice() {
                        [] => format!("is unknown; {} takes no parameters", self.spec.name),
                        names => format!("is unknown; {} takes {}", self.spec.name, names.join(", ")),
                    };
                    faults.push(Fault { field: name.into(), reason });
                }
            }
        }
        if faults.is_empty() { Ok(own) } else { Err(Error::Invalid(faults)) }
    }

    fn validate(&self, input: &Value) -> Result<()> {
        let faults: Vec<Fault> = self
            .validator
            .iter_errors(input)
            .take(20)
            .map(|error| {
                let path = error.instance_path().to_string();
                Fault { field: path.trim_start_matches('/').to_owned().into(), reason: shortened(&error.to_string()) }
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }
}

/// Gives the fields of objects inside an input their own names too. One that is there under both names stays, and is refused
/// as unknown.
fn rename_within(schema: &Value, value: &mut Value) {
    match value {
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for item in items {
                    rename_within(inner, item);
                }
            }
        }
        Value::Object(fields) => {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                let given: Vec<String> = fields.keys().cloned().collect();
                for name in given {
                    let own = snake_case(&name);
                    if !properties.contains_key(&name)
                        && properties.contains_key(&own)
                        && !fields.contains_key(&own)
                        && let Some(field) = fields.remove(&name)
                    {
                        fields.insert(own, field);
                    }
                }
                for (name, field) in fields {
                    if let Some(inner) = properties.get(name) {
                        rename_within(inner, field);
                    }
                }
            }
        }
        _ => return,
    }
    for inner in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        rename_within(inner, value);
    }
}

/// An error quotes the value, which may be long.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 300 {
        return text.to_owned();
    }
    let start: String = text.chars().take(120).collect();
    let end: String = text.chars().skip(text.chars().count() - 120).collect();
    format!("{start} … {end}")
}

/// `createdAt` as `created_at`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
