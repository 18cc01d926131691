//! The files of `static/`, in the program: compressed once, cached by browsers for good under an address with their digest.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::crypto::hex;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// A file as it is sent.
struct Asset {
    plain: Bytes,
    /// Compressed, where that makes it smaller.
    gzip: Option<Bytes>,
    /// Hexadecimal, 16 characters; part of the address and the entity tag.
    digest: String,
    mime: HeaderValue,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|path| {
            let file = Files::get(&path)?;
            let digest = hex(&file.metadata.sha256_hash()[..8]);
            let mime = HeaderValue::from_str(mime_type(&path)).ok()?;
            let plain = Bytes::from(file.data.into_owned());
            Some((path.into_owned(), Asset { gzip: compress(&plain), plain, digest, mime }))
        })
        .collect()
});

fn mime_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        _ => "text/plain; charset=utf-8",
    }
}

fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    let gzip = encoder.finish().ok()?;
    (gzip.len() < plain.len() * 9 / 10).then(|| gzip.into())
}

/// The address of a file, which changes with its content.
pub(in crate::web) fn url(path: &str) -> String {
    match ASSETS.get(path) {
        Some(asset) => format!("/static/{path}?v={}", asset.digest),
        None => format!("/static/{path}"),
    }
}

/// `GET /static/{path}`.
pub(in crate::web) async fn get(Path(path): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let etag = format!("\"{}\"", asset.digest);
    let wants_gzip = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"));
    // What lies under `vendor/` has its version in the path.
    let is_final =
        path.starts_with("vendor/") || uri.query().is_some_and(|q| q.strip_prefix("v=") == Some(asset.digest.as_str()));
    let cache = if is_final { "public, max-age=31536000, immutable" } else { "no-cache" };

    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let (true, Some(gzip)) = (wants_gzip, &asset.gzip) {
        ([(header::CONTENT_ENCODING, "gzip")], gzip.clone()).into_response()
    } else {
        asset.plain.clone().into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, asset.mime.clone());
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    response
}
