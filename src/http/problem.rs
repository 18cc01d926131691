//! Failures as they are told in JSON: problem bodies (RFC 9457) that also carry the older two fields.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::{Error, Fault};

use super::{Origin, status};

/// A failure on its way to a caller of the API.
#[derive(Debug)]
pub struct Problem {
    /// What failed.
    pub error: Error,
    /// The request's id.
    pub request_id: String,
    /// Where the status is not the error's own: a body that is too large, a method that is not allowed.
    pub status: Option<StatusCode>,
}

impl Problem {
    /// Of an error, in the request of this origin.
    pub fn new(error: Error, origin: &Origin) -> Self {
        Self { error, request_id: origin.request_id.clone(), status: None }
    }
}

/// What a caller reads of an error, at every door that answers in JSON; the doors add what is theirs.
pub fn told(error: &Error) -> Value {
    let detail = detail(error);
    let mut body = json!({
        "success": false,
        "error": detail,
        "detail": detail,
        "code": error.code(),
        "fix": error.fix(),
    });
    if let Error::Invalid(faults) = error {
        body["errors"] = faults.iter().map(fault).collect();
    }
    body
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
    pub fn parts(&self) -> (StatusCode, String) {
        let status = self.status.unwrap_or_else(|| status(&self.error));
        let mut body = told(&self.error);
        body["type"] = format!("urn:pillarbox:problem:{}", self.error.code()).into();
        body["title"] = status.canonical_reason().unwrap_or("Problem").into();
        body["status"] = status.as_u16().into();
        body["request_id"] = self.request_id.as_str().into();
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
