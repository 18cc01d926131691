//! Templates to responses.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::error::Error;
use crate::web::failure::Failure;
use crate::web::ui::encode;

/// How a handler ends.
pub(in crate::web) type Answer = Result<Response, Failure>;

/// A page.
pub(in crate::web) fn page(template: &impl Template) -> Answer {
    page_with(StatusCode::OK, template)
}

/// A page with a status.
pub(in crate::web) fn page_with(status: StatusCode, template: &impl Template) -> Answer {
    let html = template.render().map_err(|cause| Error::Internal(anyhow::Error::new(cause).context("rendering a page")))?;
    Ok((status, Html(html)).into_response())
}

/// Sends the browser on after something was done (RFC 9110 section 15.4.4).
#[expect(clippy::unnecessary_wraps, reason = "handlers end with it")]
pub(in crate::web) fn see_other(to: &str) -> Answer {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/admin"));
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Sends the browser on to a page that says what was done; `done` is a key below `done.` in the catalogue.
pub(in crate::web) fn done(to: &str, done: &str) -> Answer {
    let to = without_done(to);
    let separator = if to.contains('?') { '&' } else { '?' };
    see_other(&format!("{to}{separator}done={}", encode(done)))
}

fn without_done(to: &str) -> String {
    let Some((path, query)) = to.split_once('?') else { return to.to_owned() };
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("done=") && !pair.is_empty()).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

/// A page of the panel to come back to, from a form or query: anything else leads to the overview, so that nobody can be sent to
/// another site.
pub(in crate::web) fn safe_next(given: &str) -> &str {
    let path = given.split(['?', '#']).next().unwrap_or_default();
    let is_page = path == "/admin" || path.starts_with("/admin/") || path == "/setup";
    let is_plain = given.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if is_page && is_plain && !path.contains("//") && !path.contains("..") { given } else { "/admin" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leaves_the_panel() {
        for given in [
            "//evil.example",
            "/\\evil.example",
            "https:evil.example",
            "https://evil.example/admin",
            "%2f%2fevil.example",
            "javascript:alert(1)",
            "/admin.evil.example",
            "/admin//evil",
            "/admin/..//evil",
            "/admin\r\nSet-Cookie: a=b",
            "/admin\\",
            "",
            "admin",
            "\t/admin",
        ] {
            assert_eq!(safe_next(given), "/admin", "{given:?}");
        }
        for given in ["/admin", "/admin/messages?show=unread", "/admin/mailboxes/a%2Bb@example.org"] {
            assert_eq!(safe_next(given), given);
        }
    }

    #[test]
    fn a_notice_replaces_the_one_before() {
        let answer = done("/admin/domains?done=a&x=1", "b").unwrap();
        assert_eq!(answer.headers()[header::LOCATION], "/admin/domains?x=1&done=b");
    }
}
