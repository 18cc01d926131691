//! A route for each operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, RawPathParams, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use url::form_urlencoded;

use crate::error::Error;
use crate::http::{Origin, conditional, context, count, write_standing};
use crate::operations::{self, Ctx, Effect, Entry, Method, Services, Surface};

use super::answer::{Problem, envelope, success};
use super::input::gather;
use super::once;

/// The operations that share a method and path; told apart by a query in their path.
type Alternatives = Vec<&'static Entry>;

pub(super) fn all() -> Router<Services> {
    let mut routes: BTreeMap<&str, BTreeMap<&str, Alternatives>> = BTreeMap::new();
    for entry in operations::all() {
        let (method, path) = (entry.spec.rest.0, path_of(entry));
        routes.entry(path).or_default().entry(method.as_str()).or_default().push(entry);
    }
    routes.into_iter().fold(Router::new(), |router, (path, methods)| {
        let methods = methods.into_values().fold(MethodRouter::new(), |method_router, alternatives| {
            let filter = alternatives.first().map_or(MethodFilter::GET, |entry| filter(entry.spec.rest.0));
            method_router.merge(route(filter, alternatives))
        });
        router.route(path, methods)
    })
}

fn path_of(entry: &'static Entry) -> &'static str {
    entry.spec.rest.1.split('?').next().unwrap_or_default()
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// A request's parts that the input is made of.
struct Parts {
    path: RawPathParams,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
}

fn route(filter: MethodFilter, alternatives: Alternatives) -> MethodRouter<Services> {
    let alternatives: Arc<[&'static Entry]> = alternatives.into();
    on(
        filter,
        move |State(services): State<Services>,
              Extension(origin): Extension<Origin>,
              path: RawPathParams,
              RawQuery(query): RawQuery,
              headers: HeaderMap,
              body: Result<Bytes, BytesRejection>| async move {
            let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
            answer(&alternatives, &services, &origin, Parts { path, query, headers, body }).await
        },
    )
}

async fn answer(alternatives: &[&'static Entry], services: &Services, origin: &Origin, parts: Parts) -> Response {
    let problem = |error| Problem::new(error, origin).into_response();
    let Some(entry) = chosen(alternatives, &parts.query) else {
        return problem(Error::Internal(anyhow::anyhow!("a route without an operation")));
    };
    let ctx = match context(services, origin, &parts.headers, Surface::Rest).await {
        Ok(ctx) => ctx,
        Err(error) => return problem(error),
    };
    let (standing, admitted) = count(&ctx, entry.spec.effect).await;
    let mut response = match admitted {
        Ok(()) => perform(entry, ctx, origin, parts).await.unwrap_or_else(Problem::into_response),
        Err(error) => problem(error),
    };
    write_standing(standing.as_ref(), response.headers_mut());
    response
}

async fn perform(entry: &'static Entry, ctx: Ctx, origin: &Origin, parts: Parts) -> Result<Response, Problem> {
    let problem = |error| Problem::new(error, origin);
    let body = parts.body.map_err(|rejection| Problem {
        status: Some(StatusCode::PAYLOAD_TOO_LARGE).filter(|_| rejection.status() == StatusCode::PAYLOAD_TOO_LARGE),
        ..problem(Error::invalid("", format!("The body could not be read: {}.", rejection.body_text())))
    })?;
    let input = gather(entry, &parts.path, &parts.query, &parts.headers, &body).map_err(problem)?;
    if entry.spec.rest.0 == Method::Post
        && let Some(word) = once::word(&parts.headers).map_err(problem)?
    {
        return once::perform(entry, ctx, origin, input, word).await;
    }
    let body = entry.call(&ctx, input).await.map(envelope).map_err(problem)?;
    if entry.spec.rest.0 == Method::Get && entry.spec.effect == Effect::Read {
        let tagged = |body: String| conditional(&parts.headers, success(body.clone()), body.as_bytes());
        return Ok(tagged(body));
    }
    Ok(success(body))
}

/// The operation whose query is in the request, else the one that has none.
fn chosen(alternatives: &[&'static Entry], query: &[(String, String)]) -> Option<&'static Entry> {
    let selected = |entry: &&&'static Entry| {
        let wanted = entry.spec.rest.1.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(wanted.as_bytes()).all(|(name, value)| query.iter().any(|(n, v)| *n == name && *v == value))
    };
    let mut fitting: Vec<_> = alternatives.iter().filter(selected).collect();
    // The longer query is the closer fit.
    fitting.sort_by_key(|entry| entry.spec.rest.1.len());
    fitting.pop().copied()
}
