//! An operation's input from path, query and body.

use axum::body::Bytes;
use axum::extract::RawPathParams;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::error::{Error, Fault, Result};
use crate::operations::{Entry, snake_case};

/// Puts the input together. Texts of path and query become the numbers and truth values that the operation's schema asks for.
pub(super) fn gather(
    entry: &Entry,
    path: &RawPathParams,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Map<String, Value>> {
    let mut input = if entry.spec.rest.0.has_body() { parse_body(headers, body)? } else { Map::new() };
    let mut faults = Vec::new();
    for (name, text) in query {
        if input.contains_key(name) {
            faults.push(Fault { field: name.clone().into(), reason: "is given twice".to_owned() });
        }
        input.insert(name.clone(), coerced(entry, name, text));
    }
    for (name, text) in path {
        if input.get(name).is_some_and(|given| given.as_str() != Some(text)) {
            faults.push(Fault { field: name.to_owned().into(), reason: "differs from the one in the path".to_owned() });
        }
        input.insert(name.to_owned(), coerced(entry, name, text));
    }
    if faults.is_empty() { Ok(input) } else { Err(Error::Invalid(faults)) }
}

fn parse_body(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Error::invalid("Content-Type", "must be application/json for a request with a body"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::invalid("", "The body must be a JSON object.")),
        Err(error) => Err(Error::invalid("", format!("The body is not JSON: {error}."))),
    }
}

/// The value of a text by the type that its parameter has. What does not fit stays a text, and the schema says what is wrong.
fn coerced(entry: &Entry, name: &str, text: &str) -> Value {
    let schema = entry.parameter(name).or_else(|| entry.parameter(&snake_case(name)));
    let wants = |kind| schema.is_some_and(|schema| has_type(schema, kind));
    if wants("integer")
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    match text {
        "true" | "1" if wants("boolean") => true.into(),
        "false" | "0" if wants("boolean") => false.into(),
        text if wants("array") => text.split(',').map(|item| Value::from(item.trim())).collect(),
        text => text.into(),
    }
}

fn has_type(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten()
            .any(|inner| has_type(inner, kind)),
    }
}
