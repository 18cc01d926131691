//! The door for agents: the operations as tools of the Model Context Protocol, over streamable HTTP at `/api/mcp`.
//!
//! Tools are made from the list of operations; only [`compat`] names some of them, for the callers of an earlier system. No
//! state is kept between requests, so that any node may answer any of them: the id of a session is a sealed word that names the
//! key it was given to. The protocol itself is the official SDK's.
//!
//! `GET /api/mcp/tools` and `POST /api/mcp/call` are the same tools for programs that speak plain HTTP.

mod call;
mod compat;
mod door;
mod handler;
mod plain;
mod resources;
mod running;
mod schema;
mod tools;
mod untrusted;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any_service, get, post};
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;

use crate::http;
use crate::operations::Services;

pub use tools::{CORE_NAMES, Toolset, list};

use handler::Handler;
use running::Running;

/// What a machine calls itself, as it stands in addresses of pages.
const LOCAL_NAMES: &[&str] = &["localhost", "127.0.0.1", "[::1]"];
/// The largest body of a request, in octets.
const MOST_BODY_OCTETS: usize = 2 << 20;

/// The routes below `/api/mcp`, and that path itself.
pub fn router(services: Services) -> Router {
    let cors = http::cors(&services.config.cors_origins);
    let running = Running::default();
    let service = StreamableHttpService::new(|| Ok(Handler), Arc::new(NeverSessionManager::default()), config(&services));
    let door = door::Door { services: services.clone(), running };
    let protocol = any_service(service).layer(from_fn_with_state(door, door::pass));
    Router::new()
        .route("/api/mcp/tools", get(plain::tools))
        .route("/api/mcp/call", post(plain::call))
        .with_state(services)
        .route("/api/mcp", protocol)
        .layer(cors)
}

fn config(services: &Services) -> StreamableHttpServerConfig {
    let config = &services.config;
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts(&config.public_url))
        .with_allowed_origins(origins(config.cors_origins.iter().filter_map(|origin| origin.parse().ok()), &config.public_url))
        .enforce_origin_validation()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MOST_BODY_OCTETS)
        .with_cancellation_token(services.stop.clone())
}

/// The origins whose pages may call: those of the settings, and this server's own; each with its port.
fn origins(allowed: impl Iterator<Item = url::Url>, public: &url::Url) -> Vec<String> {
    let with_port = |url: url::Url| {
        let port = url.port_or_known_default().unwrap_or(443);
        url.host_str().map(|host| format!("{}://{host}:{port}", url.scheme()))
    };
    allowed.chain(own_names(public)).filter_map(with_port).collect()
}

/// The public URL; where that is this machine itself, by each of its names.
fn own_names(public: &url::Url) -> Vec<url::Url> {
    let is_local = LOCAL_NAMES.iter().any(|name| public.host_str() == Some(name));
    let by = |name: &&str| {
        let mut url = public.clone();
        url.set_host(Some(name)).is_ok().then_some(url)
    };
    if is_local { LOCAL_NAMES.iter().filter_map(by).collect() } else { vec![public.clone()] }
}

/// The names that a request may call this server by: that of the public URL, and those of this machine. Against pages that
/// point a name of their own here (DNS rebinding).
fn hosts(public: &url::Url) -> Vec<String> {
    let own = public.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let local = LOCAL_NAMES.iter().map(|name| name.trim_matches(['[', ']']).to_owned());
    own.into_iter().chain(local).collect()
}
