//! Schemas of operations as tools show them.

use serde_json::{Map, Value, json};

/// The schema of an input: an object that takes nothing else.
pub(super) fn input(schema: &Value) -> Map<String, Value> {
    let mut input = as_object(schema);
    input.insert("additionalProperties".to_owned(), false.into());
    input
}

/// The schema of an answer. The protocol wants an object; a list stands in one.
pub(super) fn output(schema: &Value) -> Map<String, Value> {
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        return as_object(schema);
    }
    as_object(&json!({ "type": "object", "properties": { "items": schema }, "required": ["items"] }))
}

/// An answer in the form of [`output`].
pub(super) fn structured(answer: Value) -> Value {
    if answer.is_object() { answer } else { json!({ "items": answer }) }
}

fn as_object(schema: &Value) -> Map<String, Value> {
    let mut schema = schema.clone();
    strip(&mut schema);
    let mut object = match schema {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    object.entry("type").or_insert_with(|| "object".into());
    object.entry("properties").or_insert_with(|| json!({}));
    object
}

/// Takes away what is for this server's own use.
fn strip(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("x-id");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The input, told in as few words as do.
pub(super) fn short_input(schema: &Value) -> Map<String, Value> {
    let mut short = input(schema);
    short.remove("description");
    if let Some(properties) = short.get_mut("properties").and_then(Value::as_object_mut) {
        // A cursor does the same, and better.
        properties.remove("offset");
        for property in properties.values_mut() {
            shorten(property);
        }
    }
    short
}

/// One sentence, and the kind and range of the value.
fn shorten(property: &mut Value) {
    let Some(fields) = property.as_object_mut() else { return };
    for name in ["examples", "format", "title"] {
        fields.remove(name);
    }
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    if let Some(description) = fields.get("description").and_then(Value::as_str) {
        let sentence = first_sentence(description).to_owned();
        fields.insert("description".to_owned(), sentence.into());
    }
    // An input that may be null may as well be left out.
    if let Some(Value::Array(kinds)) = fields.get("type") {
        let kinds: Vec<Value> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            fields.insert("type".to_owned(), kind);
        }
    }
    for inner in fields.values_mut() {
        match inner {
            Value::Object(_) => shorten_within(inner),
            Value::Array(items) => items.iter_mut().filter(|item| item.is_object()).for_each(shorten_within),
            _ => {}
        }
    }
}

fn shorten_within(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        for name in ["examples", "format", "title", "description"] {
            if fields.get(name).is_some_and(|value| !value.is_object()) {
                fields.remove(name);
            }
        }
        for inner in fields.values_mut() {
            match inner {
                Value::Object(_) => shorten_within(inner),
                Value::Array(items) => items.iter_mut().filter(|item| item.is_object()).for_each(shorten_within),
                _ => {}
            }
        }
    }
}

/// So many names of an answer are told in a short list of tools.
const MOST_NAMES: usize = 12;

/// The answer's names and kinds, without what is inside them.
pub(super) fn short_output(schema: &Value) -> Map<String, Value> {
    let whole = output(schema);
    let mut properties = Map::new();
    for (name, property) in whole.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let kind = property.get("type").map_or_else(|| json!({}), |kind| json!({ "type": kind }));
        properties.insert(name.clone(), kind);
    }
    // A large answer explains itself better than its list of names does.
    if properties.len() > MOST_NAMES {
        return as_object(&json!({ "type": "object" }));
    }
    as_object(&json!({ "type": "object", "properties": properties }))
}

/// Up to the first full stop.
pub(super) fn first_sentence(text: &str) -> &str {
    let end = [". ", ".\n", "\n\n"].iter().filter_map(|end| text.find(end)).min();
    end.map_or(text, |end| text.get(..=end).unwrap_or(text)).trim_end()
}
