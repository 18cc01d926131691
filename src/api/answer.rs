//! The envelope of a success, and what is said where there is no route.

use axum::extract::{Extension, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::Error;
use crate::http::Origin;

pub(super) use crate::http::Problem;

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
