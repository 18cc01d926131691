//! The panel.

use axum::Router;

use crate::operations::Services;

/// The panel's routes.
pub fn router(_services: Services) -> Router {
    Router::new()
}
