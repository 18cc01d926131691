//! The OpenAPI 3.1 document, made from the list of operations.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::header as fields;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::http::conditional;
use crate::operations::{self, Effect, Entry, Method};
use crate::types::Scope;

use super::examples;

pub(super) async fn serve(headers: HeaderMap) -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let content_type = [(fields::CONTENT_TYPE, "application/json")];
    conditional(&headers, (content_type, TEXT.as_str()).into_response(), TEXT.as_bytes())
}

/// The OpenAPI 3.1 document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for entry in operations::all() {
        let (path, _) = entry.spec.rest.1.split_once('?').unwrap_or((entry.spec.rest.1, ""));
        add(&mut paths, path, entry.spec.rest.0.as_str(), operation(entry));
    }
    for (path, operation) in octets() {
        add(&mut paths, path, "GET", operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pillarbox",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Mail of your own domains: mailboxes, messages, verification codes. Times are Unix seconds; ids are opaque.",
            "license": { "name": "See the repository" },
        },
        "tags": tags(&paths),
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "bearer": [] }, { "apiKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`" },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            },
            "schemas": { "Problem": problem() },
            "responses": { "Problem": {
                "description": "A failure, with what to do next (RFC 9457).",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "headers": {
                "RateLimit": header("How the key stands: what is left of its bucket, and in how many seconds it is full again.", "\"read\";r=599;t=1"),
                "RateLimit-Policy": header("How many requests a minute the bucket holds.", "\"read\";q=600;w=60"),
                "X-Request-Id": header("Names the request in the server's log.", "01a21f5bc26d742282f850077f8454bf"),
                "ETag": header("Names this answer; send it in If-None-Match.", "\"9f86d081884c7d659a2feaa0c55ad015\""),
                "Idempotent-Replayed": header("`true` where this is the answer of an earlier request with the same Idempotency-Key.", "true"),
                "Retry-After": header("After how many seconds to try again.", "2"),
            },
            "parameters": {
                // Without an example: who sends one that is in a document sends one that was sent before.
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header", "required": false,
                    "description": "A word of the caller's own, such as a UUID. Sent again with the same word within 24 hours, the request is answered as the first time and not done again.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
                },
                "IfNoneMatch": {
                    "name": "If-None-Match", "in": "header", "required": false,
                    "description": "The ETag of an answer that the caller has; where it would be the same, the answer is 304 without a body.",
                    "schema": { "type": "string", "examples": ["\"9f86d081884c7d659a2feaa0c55ad015\""] },
                },
            },
        },
    })
}

/// Adds an operation; where one is there already, told apart by its query, the two become one description.
fn add(paths: &mut Map<String, Value>, path: &str, method: &str, mut new: Value) {
    let methods = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    let Some(methods) = methods.as_object_mut() else { return };
    let method = method.to_ascii_lowercase();
    if let Some(other) = methods.remove(&method) {
        // The one without the query is the plain case and keeps the name.
        let (mut plain, special) = if has_selector(&new) { (other, new) } else { (new, other) };
        merge(&mut plain, &special);
        new = plain;
    }
    if let Some(new) = new.as_object_mut() {
        new.remove("x-selector");
    }
    methods.insert(method, new);
}

fn has_selector(operation: &Value) -> bool {
    operation.get("x-selector").is_some()
}

fn merge(plain: &mut Value, special: &Value) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let selector = text(special, "x-selector");
    plain["description"] =
        format!("{}\n\nWith `{selector}`: {}", text(plain, "description"), text(special, "description")).into();
    let extra: Vec<Value> = special["parameters"].as_array().into_iter().flatten().cloned().collect();
    if let Some(parameters) = plain["parameters"].as_array_mut() {
        for mut parameter in extra {
            if parameter.get("name").is_some() && !parameters.iter().any(|known| known["name"] == parameter["name"]) {
                parameter["required"] = false.into();
                parameters.push(parameter);
            }
        }
    }
    let schema = |value: &Value| value.pointer("/responses/200/content/application~1json/schema").cloned();
    if let (Some(a), Some(b)) = (schema(plain), schema(special)) {
        plain["responses"]["200"]["content"]["application/json"]["schema"] = json!({ "anyOf": [a, b] });
    }
}

fn operation(entry: &Entry) -> Value {
    let spec = entry.spec;
    let (method, path) = spec.rest;
    let (path, selector) = path.split_once('?').map_or((path, None), |(path, selector)| (path, Some(selector)));
    let required =
        |name: &str| entry.input.pointer("/required").and_then(Value::as_array).is_some_and(|r| r.iter().any(|n| n == name));
    let in_path = |name: &str| path.contains(&format!("{{{name}}}"));
    let mut parameters = Vec::new();
    let mut body = Map::new();
    for name in entry.parameters() {
        let schema = entry.parameter(name).cloned().unwrap_or(Value::Bool(true));
        if in_path(name) || !method.has_body() {
            parameters.push(parameter(name, schema, in_path(name), required(name)));
        } else {
            let mut schema = schema;
            examples::add(&mut schema, name);
            body.insert(name.to_owned(), schema);
        }
    }
    let mut operation = json!({
        "operationId": spec.name,
        "summary": spec.title,
        "description": format!("{}\n\nScope: `{}`.", entry.description, spec.scope),
        "tags": [tag(path)],
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "Done.",
                "headers": headers(spec.effect, method),
                "content": { "application/json": { "schema": success(&entry.output) } },
            },
        },
        "x-scope": spec.scope,
        "x-effect": effect(spec.effect),
    });
    add_failures(&mut operation, method);
    if let Some(selector) = selector {
        operation["x-selector"] = selector.into();
    }
    if !body.is_empty() {
        let needed: Vec<&str> = entry.parameters().filter(|name| !in_path(name) && required(name)).collect();
        let schema = json!({ "type": "object", "properties": body, "required": needed, "additionalProperties": false });
        operation["requestBody"] =
            json!({ "required": !needed.is_empty(), "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// A header of answers.
fn header(description: &str, example: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string", "examples": [example] } })
}

/// The headers that a success has.
fn headers(effect: Effect, method: Method) -> Value {
    let mut names = vec!["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    names.extend((method == Method::Get && effect == Effect::Read).then_some("ETag"));
    names.extend((method == Method::Post).then_some("Idempotent-Replayed"));
    let refer = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    names.into_iter().map(refer).collect::<Map<_, _>>().into()
}

/// What can go wrong at any operation, and the headers that say what was asked before.
fn add_failures(operation: &mut Value, method: Method) {
    let mut statuses = vec!["400", "401", "403", "404", "409", "429", "500", "503"];
    let parameter = match method {
        Method::Post => {
            statuses.push("422");
            Some("IdempotencyKey")
        }
        Method::Get => {
            operation["responses"]["304"] = json!({ "description": "The caller has this answer already." });
            Some("IfNoneMatch")
        }
        Method::Put | Method::Patch | Method::Delete => None,
    };
    if method.has_body() {
        statuses.push("413");
    }
    for status in statuses.into_iter().chain(["default"]) {
        operation["responses"][status] = json!({ "$ref": "#/components/responses/Problem" });
    }
    if let (Some(name), Some(parameters)) = (parameter, operation["parameters"].as_array_mut()) {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
}

/// What the groups of operations are about.
fn tags(paths: &Map<String, Value>) -> Value {
    let mut names: Vec<&str> = paths.keys().map(|path| tag(path)).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    let described = |name: &str| json!({ "name": name, "description": format!("What is at /{name}.") });
    names.into_iter().map(described).collect()
}

fn parameter(name: &str, mut schema: Value, in_path: bool, required: bool) -> Value {
    examples::add(&mut schema, name);
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
    json!({
        "name": name,
        "in": if in_path { "path" } else { "query" },
        "required": in_path || required,
        "description": description.as_str().unwrap_or_default(),
        "schema": schema,
    })
}

/// The envelope; a page's cursor stands beside its rows.
fn success(output: &Value) -> Value {
    let mut output = output.clone();
    examples::add(&mut output, "");
    let (data, cursor) = match (output.pointer("/properties/items"), output.pointer("/properties/next_cursor")) {
        (Some(items), Some(cursor)) => (items.clone(), Some(cursor.clone())),
        _ => (output.clone(), None),
    };
    let mut properties = json!({ "success": { "const": true, "description": "Always true." }, "data": data });
    if let Some(cursor) = cursor {
        properties["next_cursor"] = cursor;
    }
    let required: Vec<String> = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destructive",
        Effect::Reveal => "reveal",
    }
}

fn tag(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn problem() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let mut schema = json!({
        "type": "object",
        "required": ["success", "error", "type", "title", "status", "detail", "code", "fix", "request_id"],
        "properties": {
            "success": { "const": false, "description": "Always false." },
            "error": text("The same as `detail`."),
            "type": text("A URN that names the kind of problem."),
            "title": text("The status in words."),
            "status": { "type": "integer", "description": "The HTTP status." },
            "detail": text("What happened, for people."),
            "code": text("What happened, for programs: stable."),
            "fix": text("What to do next."),
            "request_id": text("Names the request in the server's log and audit log."),
            "errors": {
                "type": "array",
                "description": "What is wrong with each input.",
                "items": { "type": "object", "required": ["pointer", "detail"], "properties": {
                    "pointer": text("A JSON pointer to the input."),
                    "detail": text("What is wrong with it."),
                } },
            },
        },
    });
    schema["properties"]["code"]["examples"] = json!(["mailbox_not_found"]);
    examples::add(&mut schema, "");
    schema
}

/// The routes that answer with octets, which are not in the list of operations.
fn octets() -> [(&'static str, Value); 3] {
    let path = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema });
    let example = "01890a5d-ac96-774b-bcce-b302099a8057";
    let id = || path("id", "The message's id.", json!({ "type": "string", "examples": [example] }));
    let route = |name: &str, title: &str, parameters: Value, content: &str| {
        let mut operation = json!({
            "operationId": name,
            "summary": title,
            "description": format!("Scope: `{}`.", Scope::MailRead),
            "tags": ["messages"],
            "parameters": parameters,
            "responses": {
                "200": { "description": "The octets.", "headers": headers(Effect::Read, Method::Get), "content": { content: {} } },
            },
            "x-scope": Scope::MailRead,
            "x-effect": "read",
        });
        add_failures(&mut operation, Method::Get);
        operation
    };
    let trace = json!({ "name": "trace", "in": "query", "description": "Whether the fields that this server put on top come first.",
        "schema": { "type": "boolean", "default": false, "examples": [true] } });
    let index = path("index", "Which attachment, counted from 0.", json!({ "type": "integer", "minimum": 0, "examples": [0] }));
    [
        (
            "/messages/{id}/raw",
            route("get_email_raw", "Get a message's source, octet for octet", json!([id(), trace]), "message/rfc822"),
        ),
        ("/messages/{id}/html", route("get_email_html", "Get a message as cleaned HTML", json!([id()]), "text/html")),
        (
            "/messages/{id}/attachments/{index}",
            route("get_attachment", "Get an attachment", json!([id(), index]), "application/octet-stream"),
        ),
    ]
}
