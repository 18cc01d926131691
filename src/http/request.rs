//! Each request's id, and where it came from.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::operations::Services;

/// A request's id and the network address that it came from; an extension of every request.
#[derive(Debug, Clone)]
pub struct Origin {
    /// In logs, error bodies, the audit log and the header `X-Request-Id`.
    pub request_id: String,
    /// The caller's address; of the proxy's word where the proxy is trusted.
    pub remote: Option<IpAddr>,
}

/// Gives each request its id and origin, and logs how it ended.
pub async fn identify(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let remote = peer.map(|peer| client_address(peer, request.headers(), &services.config.trusted_proxies));
    let origin = Origin { request_id: uuid::Uuid::now_v7().simple().to_string(), remote };
    request.extensions_mut().insert(origin.clone());
    // The query is left out: links to sign in carry their token there.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let mut response = next.run(request).await;
    tracing::debug!(
        request.id = origin.request_id,
        %method,
        path,
        status = response.status().as_u16(),
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered a request",
    );
    if let Ok(value) = HeaderValue::from_str(&origin.request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The address that a request came from: walking back from the peer over proxies that are trusted.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let hops = headers.get_all("x-forwarded-for").into_iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(",");
    let mut address = peer.to_canonical();
    for hop in hops.rsplit(',') {
        if !trusted.contains(&address) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_are_believed_only_of_trusted_proxies() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("address");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9, 198.51.100.7"));
        let trusted = [ip("127.0.0.1")];
        assert_eq!(client_address(ip("192.0.2.1"), &headers, &trusted), ip("192.0.2.1"));
        assert_eq!(client_address(ip("127.0.0.1"), &headers, &trusted), ip("198.51.100.7"));
        let both = [ip("127.0.0.1"), ip("198.51.100.7")];
        assert_eq!(client_address(ip("::ffff:127.0.0.1"), &headers, &both), ip("203.0.113.9"));
    }
}
