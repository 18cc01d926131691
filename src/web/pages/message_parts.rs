//! Octets of a message: the HTML in its frame, the source, attachments. Each comes with a policy of its own, the same on either side.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::Error;
use crate::mail::attachments::Attachment;
use crate::mail::clean::CleanOptions;
use crate::mail::clean::clean_html;
use crate::operations::Ctx;
use crate::operations::messages::GetEmail;
use crate::operations::messages::get_attachment;
use crate::operations::messages::get_email_raw;
use crate::types::MessageId;
use crate::web::pages::messages::parsed_id;
use crate::web::person::Person;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::encode;

/// The message's HTML runs nothing, fetches nothing and has an origin of its own, in our frame or outside it.
const HTML_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; \
    style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'";
/// Octets for the browser to save, or to show as text.
const OCTETS_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'self'";

/// The most octets of inline images in a message's HTML.
const MOST_IMAGE_OCTETS: u64 = 8 * 1024 * 1024;

const STYLE: &str = "html{color-scheme:light;background:#fff}body{margin:0;padding:20px 24px;color:#1b1f24;\
    font:15px/1.55 -apple-system,'Segoe UI',Roboto,'Noto Sans','PingFang SC','Microsoft YaHei',sans-serif;overflow-wrap:anywhere}\
    img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}a{color:#1c5fc4}\
    .pillarbox-note{margin:-20px -24px 20px;padding:8px 24px;background:#f4f5f7;border-bottom:1px solid #e3e6ea;color:#57606a;font-size:13px}";

/// `GET …/messages/{id}/html`.
pub(in crate::web) async fn html<P: Person>(person: P, Path(id): Path<String>) -> Answer {
    let id = parsed_id(&id)?;
    let email = person.ctx().call_within(GetEmail { id }).await?;
    let prefix = format!("https://inline.invalid/{}/", uuid::Uuid::now_v7().simple());
    let options = CleanOptions::for_attachments(&email.content.attachments, &prefix);
    let source = email.content.html.join("\n<hr>\n");
    // A megabyte of HTML takes long enough that other requests would feel it.
    let work = move || clean_html(&source, &options);
    let cleaned = tokio::task::spawn_blocking(work).await.map_err(|cause| Error::Internal(cause.into()))?;
    let content = with_images(person.ctx(), id, &email.content.attachments, &prefix, cleaned.html).await?;
    let ui = person.ui(Section::Messages);
    let blocked = i64::try_from(cleaned.blocked_remote).unwrap_or(i64::MAX);
    let mut notes = Vec::new();
    if blocked > 0 {
        notes.push(ui.count("message.blocked", &blocked));
    }
    if cleaned.truncated {
        notes.push(ui.t("message.cut").to_owned());
    }
    let note = if notes.is_empty() { String::new() } else { format!("<div class=\"pillarbox-note\">{}</div>", notes.join(" ")) };
    let page = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"referrer\" content=\"no-referrer\"><base target=\"_blank\"><style>{STYLE}</style></head><body>{note}{content}</body></html>"
    );
    Ok(octets(page.into_bytes(), "text/html; charset=utf-8", HTML_POLICY))
}

/// Puts inline images into the HTML itself: the frame has no cookies, so it could not fetch them.
async fn with_images(ctx: &Ctx, id: MessageId, files: &[Attachment], prefix: &str, html: String) -> Result<String, Error> {
    let mut html = html;
    let mut left = MOST_IMAGE_OCTETS;
    for file in files {
        let placeholder = format!("\"{prefix}{}\"", file.index);
        if !html.contains(&placeholder) || file.size_octets > left {
            continue;
        }
        left -= file.size_octets;
        let body = get_attachment(ctx, id, file.index).await?;
        let data = format!("\"data:{};base64,{}\"", body.meta.served_type(), STANDARD.encode(&body.bytes));
        html = html.replace(&placeholder, &data);
    }
    Ok(html)
}

/// How the source is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct How {
    download: String,
}

/// `GET …/messages/{id}/raw`, `?download=1` to save it.
pub(in crate::web) async fn raw<P: Person>(person: P, Path(id): Path<String>, Query(how): Query<How>) -> Answer {
    let id = parsed_id(&id)?;
    let raw = get_email_raw(person.ctx(), id).await?;
    if how.download.is_empty() {
        return Ok(octets(raw.octets, "text/plain; charset=utf-8", OCTETS_POLICY));
    }
    let mut response = octets(raw.octets, "message/rfc822", OCTETS_POLICY);
    attach(&mut response, &format!("{id}.eml"));
    Ok(response)
}

/// `GET …/messages/{id}/attachments/{index}`.
pub(in crate::web) async fn attachment<P: Person>(person: P, Path((id, index)): Path<(String, String)>) -> Answer {
    let index = index.parse().map_err(|_| Error::not_found("attachment", "There is no such attachment."))?;
    let body = get_attachment(person.ctx(), parsed_id(&id)?, index).await?;
    let mut response = octets(body.bytes, body.meta.served_type(), OCTETS_POLICY);
    attach(&mut response, &body.meta.filename);
    Ok(response)
}

fn octets(octets: Vec<u8>, kind: &str, policy: &'static str) -> Response {
    let mut response = (StatusCode::OK, Body::from(octets)).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// Makes the browser save the octets under a name (RFC 6266, RFC 8187).
fn attach(response: &mut Response, name: &str) {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ()".contains(c) { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        // Writing to a String cannot fail.
        let _ = write!(value, "; filename*=UTF-8''{}", encode(name));
    }
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
}
