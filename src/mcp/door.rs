//! What every request to the protocol's endpoint passes: who asks, in which session, and what it may take back.

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::http::{Origin, Problem, context};
use crate::operations::{Caller, Ctx, Services, Surface};

use super::running::{Guard, Running};
use super::tools::Toolset;
use super::{MOST_BODY_OCTETS, handler};

/// What sealed session ids are for.
const PURPOSE: &str = "mcp_session";
const SESSION: &str = "mcp-session-id";

/// What the door needs.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) services: Services,
    pub(super) running: Running,
}

/// What the handler finds with a request.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Who asks.
    pub(super) ctx: Ctx,
    /// The tools that it sees.
    pub(super) toolset: Toolset,
    /// Cancelled when the client takes the request back.
    pub(super) taken_back: CancellationToken,
}

/// Lets a request in, or says why not.
pub(super) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or(Origin { request_id: String::new(), remote: None });
    match enter(&door, &origin, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn enter(door: &Door, origin: &Origin, request: Request, next: Next) -> Result<Response, Problem> {
    let problem = |error| Problem::new(error, origin);
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::GET && !accepts(&parts.headers, "text/event-stream") {
        return Ok(Json(about()).into_response());
    }
    let ctx = context(&door.services, origin, &parts.headers, Surface::Mcp).await.map_err(problem)?;
    let toolset = Toolset::of_query(parts.uri.query()).map_err(problem)?;
    let session = session(&ctx, &parts.headers).map_err(|error| {
        // The status that tells a client to begin a new session.
        Problem { status: Some(StatusCode::NOT_FOUND), ..problem(error) }
    })?;
    if parts.method == Method::DELETE {
        // A session is only a word, which goes on to be good: who was told that it ended would be told wrong.
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST, OPTIONS")]).into_response());
    }
    let body = to_bytes(body, MOST_BODY_OCTETS).await.map_err(|_| Problem {
        status: Some(StatusCode::PAYLOAD_TOO_LARGE),
        ..problem(Error::invalid("", format!("The body has more than {MOST_BODY_OCTETS} octets.")))
    })?;
    let message = Message::read(&body);
    if let (Some(session), Some(request)) = (&session, &message.cancelled) {
        door.running.cancel(session, request);
    }
    let (guard, taken_back) = under_way(door, session.as_deref(), &message);
    serve_plain_clients(&mut parts.headers);
    let new_session = message.is_initialize.then(|| new_session(&ctx)).transpose().map_err(problem)?;
    parts.extensions.insert(Visit { ctx, toolset, taken_back });
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if let Some(session) = new_session.and_then(|session| HeaderValue::from_str(&session).ok())
        && response.status().is_success()
    {
        response.headers_mut().insert(SESSION, session);
    }
    Ok(hold(response, guard))
}

/// A call is under way until its answer is sent, which may be a stream.
fn hold(response: Response, guard: Option<Guard>) -> Response {
    let Some(guard) = guard else { return response };
    let (parts, body) = response.into_parts();
    let stream = futures_util::stream::StreamExt::map(body.into_data_stream(), move |part| {
        let _held = &guard;
        part
    });
    Response::from_parts(parts, Body::from_stream(stream))
}

fn under_way(door: &Door, session: Option<&str>, message: &Message) -> (Option<Guard>, CancellationToken) {
    match (session, &message.call) {
        (Some(session), Some(request)) => {
            let (guard, token) = door.running.note(session, request);
            (Some(guard), token)
        }
        _ => (None, CancellationToken::new()),
    }
}

/// What the door needs to know of a message.
#[derive(Debug, Default)]
struct Message {
    is_initialize: bool,
    /// The id of a call of a tool.
    call: Option<String>,
    /// The id of the request that is taken back.
    cancelled: Option<String>,
}

impl Message {
    fn read(body: &Bytes) -> Self {
        let Ok(message) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let text = |value: Option<&Value>| value.filter(|value| !value.is_null()).map(Value::to_string);
        match message.get("method").and_then(Value::as_str) {
            Some("initialize") => Self { is_initialize: true, ..Self::default() },
            Some("tools/call") => Self { call: text(message.get("id")), ..Self::default() },
            Some("notifications/cancelled") => Self { cancelled: text(message.pointer("/params/requestId")), ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// The session that a request names, where it was given to this caller.
fn session(ctx: &Ctx, headers: &HeaderMap) -> Result<Option<String>> {
    let Some(word) = headers.get(SESSION) else { return Ok(None) };
    let unknown = || Error::not_found("session", "There is no such session; begin one with initialize.");
    let text = word.to_str().map_err(|_| unknown())?;
    let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| unknown())?;
    ctx.services.sealer.open(PURPOSE, &owner(ctx), &sealed).map_err(|_| unknown())?;
    Ok(Some(text.to_owned()))
}

fn new_session(ctx: &Ctx) -> Result<String> {
    let sealed = ctx.services.sealer.seal(PURPOSE, &owner(ctx), &uuid::Uuid::now_v7().to_string())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn owner(ctx: &Ctx) -> String {
    match &ctx.caller {
        Caller::Key { id, .. } => id.to_string(),
        // Two may have one name.
        Caller::User { id, .. } => id.to_string(),
        other => other.name().to_owned(),
    }
}

/// Clients that only post JSON, as those of an earlier system do, get JSON; the transport wants to hear that they would take a
/// stream too, which it begins for progress alone.
fn serve_plain_clients(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCEPT) || accepts(headers, "*/*") || accepts(headers, "application/json") {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let (essence, _) = entry.split_once(';').unwrap_or((entry, ""));
        essence.trim().eq_ignore_ascii_case(media_type)
    })
}

/// What this endpoint is, for somebody who opens it in a browser.
fn about() -> Value {
    json!({
        "name": handler::NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Mailboxes, messages and verification codes as tools for agents.",
        "protocol": "mcp",
        "transport": "http",
        "capabilities": { "tools": true, "resources": true },
    })
}
