//! Requests with an `Idempotency-Key`, which are done once however often they are sent.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::http::Origin;
use crate::operations::idempotency::{self, Claim, Kept, Ticket};
use crate::operations::{Ctx, Entry};

use super::answer::{Problem, envelope};

/// The word that a caller gave its request.
pub(super) fn word(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = || Error::invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters, such as a UUID");
    let word =
        value.to_str().ok().map(|text| text.trim_matches('"')).filter(|text| idempotency::is_word(text)).ok_or_else(wrong)?;
    Ok(Some(word.to_owned()))
}

/// Does a request, or answers as it was answered before.
pub(super) async fn perform(
    entry: &'static Entry,
    ctx: Ctx,
    origin: &Origin,
    input: Map<String, Value>,
    word: String,
) -> Result<Response, Problem> {
    let problem = |error| Problem::new(error, origin);
    let (method, path) = entry.spec.rest;
    let input = Value::Object(input);
    let fingerprint = idempotency::fingerprint(&format!("{} {path}", method.as_str()), &input);
    let refused =
        |status, code, detail: &str| Err(Problem { status: Some(status), ..problem(Error::conflict(code, detail.to_owned())) });
    match idempotency::claim(&ctx, &word, &fingerprint).await.map_err(problem)? {
        // In a task of its own, so that it comes to its end, and is written down, when the caller hangs up.
        Claim::First(ticket) => tokio::spawn(first(entry, ctx, origin.clone(), input, ticket))
            .await
            .map_err(|cause| problem(Error::Internal(anyhow::Error::new(cause).context("a request broke off")))),
        Claim::Again(kept) => Ok(again(kept)),
        Claim::Other => refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request before; a new request needs a new key.",
        ),
        Claim::UnderWay => refused(
            StatusCode::CONFLICT,
            "idempotency_in_flight",
            "The request with this Idempotency-Key is being done; send it again in a moment for its answer.",
        ),
        Claim::Unknown => refused(
            StatusCode::CONFLICT,
            "idempotency_unknown",
            "The request with this Idempotency-Key broke off; look whether it was done, then use a new key.",
        ),
    }
}

async fn first(entry: &'static Entry, ctx: Ctx, origin: Origin, input: Value, ticket: Ticket) -> Response {
    let Value::Object(input) = input else { return StatusCode::BAD_REQUEST.into_response() };
    match entry.call(&ctx, input).await {
        Ok(data) => {
            let body = envelope(data);
            keep(&ctx, ticket, 200, &body).await;
            super::answer::success(body)
        }
        Err(error) if idempotency::changed_nothing(&error) => {
            release(ctx, ticket).await;
            Problem::new(error, &origin).into_response()
        }
        Err(error) => {
            let problem = Problem::new(error, &origin);
            let (status, body) = problem.parts();
            keep(&ctx, ticket, status.as_u16(), &body).await;
            problem.into_response()
        }
    }
}

/// The request is done; that its answer could not be kept is no reason to say otherwise.
async fn keep(ctx: &Ctx, ticket: Ticket, status: u16, body: &str) {
    if let Err(error) = ticket.keep(ctx, status, body).await {
        tracing::warn!(request.id = ctx.request_id, %error, "an answer could not be kept for its Idempotency-Key");
    }
}

/// Gives the word back; where the database is away, once it is there for it.
async fn release(ctx: Ctx, ticket: Ticket) {
    if ticket.release(&ctx).await.is_ok() {
        return;
    }
    tokio::spawn(async move {
        for pause in [1, 2, 5, 10, 30] {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            if ticket.release(&ctx).await.is_ok() {
                return;
            }
        }
    });
}

fn again(kept: Kept) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let content_type = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, kept.body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}
