//! Health, without a key.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::operations::{Services, health};

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/health", get(summary)).route("/livez", get(alive)).route("/readyz", get(ready))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// The process can do its work: the database takes a write.
async fn ready(State(services): State<Services>) -> Response {
    match health::write(&services).await {
        Ok(()) => Json(json!({ "ready": true, "database": "ok" })).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false, "database": "not answering" }))).into_response(),
    }
}

/// The shape that one of the earlier systems had.
async fn summary(State(services): State<Services>) -> Response {
    let (ok, check) = match health::read(&services).await {
        Ok(()) => (true, "ok"),
        Err(_) => (false, "not answering"),
    };
    let body = json!({ "ok": ok, "app": "Pillarbox", "version": env!("CARGO_PKG_VERSION"),
        "database": { "exists": true, "quick_check": check } });
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body)).into_response()
}
