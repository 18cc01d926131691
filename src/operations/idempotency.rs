//! Requests with an `Idempotency-Key`: sent again, they are answered again, not done again. For 24 hours, for each API key apart.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::store;
use crate::types::ApiKeyId;

use super::{Caller, Ctx};

/// What the sealed answers are for.
const PURPOSE: &str = "kept_answer";

/// An answer as it was given the first time.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Claim {
    /// It is the first: do it, then settle the ticket.
    First(Ticket),
    /// It was done: answer as then.
    Again(Kept),
    /// The word was used for another request.
    Other,
    /// The first is still being done.
    UnderWay,
    /// The first broke off, and nobody knows how far it came.
    Unknown,
}

/// The right to do a request, held by the one who does it.
#[derive(Debug)]
pub struct Ticket {
    owner: ApiKeyId,
    word: String,
}

/// Whether a text can be an idempotency key: 1 to 255 visible ASCII characters.
pub fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Of a route and its input, whatever the order of its fields.
pub fn fingerprint(route: &str, input: &serde_json::Value) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(route);
    hash.update([0]);
    write_sorted(input, &mut hash);
    hash.finalize().to_vec()
}

fn write_sorted(value: &serde_json::Value, hash: &mut Sha256) {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            hash.update(b"{");
            for (name, field) in fields {
                hash.update(serde_json::Value::from(name.as_str()).to_string());
                hash.update(b":");
                write_sorted(field, hash);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        serde_json::Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                write_sorted(item, hash);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        plain => hash.update(plain.to_string()),
    }
}

/// Asks for the right to do a request.
pub async fn claim(ctx: &Ctx, word: &str, fingerprint: &[u8]) -> Result<Claim> {
    let Caller::Key { id: owner, .. } = ctx.caller else {
        return Err(Error::invalid("Idempotency-Key", "needs a caller with an API key"));
    };
    let mut db = ctx.services.db.acquire().await?;
    if store::kept_answers::claim(&mut db, owner, word, fingerprint).await? {
        return Ok(Claim::First(Ticket { owner, word: word.to_owned() }));
    }
    // Gone in between: it was released, and the caller may try again at once.
    let Some(row) = store::kept_answers::find(&mut db, owner, word).await? else { return Ok(Claim::UnderWay) };
    if row.fingerprint != fingerprint {
        return Ok(Claim::Other);
    }
    match (row.status.and_then(|status| u16::try_from(status).ok()), row.sealed_body) {
        (Some(status), Some(sealed)) => {
            let body = ctx.services.sealer.open(PURPOSE, &seal_owner(owner, word), &sealed)?;
            Ok(Claim::Again(Kept { status, body }))
        }
        _ if row.is_stale => Ok(Claim::Unknown),
        _ => Ok(Claim::UnderWay),
    }
}

fn seal_owner(owner: ApiKeyId, word: &str) -> String {
    format!("{owner} {word}")
}

impl Ticket {
    /// Keeps the answer for whoever sends the request again.
    pub async fn keep(self, ctx: &Ctx, status: u16, body: &str) -> Result<()> {
        let sealed = ctx.services.sealer.seal(PURPOSE, &seal_owner(self.owner, &self.word), body)?;
        let status = i16::try_from(status).map_err(|cause| Error::Internal(cause.into()))?;
        let mut db = ctx.services.db.acquire().await?;
        store::kept_answers::keep(&mut db, self.owner, &self.word, status, &sealed).await
    }

    /// Gives the right back: nothing was done.
    pub async fn release(&self, ctx: &Ctx) -> Result<()> {
        let mut db = ctx.services.db.acquire().await?;
        store::kept_answers::release(&mut db, self.owner, &self.word).await
    }
}

/// Whether a failure is sure to have changed nothing, so that the same request may be tried anew.
pub fn changed_nothing(error: &Error) -> bool {
    match error {
        Error::Invalid(_)
        | Error::NotFound { .. }
        | Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::OutOfReach
        | Error::TooMany { .. }
        | Error::Unavailable { .. } => true,
        Error::Conflict { .. } | Error::Internal(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fingerprint_is_of_what_is_asked_not_of_how_it_is_written() {
        let one = fingerprint("POST /x", &json!({ "a": 1, "b": { "c": [1, 2], "d": null } }));
        assert_eq!(one, fingerprint("POST /x", &json!({ "b": { "d": null, "c": [1, 2] }, "a": 1 })));
        for (route, other) in [
            ("POST /y", json!({ "a": 1, "b": { "c": [1, 2], "d": null } })),
            ("POST /x", json!({ "a": 1, "b": { "c": [2, 1], "d": null } })),
            ("POST /x", json!({ "a": "1", "b": { "c": [1, 2], "d": null } })),
            ("POST /x", json!({ "a": 1, "b": { "c": [1, 2] } })),
        ] {
            assert_ne!(one, fingerprint(route, &other), "{route} {other}");
        }
    }

    #[test]
    fn a_word_is_visible_and_short() {
        assert!(is_word("a") && is_word(&"x".repeat(255)) && is_word("3f9c-:/é".trim_end_matches('é')));
        assert!(!is_word("") && !is_word("a b") && !is_word("é") && !is_word(&"x".repeat(256)));
    }
}
