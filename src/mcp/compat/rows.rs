//! The rows of the earlier system: what they are called there, and of which kind they are.

use serde_json::{Map, Value, json};

/// A row's fields: the name there, its kind, and where it comes from in ours (else the same name in snake case).
pub(super) type Row = &'static [(&'static str, Kind, &'static str)];

/// The kind of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    /// A JSON value, told as a text.
    Json,
}

use Kind::{Flag, Json, Number, Text};

pub(super) const USER: Row = &[
    ("id", Text, ""),
    ("name", Text, ""),
    ("note", Text, ""),
    ("createdAt", Number, ""),
    ("lastLoginAt", Number, ""),
    ("isActive", Flag, ""),
];

pub(super) const NEW_USER: Row = &[
    ("id", Text, "user/id"),
    ("token", Text, "token"),
    ("name", Text, "user/name"),
    ("note", Text, "user/note"),
    ("createdAt", Number, "user/created_at"),
    ("lastLoginAt", Number, "user/last_login_at"),
    ("isActive", Flag, "user/is_active"),
];

pub(super) const MAILBOX: Row = &[
    ("address", Text, ""),
    ("userId", Text, ""),
    ("isShared", Flag, ""),
    ("note", Text, ""),
    ("createdBy", Text, ""),
    ("createdAt", Number, ""),
    ("expiresAt", Number, ""),
    ("lastLoginAt", Number, ""),
    ("isActive", Flag, ""),
    ("deletedAt", Number, "trashed_at"),
    ("deletedBy", Text, "trashed_by"),
];

pub(super) const EMAIL: Row = &[
    ("id", Text, ""),
    ("mailboxAddress", Text, "mailbox"),
    ("messageFrom", Text, ""),
    ("messageTo", Text, "recipient"),
    ("fromAddress", Text, ""),
    ("fromName", Text, ""),
    ("subject", Text, ""),
    ("text", Text, ""),
    ("html", Text, ""),
    ("headers", Json, ""),
    ("messageId", Text, ""),
    ("date", Number, ""),
    ("isStarred", Flag, ""),
    ("isRead", Flag, ""),
    ("readAt", Number, ""),
    ("createdAt", Number, "received_at"),
];

pub(super) const LOG: Row = &[
    ("id", Text, ""),
    ("adminId", Text, "actor_id"),
    ("action", Text, ""),
    ("target", Text, ""),
    ("details", Json, "detail"),
    ("ip", Text, "remote_address"),
    ("createdAt", Number, "at"),
];

pub(super) const TEMPLATE: Row =
    &[("id", Text, ""), ("name", Text, ""), ("loginUrl", Text, ""), ("note", Text, ""), ("createdAt", Number, "")];

pub(super) const BINDING: Row = &[
    ("id", Text, ""),
    ("mailboxAddress", Text, "mailbox"),
    ("templateId", Text, ""),
    ("customName", Text, ""),
    ("customLoginUrl", Text, ""),
    ("customNote", Text, ""),
    ("expiresAt", Number, ""),
    ("createdAt", Number, ""),
];

pub(super) const SERVICE: Row = &[
    ("id", Text, ""),
    ("name", Text, ""),
    ("loginUrl", Text, ""),
    ("note", Text, ""),
    ("isCustom", Flag, ""),
    ("templateId", Text, ""),
    ("expiresAt", Number, ""),
];

pub(super) const MEMBER: Row = &[("userId", Text, ""), ("mailboxAddress", Text, "mailbox"), ("assignedAt", Number, "")];

pub(super) const BATCH_ITEM: Row =
    &[("address", Text, ""), ("password", Text, ""), ("created", Flag, ""), ("code", Text, ""), ("error", Text, "")];

/// A row of ours as one of theirs.
pub(super) fn tell(row: Row, ours: &Value) -> Value {
    let mut theirs = Map::new();
    for (name, kind, from) in row {
        let from = if from.is_empty() { snake(name) } else { (*from).to_owned() };
        let value = ours.pointer(&format!("/{from}")).cloned().unwrap_or_default();
        let value = match kind {
            Json if !value.is_null() => value.to_string().into(),
            _ => value,
        };
        theirs.insert((*name).to_owned(), value);
    }
    theirs.into()
}

/// What a row promises.
pub(super) fn schema(row: Row) -> Value {
    let mut properties = Map::new();
    for (name, kind, _) in row {
        let kind = match kind {
            Text | Json => "string",
            Number => "number",
            Flag => "boolean",
        };
        properties.insert((*name).to_owned(), json!({ "type": [kind, "null"] }));
    }
    json!({ "type": "object", "properties": properties })
}

fn snake(name: &str) -> String {
    crate::operations::snake_case(name)
}

/// `created_at` as `createdAt`.
pub(super) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                camel.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_told_under_the_names_there() {
        let ours = json!({ "id": "1", "actor_id": null, "action": "a", "target": "t", "detail": { "x": 1 }, "remote_address": "::1", "at": 7 });
        let theirs = json!({ "id": "1", "adminId": null, "action": "a", "target": "t", "details": "{\"x\":1}", "ip": "::1", "createdAt": 7 });
        assert_eq!(tell(LOG, &ours), theirs);
        assert_eq!(tell(NEW_USER, &json!({ "token": "t", "user": { "id": "u" } }))["id"], "u");
        assert_eq!(camel_case("is_active"), "isActive");
    }
}
