//! What the doors over HTTP share: status codes, request ids, headers of every response, who is asking.

mod access;
mod cors;
mod etag;
mod headers;
mod problem;
mod request;

use axum::http::StatusCode;

use crate::error::Error;

pub use access::{context, count, presented_key, write_standing};
pub use cors::cors;
pub use etag::conditional;
pub use headers::on_every_response;
pub use problem::{Problem, told};
pub use request::{Origin, identify};

/// The status code of a failure.
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::Conflict { .. } => StatusCode::CONFLICT,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::OutOfReach => StatusCode::FORBIDDEN,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
