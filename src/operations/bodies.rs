//! The bodies of several messages at once, for callers whose lists have them.

use std::collections::HashMap;

use crate::error::Result;
use crate::mail::headers::Header;
use crate::mail::parse::parse;
use crate::store;
use crate::types::{MessageId, Timestamp};

use super::Ctx;
use super::context::within;
use super::messages::{GetEmail, off_the_runtime};
use super::{Operation as _, reach};

/// How many octets of messages one list reads; those beyond have no bodies.
const MOST_OCTETS: i64 = 16 << 20;

/// What a list leaves out of a message.
#[derive(Debug)]
pub struct Bodies {
    /// Its plain text; empty where it has none.
    pub text: String,
    /// Its HTML as sent; empty where it has none.
    pub html: String,
    /// Its header fields in order.
    pub headers: Vec<Header>,
    /// Its message id without angle brackets.
    pub message_id: Option<String>,
    /// When its sender says that it was written.
    pub date: Option<Timestamp>,
    /// The sender of the envelope.
    pub reverse_path: Option<String>,
}

/// The bodies of messages, as far as the caller sees them. The scope is that of [`GetEmail`].
pub async fn email_bodies(ctx: &Ctx, ids: &[MessageId]) -> Result<HashMap<MessageId, Bodies>> {
    ctx.check_scope(&GetEmail::SPEC).await?;
    for id in ids.iter().filter(|_| !ctx.caller.reach().is_all()) {
        reach::message(ctx, *id).await?;
    }
    let ask = async {
        let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
        let mut db = ctx.services.db.acquire().await?;
        store::messages::contents(&mut db, &ids, MOST_OCTETS).await
    };
    let mut found = HashMap::with_capacity(ids.len());
    for (id, octets, envelope) in within(std::time::Duration::from_secs(10), ask).await? {
        let parsed = off_the_runtime(octets, parse).await?;
        let reverse_path = envelope.get("reverse_path").and_then(|path| path.as_str()).map(str::to_owned);
        let bodies = Bodies {
            text: parsed.text.join("\n"),
            html: parsed.html.join("\n"),
            headers: parsed.headers,
            message_id: parsed.message_id,
            date: parsed.date,
            reverse_path,
        };
        found.insert(id, bodies);
    }
    Ok(found)
}
