//! The page at which people try the API out: RapiDoc over the OpenAPI document, from this server alone.

use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};

/// What the page may do: run the one script, ask this server. Its styles stand in the script and its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; \
img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pillarbox API</title>
<link rel="icon" href="/static/icon.svg">
<script type="module" src="/static/vendor/rapidoc-9.3.8/rapidoc-min.js"></script>
</head>
<body style="margin:0">
<rapi-doc spec-url="/api/openapi.json" render-style="focused" show-header="false" load-fonts="false"
 regular-font="Inter, system-ui, sans-serif" mono-font="ui-monospace, monospace" theme="light" primary-color="#066fd1"
 schema-style="table" show-method-in-nav-bar="as-colored-text" use-path-in-nav-bar="false" allow-server-selection="false"
 allow-authentication="true" persist-auth="false" fill-request-fields-with-example="false" sort-tags="true">
</rapi-doc>
</body>
</html>
"##;

/// `GET /api/docs`.
pub(super) async fn show() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}
