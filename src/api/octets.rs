//! The few routes that answer with octets: a message's source, its cleaned HTML, an attachment, the mailboxes as a table.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use url::form_urlencoded;

use crate::error::{Error, Result};
use crate::http::{Origin, conditional, context, count, write_standing};
use crate::operations::mailboxes::mailboxes_as_csv;
use crate::operations::messages::{get_attachment, get_email_html, get_email_raw};
use crate::operations::rates::Standing;
use crate::operations::{Ctx, Effect, Services, Surface};
use crate::types::MessageId;

use super::answer::Problem;

/// What cleaned HTML may do in a browser: show itself, and nothing else.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/mailboxes/export.csv", get(mailboxes_table))
        .route("/messages/{id}/raw", get(raw))
        .route("/messages/{id}/html", get(html))
        .route("/messages/{id}/attachments/{index}", get(attached))
}

/// What a route answers with, before it is tagged and sent.
type Octets = (Response, Bytes);

async fn raw(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (ctx, standing) = match begin(&services, &origin, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let work = async {
        let with_trace = flag(query.as_deref(), "trace")?;
        let email = get_email_raw(&ctx, message_id(&id)?).await?;
        let octets = Bytes::from(if with_trace { email.with_trace() } else { email.octets });
        let name = format!("attachment; filename=\"{id}.eml\"");
        let fields = [(header::CONTENT_TYPE, "message/rfc822".to_owned()), (header::CONTENT_DISPOSITION, name)];
        Ok(((fields, octets.clone()).into_response(), octets))
    };
    finish(&origin, &headers, standing.as_ref(), work.await)
}

async fn html(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (ctx, standing) = match begin(&services, &origin, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let work = async {
        let octets = Bytes::from(get_email_html(&ctx, message_id(&id)?).await?.document);
        let fields = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, MAIL_POLICY)];
        Ok(((fields, octets.clone()).into_response(), octets))
    };
    finish(&origin, &headers, standing.as_ref(), work.await)
}

async fn attached(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    Path((id, index)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (ctx, standing) = match begin(&services, &origin, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let work = async {
        let index = index.parse().map_err(|_| Error::invalid("index", "must be a whole number"))?;
        attachment_response(&ctx, message_id(&id)?, index).await
    };
    finish(&origin, &headers, standing.as_ref(), work.await)
}

async fn mailboxes_table(State(services): State<Services>, Extension(origin): Extension<Origin>, headers: HeaderMap) -> Response {
    let (ctx, standing) = match begin(&services, &origin, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let work = async {
        let octets = Bytes::from(mailboxes_as_csv(&ctx).await?);
        let fields = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"mailboxes.csv\""),
        ];
        Ok(((fields, octets.clone()).into_response(), octets))
    };
    finish(&origin, &headers, standing.as_ref(), work.await)
}

/// Learns who asks, and counts the request.
async fn begin(services: &Services, origin: &Origin, headers: &HeaderMap) -> Result<(Ctx, Option<Standing>), Box<Response>> {
    let refused = |error| Problem::new(error, origin).into_response();
    let ctx = context(services, origin, headers, Surface::Rest).await.map_err(|error| Box::new(refused(error)))?;
    let (standing, admitted) = count(&ctx, Effect::Read).await;
    match admitted {
        Ok(()) => Ok((ctx, standing)),
        Err(error) => {
            let mut response = refused(error);
            write_standing(standing.as_ref(), response.headers_mut());
            Err(Box::new(response))
        }
    }
}

fn finish(origin: &Origin, request: &HeaderMap, standing: Option<&Standing>, answer: Result<Octets>) -> Response {
    let mut response = match answer {
        Ok((response, octets)) => conditional(request, response, &octets),
        Err(error) => Problem::new(error, origin).into_response(),
    };
    write_standing(standing, response.headers_mut());
    response
}

/// An attachment as a download that no browser runs.
async fn attachment_response(ctx: &Ctx, id: MessageId, index: usize) -> Result<Octets> {
    let body = get_attachment(ctx, id, index).await?;
    let octets = Bytes::from(body.bytes);
    let mut response = octets.clone().into_response();
    let headers = response.headers_mut();
    let content_type =
        HeaderValue::from_str(body.meta.served_type()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&body.meta.filename));
    Ok((response, octets))
}

/// The plain form for old clients and the encoded one (RFC 6266) for all others.
fn disposition(filename: &str) -> HeaderValue {
    let plain: String = filename.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let encoded: String = form_urlencoded::byte_serialize(filename.as_bytes()).collect::<String>().replace('+', "%20");
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

fn message_id(text: &str) -> Result<MessageId> {
    text.parse().map_err(|_| Error::not_found("message", "There is no message of this id."))
}

fn flag(query: Option<&str>, name: &str) -> Result<bool> {
    let mut value = false;
    for (key, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        value = match (key.as_ref() == name, text.as_ref()) {
            (true, "true" | "1") => true,
            (true, "false" | "0") => false,
            (true, _) => return Err(Error::invalid(name.to_owned(), "must be true or false")),
            (false, _) => return Err(Error::invalid(key.into_owned(), format!("is unknown; there is {name}"))),
        };
    }
    Ok(value)
}
