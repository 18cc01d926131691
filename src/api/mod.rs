//! The native REST API under `/api/v1`: a route for each operation, problem bodies, the OpenAPI document.

mod answer;
mod docs;
mod examples;
mod health;
mod input;
mod octets;
mod once;
mod openapi;
mod outside;
mod routes;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method};
use axum::routing::{any, get};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::operations::Services;

pub use openapi::document;

/// The largest body of a request, in octets.
const MOST_BODY_OCTETS: usize = 2 << 20;

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

/// All routes of the API, and the health routes.
pub fn router(services: Services) -> Router {
    let cors = cors(&services.config.cors_origins);
    Router::new()
        .nest(
            "/api/v1",
            routes::all()
                .merge(octets::routes())
                .fallback(answer::no_such_route)
                .method_not_allowed_fallback(answer::wrong_method),
        )
        // The router within takes the path without the slash, and leaves this one.
        .route("/api/v1/", any(answer::no_such_route))
        .route("/api/openapi.json", get(openapi::serve))
        .route("/api/docs", get(docs::show))
        .layer(DefaultBodyLimit::max(MOST_BODY_OCTETS))
        .layer(cors)
        .merge(health::routes())
        .merge(outside::routes())
        .with_state(services)
}

/// Browsers may call from the configured origins, with a key but never with cookies.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<_> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(names(ASKED))
        .expose_headers(names(TOLD))
        .max_age(Duration::from_hours(1))
}
