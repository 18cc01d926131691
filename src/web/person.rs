//! Somebody who is signed in on either side. Pages that both sides have are written once, for a [`Person`].

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Html;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::operations::Ctx;
use crate::operations::Services;
use crate::web::failure::Failure;
use crate::web::render;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;
use crate::web::visit::Visit;

/// A signed-in person's request: an administrator's in the panel, a holder's in the portal.
///
/// What such a person asks for goes through [`Ctx::call_within`], since a holder sees a part of the installation only.
pub(in crate::web) trait Person: FromRequestParts<Services> + Send + Sync + 'static {
    /// To call operations with.
    fn ctx(&self) -> &Ctx;
    /// The request.
    fn visit(&self) -> &Visit;
    /// What a page needs.
    fn ui(&self, section: Section) -> Ui;
}

/// The answer to somebody without a session who asks for a page that needs one.
///
/// The panel's cookie is not sent along with a link on another site: then the same page is asked for once more, from here.
pub(in crate::web) fn turned_back(visit: &Visit, method: &Method, site: Option<&HeaderValue>) -> Response {
    let is_from_elsewhere = site.is_some_and(|site| site == "cross-site");
    if is_from_elsewhere && visit.session_token.is_none() && method == Method::GET {
        again(visit)
    } else {
        to_sign_in(visit, method)
    }
}

fn again(visit: &Visit) -> Response {
    let address = visit.side.safe_next(&visit.here).replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    Html(format!("<!doctype html><meta http-equiv=\"refresh\" content=\"0;url={address}\"><a href=\"{address}\">{address}</a>"))
        .into_response()
}

/// Sends somebody who is not signed in to the sign-in page, and back here afterwards where that can be.
fn to_sign_in(visit: &Visit, method: &Method) -> Response {
    if visit.is_stream {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let login = format!("{}/login", visit.side.home());
    if visit.is_fragment {
        let mut response = StatusCode::UNAUTHORIZED.into_response();
        if let Ok(value) = HeaderValue::from_str(&login) {
            response.headers_mut().insert("hx-redirect", value);
        }
        return response;
    }
    let next = if method == Method::GET { visit.here.as_str() } else { visit.side.home() };
    let to = format!("{login}?next={}", encode(visit.side.safe_next(next)));
    render::see_other(&to).unwrap_or_else(Failure::into_response_now)
}
