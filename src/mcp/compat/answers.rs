//! How the earlier system told its answers.

use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::operations::Ctx;
use crate::operations::bodies::{Bodies, email_bodies};
use crate::operations::search::count_found;
use crate::types::MessageId;

use super::rows::{self, Row};

/// How an answer is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// `{"success": true}`.
    Done,
    /// A row.
    One(Row),
    /// A list of rows.
    Many(Row),
    /// A mailbox and its password.
    NewMailbox,
    /// A message with its bodies.
    Email,
    /// A list of messages with their bodies.
    Emails,
    /// A page of messages with their bodies, and figures about the whole.
    Found,
    /// Just the password.
    Password,
    /// The code of a mailbox.
    Code,
    /// One number of the answer, as `count`.
    Count(&'static str),
    /// Numbers of the answer under other names: theirs, then ours.
    Numbers(&'static [(&'static str, &'static str)]),
    /// The answer as it is.
    Own,
    /// The answer as it is, its names in camel case.
    Same,
}

impl Answer {
    /// What the answer promises.
    pub(super) fn schema(self) -> Value {
        let list = |row| json!({ "type": "array", "items": rows::schema(row) });
        let text = || json!({ "type": ["string", "null"] });
        match self {
            Self::Done => object(&[("success", json!({ "const": true }))]),
            Self::One(row) => rows::schema(row),
            Self::Many(row) => list(row),
            Self::NewMailbox => object(&[("mailbox", rows::schema(rows::MAILBOX)), ("password", text())]),
            Self::Email => rows::schema(rows::EMAIL),
            Self::Emails => list(rows::EMAIL),
            Self::Found => object(&[
                ("emails", list(rows::EMAIL)),
                ("total", json!({ "type": ["integer", "null"] })),
                ("limit", json!({ "type": "integer" })),
                ("offset", json!({ "type": "integer" })),
                ("hasMore", json!({ "type": "boolean" })),
                ("nextCursor", text()),
            ]),
            Self::Password => object(&[("password", text())]),
            Self::Code => object(&[
                ("success", json!({ "type": "boolean" })),
                ("code", text()),
                ("confidence", json!({ "enum": ["high", "none"] })),
                ("message", text()),
                ("email", json!({ "type": ["object", "null"] })),
                ("latest_email", json!({ "type": ["object", "null"] })),
            ]),
            Self::Count(_) => object(&[("count", json!({ "type": ["integer", "null"] }))]),
            Self::Numbers(names) => {
                let fields: Vec<_> = names.iter().map(|(theirs, _)| (*theirs, json!({ "type": ["integer", "null"] }))).collect();
                object(&fields)
            }
            Self::Own | Self::Same => json!({ "type": "object" }),
        }
    }

    /// Tells an answer; `given` is what the operation was asked with.
    pub(super) async fn tell(self, ctx: &Ctx, given: &Map<String, Value>, answer: Value) -> Result<Value> {
        Ok(match self {
            Self::Done => super::done(),
            Self::One(row) => rows::tell(row, &with_flags(answer)),
            Self::Many(row) => items(answer).into_iter().map(|item| rows::tell(row, &with_flags(item))).collect(),
            Self::NewMailbox => {
                let mailbox = rows::tell(rows::MAILBOX, &with_flags(answer["mailbox"].clone()));
                json!({ "mailbox": mailbox, "password": answer["password"] })
            }
            Self::Email => rows::tell(rows::EMAIL, &in_full(answer)),
            Self::Emails => emails(ctx, items(answer)).await?.into(),
            Self::Found => found(ctx, given, answer).await?,
            Self::Password => json!({ "password": answer["password"] }),
            Self::Code => code(answer),
            Self::Count(name) => json!({ "count": answer[name] }),
            Self::Numbers(names) => {
                names.iter().map(|(theirs, ours)| ((*theirs).to_owned(), answer[*ours].clone())).collect::<Map<_, _>>().into()
            }
            Self::Own => answer,
            Self::Same => camel(answer),
        })
    }
}

fn object(fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties })
}

/// The rows of a page, or of a bare list.
fn items(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(items) => items,
        Value::Object(mut page) => match page.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A mailbox said there whether it is active; here it has a lifecycle.
fn with_flags(mut row: Value) -> Value {
    if let Some(lifecycle) = row.get("lifecycle").and_then(Value::as_str) {
        row["is_active"] = (lifecycle == "active").into();
    }
    row
}

fn joined(texts: &Value) -> Value {
    let parts: Vec<&str> = texts.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    parts.join("\n").into()
}

/// A message in full, with its bodies beside the fields of lists.
fn in_full(mut answer: Value) -> Value {
    let content = answer["content"].take();
    answer["text"] = joined(&content["text"]);
    answer["html"] = joined(&content["html"]);
    answer["headers"] = content["headers"].clone();
    answer["message_id"] = content["message_id"].clone();
    answer["date"] = if content["date"].is_null() { answer["received_at"].clone() } else { content["date"].clone() };
    answer["message_from"] = answer["envelope"]["reverse_path"].clone();
    answer
}

/// Rows of a list with the bodies that it leaves out.
async fn emails(ctx: &Ctx, items: Vec<Value>) -> Result<Vec<Value>> {
    let ids: Vec<MessageId> = items.iter().filter_map(|item| item.get("id")?.as_str()?.parse().ok()).collect();
    let mut bodies = email_bodies(ctx, &ids).await?;
    let full = items.into_iter().map(|mut item| {
        let id = item.get("id").and_then(Value::as_str).and_then(|id| id.parse::<MessageId>().ok());
        if let Some(Bodies { text, html, headers, message_id, date, reverse_path }) = id.and_then(|id| bodies.remove(&id)) {
            item["text"] = text.into();
            item["html"] = html.into();
            item["headers"] = json!(headers);
            item["message_id"] = message_id.into();
            item["date"] = date.map_or_else(|| item["received_at"].clone(), |date| date.unix().into());
            item["message_from"] = reverse_path.into();
        }
        rows::tell(rows::EMAIL, &item)
    });
    Ok(full.collect())
}

/// A page of what was searched for.
async fn found(ctx: &Ctx, given: &Map<String, Value>, answer: Value) -> Result<Value> {
    let number = |name, default: i64| given.get(name).and_then(Value::as_i64).unwrap_or(default);
    let (limit, offset) = (number("limit", 50), number("offset", 0));
    let next = answer.get("next_cursor").cloned().unwrap_or_default();
    let emails = emails(ctx, items(answer)).await?;
    let seen = offset + i64::try_from(emails.len()).unwrap_or(0);
    let is_first = offset == 0 && given.get("cursor").is_none_or(Value::is_null);
    // Where the first page is all, it needs no counting.
    let total = if is_first && next.is_null() { Some(seen) } else { count_found(ctx, given.clone()).await? };
    Ok(json!({
        "emails": emails, "total": total, "limit": limit, "offset": offset, "hasMore": !next.is_null(), "nextCursor": next,
    }))
}

/// Both shapes that the earlier system had: that of its tool, and that of its REST route.
fn code(mut answer: Value) -> Value {
    let found = !answer["code"].is_null();
    answer["success"] = found.into();
    answer["confidence"] = if found { "high" } else { "none" }.into();
    answer
}

/// All names in camel case.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (rows::camel_case(&name), camel(field))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(camel).collect(),
        plain => plain,
    }
}
