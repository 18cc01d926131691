//! The two forms of answers: success with data, and problems (RFC 9457) that also carry the older two fields.

use axum::extract::{Extension, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::{Error, Fault};
use crate::http::{Origin, status};

/// A failure on its way to a caller of the API.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) error: Error,
    pub(super) request_id: String,
    /// Where the status is not the error's own: a body that is too large, a method that is not allowed.
    pub(super) status: Option<StatusCode>,
}

impl Problem {
    pub(super) fn new(error: Error, origin: &Origin) -> Self {
        Self { error, request_id: origin.request_id.clone(), status: None }
    }
}

/// What a caller may read of an error.
fn detail(error: &Error) -> String {
    match error {
        Error::Internal(_) => "Something went wrong on our side.".to_owned(),
        error => error.to_string(),
    }
}

impl Problem {
    /// Status and body.
    pub(super) fn parts(&self) -> (StatusCode, String) {
        let status = self.status.unwrap_or_else(|| status(&self.error));
        let (code, detail) = (self.error.code(), detail(&self.error));
        let mut body = json!({
            "success": false,
            "error": detail,
            "type": format!("urn:pillarbox:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
            "fix": self.error.fix(),
            "request_id": self.request_id,
        });
        if let (Error::Invalid(faults), Some(body)) = (&self.error, body.as_object_mut()) {
            body.insert("errors".to_owned(), faults.iter().map(fault).collect());
        }
        (status, body.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.parts().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &self.error {
            Error::Unauthenticated(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::TooMany { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
            }
            Error::Conflict { code: "idempotency_in_flight", .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
            }
            Error::Unavailable { .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(5));
            }
            _ => {}
        }
        response
    }
}

fn fault(fault: &Fault) -> Value {
    json!({ "pointer": format!("/{}", fault.field), "detail": fault.reason })
}

/// Puts an operation's answer into its envelope; a page's cursor stands beside its rows.
pub(super) fn envelope(data: Value) -> String {
    let body = match data {
        Value::Object(mut page) if page.len() == 2 && page.contains_key("items") && page.contains_key("next_cursor") => {
            json!({ "success": true, "data": page.remove("items"), "next_cursor": page.remove("next_cursor") })
        }
        data => json!({ "success": true, "data": data }),
    };
    body.to_string()
}

/// A success with this body.
pub(super) fn success(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) async fn no_such_route(Extension(origin): Extension<Origin>, request: Request) -> Problem {
    let detail = format!("There is no route {} {}.", request.method(), request.uri().path());
    Problem::new(Error::not_found("route", detail), &origin)
}

pub(super) async fn wrong_method(Extension(origin): Extension<Origin>, request: Request) -> Problem {
    let error = Error::conflict("method_not_allowed", format!("This route does not take {}.", request.method()));
    Problem { status: Some(StatusCode::METHOD_NOT_ALLOWED), ..Problem::new(error, &origin) }
}
