//! Which pages of other sites may call, and with what.

use std::time::Duration;

use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Headers that browsers may send.
const ASKED: &[&str] = &[
    "authorization",
    "content-type",
    "if-none-match",
    "x-api-key",
    "idempotency-key",
    "mcp-protocol-version",
    "mcp-session-id",
    "mcp-method",
    "mcp-name",
];
/// Headers of answers that scripts in browsers may read.
const TOLD: &[&str] =
    &["etag", "retry-after", "x-request-id", "ratelimit", "ratelimit-policy", "idempotent-replayed", "mcp-session-id"];

fn names(list: &'static [&'static str]) -> Vec<HeaderName> {
    list.iter().copied().map(HeaderName::from_static).collect()
}

/// Browsers may call from the configured origins, with a key but never with cookies.
pub fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<_> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(names(ASKED))
        .expose_headers(names(TOLD))
        .max_age(Duration::from_hours(1))
}
