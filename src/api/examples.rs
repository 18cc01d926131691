//! Examples for the OpenAPI document: what a value of a name and kind looks like.

use serde_json::{Map, Value, json};

/// Values by the name of their field.
const BY_NAME: &[(&str, &str)] = &[
    ("address", "alice@example.org"),
    ("mailbox", "alice@example.org"),
    ("recipient", "alice+shop@example.org"),
    ("reverse_path", "bounces@sender.example"),
    ("from_address", "no-reply@sender.example"),
    ("from_name", "Sender"),
    ("sender", "no-reply@sender.example"),
    ("sender_name", "Sender"),
    ("subject", "Your sign-in code"),
    ("preview", "Your verification code is 482913."),
    ("text", "Your verification code is 482913."),
    ("text_snippet", "Your verification code is 482913."),
    ("html", "<p>Your verification code is <b>482913</b>.</p>"),
    ("code", "482913"),
    ("display", "482 913"),
    ("link", "https://app.example/verify?token=abc"),
    ("url", "https://app.example/verify?token=abc"),
    ("login_url", "https://app.example/sign-in"),
    ("domain", "example.org"),
    ("name", "example"),
    ("note", "for the sign-up tests"),
    ("password", "qK7mPz4TnW2x"),
    ("prefix", "sk_live_Ab3dEf9h"),
    ("key", "sk_live_ + 8 characters + . + 32 characters"),
    ("cursor", "MDFhMjFmNWI"),
    ("next_cursor", "MDFhMjFmNWI"),
    ("created_by", "admin"),
    ("actor_name", "admin"),
    ("action", "mailbox.create"),
    ("target", "alice@example.org"),
    ("surface", "rest"),
    ("outcome", "done"),
    ("remote_address", "192.0.2.7"),
    ("sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ("message_id", "20261127.1@sender.example"),
    ("filename", "invoice.pdf"),
    ("request_id", "01a21f5bc26d742282f850077f8454bf"),
    ("q", "subject:code is:unread"),
    ("error", "There is no mailbox alice@example.org."),
    ("detail", "There is no mailbox alice@example.org."),
    ("type", "urn:pillarbox:problem:mailbox_not_found"),
    ("title", "Not Found"),
    ("fix", "Check the name, or list what there is."),
    ("pointer", "/address"),
];

/// Gives every value in a schema an example, where it has none.
pub(super) fn add(schema: &mut Value, name: &str) {
    if let Value::Object(fields) = schema {
        fields.remove("x-id");
        for (inner_name, inner) in fields.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            add(inner, inner_name);
        }
        if let Some(items) = fields.get_mut("items") {
            add(items, name.trim_end_matches("es").trim_end_matches('s'));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for inner in fields.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                add(inner, name);
            }
        }
        if let (Some(value), false) = (fields.get("const").cloned(), fields.contains_key("description")) {
            fields.insert("description".to_owned(), format!("Always `{}`.", value.to_string().trim_matches('"')).into());
        }
        if !fields.contains_key("examples")
            && let Some(example) = example(fields, name)
        {
            fields.insert("examples".to_owned(), json!([example]));
        }
    }
}

/// What a value of this schema looks like; nothing for objects, whose fields have theirs.
fn example(schema: &Map<String, Value>, name: &str) -> Option<Value> {
    for key in ["default", "const"] {
        if let Some(value) = schema.get(key) {
            return Some(value.clone());
        }
    }
    if let Some(value) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return Some(value.clone());
    }
    let kind = match schema.get("type")? {
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")?,
        _ => return None,
    };
    Some(match kind {
        "integer" if name.ends_with("_at") => 1_790_000_000.into(),
        "integer" => schema.get("minimum").and_then(Value::as_i64).map_or(3, |least| least.max(1)).into(),
        "number" => json!(0.98),
        "boolean" => true.into(),
        "string" => BY_NAME.iter().find(|(known, _)| *known == name).map_or("text", |(_, example)| *example).into(),
        "array" => {
            let item = schema.get("items")?.get("examples")?.get(0)?;
            json!([item])
        }
        _ => return None,
    })
}
