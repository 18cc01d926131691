//! Templates to responses.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::error::Error;
use crate::http;
use crate::web::failure;
use crate::web::failure::Failure;
use crate::web::side::Side;
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

/// A page again, with what an error refused, under the error's status.
pub(in crate::web) fn refused(error: &Error, template: &impl Template) -> Answer {
    let mut response = page_with(http::status(error), template)?;
    failure::hold_off(error, &mut response);
    Ok(response)
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

/// An address without the notice of what was done.
pub(in crate::web) fn without_done(to: &str) -> String {
    let Some((path, query)) = to.split_once('?') else { return to.to_owned() };
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("done=") && !pair.is_empty()).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

/// A page of the panel to come back to, as [`Side::safe_next`] has it.
pub(in crate::web) fn safe_next(given: &str) -> &str {
    Side::Panel.safe_next(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_replaces_the_one_before() {
        let answer = done("/admin/domains?done=a&x=1", "domain_changed").unwrap();
        assert_eq!(answer.headers()[header::LOCATION], "/admin/domains?x=1&done=domain_changed");
    }
}
