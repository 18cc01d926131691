//! Entity tags: a caller who has the answer already is told so in place of getting it again (RFC 9110 section 13).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use crate::crypto::hex;

/// Gives an answer of these octets its tag, or makes it a 304 where the request names that tag in `If-None-Match`.
pub fn conditional(request: &HeaderMap, response: Response, octets: &[u8]) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let tag = format!("\"{}\"", hex(Sha256::digest(octets).get(..16).unwrap_or_default()));
    let mut response = if is_named(request, &tag) {
        let (mut parts, _) = response.into_parts();
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::empty())
    } else {
        response
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The weak comparison of RFC 9110 section 8.8.3.2, over a list or `*`.
fn is_named(request: &HeaderMap, tag: &str) -> bool {
    let names = request.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    names.flat_map(|list| list.split(',')).map(str::trim).any(|name| name == "*" || name.trim_start_matches("W/") == tag)
}
