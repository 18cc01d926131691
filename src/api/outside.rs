//! What other servers ask for and bring, without a key: the policy for senders, reports of encryption, and the proof for an
//! authority that issues certificates.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::http::Origin;
use crate::operations::{Services, certificates, tls_reports};

use super::answer::Problem;

/// The largest report, in octets; packed ones are far smaller.
const MOST_REPORT_OCTETS: usize = 1 << 20;

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/.well-known/mta-sts.txt", get(policy))
        .route("/.well-known/acme-challenge/{token}", get(proof))
        .route("/tls-reports", post(report).layer(DefaultBodyLimit::max(MOST_REPORT_OCTETS)))
}

/// The policy of the domain that the request names as its host (RFC 8461 section 3.3).
async fn policy(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    uri: axum::http::Uri,
) -> Result<Response, Problem> {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host()).unwrap_or_default();
    let host = named.rsplit_once(':').map_or(named, |(host, _)| host);
    let text = tls_reports::policy(&services, host).await.map_err(|error| Problem::new(error, &origin))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// A report that a sender posts.
async fn report(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    body: Bytes,
) -> Result<Response, Problem> {
    let taken = tls_reports::take(&services, &body).await.map_err(|error| Problem::new(error, &origin))?;
    Ok((StatusCode::CREATED, axum::Json(taken)).into_response())
}

/// The proof that this server has a name, for the authority (RFC 8555 section 8.3).
async fn proof(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let proof = certificates::proof(&services, &token).await.map_err(|error| Problem::new(error, &origin))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response())
}
