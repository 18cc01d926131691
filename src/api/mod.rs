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

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get};

use crate::http::cors;
use crate::operations::Services;

pub use openapi::document;

/// The largest body of a request, in octets.
const MOST_BODY_OCTETS: usize = 2 << 20;

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
