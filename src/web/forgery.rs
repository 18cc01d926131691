//! Requests that another site makes in a visitor's name are refused.
//!
//! Two checks, either of which would do in a current browser: what the browser says of where the request comes from, and a
//! token that only our own pages hold. All requests but reads pass here, so that no route can be forgotten.

use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::header;
use sha2::Digest as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::crypto::hex;
use crate::crypto::random_token;
use crate::web::visit::Visit;

/// The largest form; the largest that the panel makes is a selection of 200 mailboxes.
const MOST_OCTETS: usize = 128 * 1024;
const NONCE_CHARACTERS: usize = 43;

/// A form token. A new one for each page, so that compression tells nothing of it (BREACH).
pub(in crate::web) fn token(secret: &str) -> String {
    let nonce = random_token();
    let proof = proof(secret, &nonce);
    nonce + &proof
}

/// Whether a token was made from this secret.
fn is_good(secret: &str, token: &str) -> bool {
    let Some((nonce, given)) = token.split_at_checked(NONCE_CHARACTERS) else { return false };
    proof(secret, nonce).as_bytes().ct_eq(given.as_bytes()).into()
}

/// The secret's digest first: of fixed length, so that no nonce can continue it.
fn proof(secret: &str, nonce: &str) -> String {
    let key = Sha256::digest(format!("pillarbox form token {secret}"));
    let inner = Sha256::new().chain_update(key).chain_update(nonce).finalize();
    let outer = Sha256::new().chain_update(key).chain_update(inner).finalize();
    hex(&outer)
}

/// Why a request is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Refusal {
    /// It may come from elsewhere.
    Forged,
    /// Its body is larger than any form here.
    TooLarge,
}

/// Lets through what reads, and what our own pages sent.
pub(in crate::web) async fn check(visit: &Visit, request: Request) -> Result<Request, Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request);
    }
    if !is_from_here(request.headers()) {
        return Err(Refusal::Forged);
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, MOST_OCTETS).await.map_err(|_| Refusal::TooLarge)?;
    let header = parts.headers.get("x-csrf-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let token = if is_form(&parts.headers) { header.or_else(|| field(&bytes)) } else { None };
    match token {
        Some(token) if !visit.is_form_cookie_new && is_good(&visit.form_secret, &token) => {
            Ok(Request::from_parts(parts, Body::from(bytes)))
        }
        _ => Err(Refusal::Forged),
    }
}

/// Whether the browser says that one of our pages made the request, or does not say.
fn is_from_here(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site.as_bytes() == b"same-origin" || site.as_bytes() == b"none";
    }
    // Sent over plain http, too. Under our Referrer-Policy it is `null` for our own forms, where the token decides.
    match headers.get(header::ORIGIN).and_then(|v| v.to_str().ok()) {
        None | Some("null") => true,
        Some(origin) => {
            let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
            origin.split_once("://").map(|(_, authority)| authority) == host
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn field(body: &Bytes) -> Option<String> {
    url::form_urlencoded::parse(body).find(|(name, _)| name == "csrf").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_secret_only() {
        let token = token("secret");
        assert!(is_good("secret", &token));
        for (secret, token) in [
            ("other", token.as_str()),
            ("secret", ""),
            ("secret", &token[1..]),
            ("secret", &token[..token.len() - 1]),
            ("secret", &format!("{token}0")),
            ("secret", "ééééééééééééééééééééééééééééééé"),
        ] {
            assert!(!is_good(secret, token), "{token}");
        }
    }

    #[test]
    fn what_the_browser_says_of_another_site_is_believed() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), header::HeaderValue::from_static(value)))
                .collect()
        };
        for (pairs, expected) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "http://mail.example.org"), ("host", "mail.example.org")], false),
            (vec![("origin", "http://mail.example.org:8080"), ("host", "mail.example.org:8080")], true),
            (vec![("origin", "http://evil.example"), ("host", "mail.example.org")], false),
            (vec![("origin", "null"), ("host", "mail.example.org")], true),
            (vec![], true),
        ] {
            assert_eq!(is_from_here(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
