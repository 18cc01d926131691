//! Keeps a caller that sees a part of the installation within that part. In one place for all operations.
//!
//! An input says by its type what it names: a mailbox, a domain, a message. What is named outside the caller's reach is, to the
//! caller, not there. An operation that names nothing, or something whose mailbox is not known here, is refused, unless it
//! narrows its answer itself ([`Confinement::Itself`]); so a new operation is closed to such callers until it is made for them.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{Address, DomainName, MessageId, Reach};

use super::{Ctx, Entry};

/// How an operation keeps within what a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// By its inputs: each names something that the caller must see, and there has to be one.
    Inputs,
    /// It looks at the caller's reach itself; its inputs are checked all the same.
    Itself,
}

/// Something that an input names.
enum Named {
    Mailbox(String),
    Domain(String),
    Message(String),
    Other,
}

/// Checks the inputs of a caller with limits.
pub(super) async fn check(ctx: &Ctx, entry: &Entry, input: &Value) -> Result<()> {
    let reach = ctx.caller.reach();
    if reach.is_all() {
        return Ok(());
    }
    let mut named = Vec::new();
    collect(&entry.input, input, &mut named);
    if entry.confinement == Confinement::Inputs && named.is_empty() {
        return Err(Error::OutOfReach);
    }
    for name in named {
        match name {
            // What is no address gets its error from the operation.
            Named::Mailbox(text) => match text.parse::<Address>() {
                Ok(address) if !sees(ctx, &address).await? => return Err(Error::no_mailbox(&address)),
                Ok(_) | Err(_) => {}
            },
            Named::Domain(text) => match text.parse::<DomainName>() {
                Ok(name) if !reach.has_domain(&name) => {
                    return Err(Error::not_found("domain", format!("There is no domain {name}.")));
                }
                Ok(_) | Err(_) => {}
            },
            Named::Message(text) => message(ctx, text.parse().unwrap_or(MessageId(uuid::Uuid::nil()))).await?,
            Named::Other => return Err(Error::OutOfReach),
        }
    }
    Ok(())
}

/// Whether what is named by an address is seen: a mailbox, or a sub-address of one that has no mailbox of its own.
async fn sees(ctx: &Ctx, address: &Address) -> Result<bool> {
    let reach = ctx.caller.reach();
    if reach.has_mailbox(address) || !reach.has_base(address) {
        return Ok(reach.has_mailbox(address));
    }
    let mut db = ctx.services.db.acquire().await?;
    Ok(store::mailboxes::ids(&mut db, &[address.to_string()]).await?.is_empty())
}

/// Refuses a message that lies outside the caller's reach, as one that is not there.
pub(super) async fn message(ctx: &Ctx, id: MessageId) -> Result<()> {
    let reach = ctx.caller.reach();
    if reach.is_all() {
        return Ok(());
    }
    let mut db = ctx.services.db.acquire().await?;
    match store::messages::mailbox_of(&mut db, id).await? {
        Some(address) if reach.has_mailbox(&address) => Ok(()),
        Some(_) | None => Err(Error::not_found("message", format!("There is no message {id}."))),
    }
}

/// Walks schema and value side by side, for the texts whose type names something.
fn collect(schema: &Value, value: &Value, named: &mut Vec<Named>) {
    match value {
        Value::String(text) => named.extend(kind(schema, text)),
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for item in items {
                    collect(inner, item, named);
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(inner) = schema.get("properties").and_then(|properties| properties.get(name)) {
                    collect(inner, field, named);
                }
            }
        }
        _ => {}
    }
    for inner in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        collect(inner, value, named);
    }
}

fn kind(schema: &Value, text: &str) -> Option<Named> {
    match (schema.get("x-id").and_then(Value::as_str), schema.get("format").and_then(Value::as_str)) {
        (Some("MessageId"), _) => Some(Named::Message(text.to_owned())),
        (Some(_), _) => Some(Named::Other),
        (None, Some("email")) => Some(Named::Mailbox(text.to_owned())),
        (None, Some("hostname")) => Some(Named::Domain(text.to_owned())),
        (None, _) => None,
    }
}

/// Refuses an address outside the caller's reach, for operations that read addresses as texts.
pub(super) fn address(reach: &Reach, address: &Address) -> Result<()> {
    if reach.has_mailbox(address) { Ok(()) } else { Err(Error::no_mailbox(address)) }
}
