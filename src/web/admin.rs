//! Who is signed in.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Html;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::operations::Caller;
use crate::operations::Ctx;
use crate::operations::Services;
use crate::operations::sign_in;
use crate::types::SessionId;
use crate::web::failure::Failure;
use crate::web::render;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;
use crate::web::visit::Visit;

/// A signed-in administrator's request. A handler that takes this is reached by nobody else.
#[derive(Debug, Clone)]
pub(in crate::web) struct Admin {
    /// To call operations with.
    pub ctx: Ctx,
    /// The request.
    pub visit: Visit,
    /// The browser's session.
    pub session: SessionId,
    username: String,
}

impl Admin {
    /// What a page needs.
    pub(in crate::web) fn ui(&self, section: Section) -> Ui {
        Ui { username: Some(self.username.clone()), ..self.visit.ui(section) }
    }
}

impl FromRequestParts<Services> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Self::Rejection> {
        let visit = Visit::from_request_parts(parts, services).await.map_err(Failure::into_response_now)?;
        let session = match &visit.session_token {
            Some(token) => sign_in::session_of(services, token).await.map_err(|e| Failure(e).into_response_now())?,
            None => None,
        };
        let Some(session) = session else {
            let is_from_elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
            if is_from_elsewhere && visit.session_token.is_none() && parts.method == Method::GET {
                return Err(again(&visit));
            }
            return Err(to_sign_in(&visit, &parts.method));
        };
        let caller = Caller::Admin { id: session.principal_id, username: session.username.clone(), session: session.id };
        Ok(Self { ctx: visit.ctx(services, caller), visit, session: session.id, username: session.username })
    }
}

/// Asks for the same page once more, from here: browsers do not send the session's cookie along with a link on another site.
fn again(visit: &Visit) -> Response {
    let address = render::safe_next(&visit.here).replace('&', "&amp;").replace('"', "&quot;");
    Html(format!("<!doctype html><meta http-equiv=\"refresh\" content=\"0;url={address}\"><a href=\"{address}\">{address}</a>"))
        .into_response()
}

/// Sends somebody who is not signed in to the sign-in page, and back here afterwards where that can be.
fn to_sign_in(visit: &Visit, method: &Method) -> Response {
    let next = if method == Method::GET { visit.here.as_str() } else { "/admin" };
    let to = format!("/admin/login?next={}", encode(render::safe_next(next)));
    if visit.is_stream {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if visit.is_fragment {
        let mut response = StatusCode::UNAUTHORIZED.into_response();
        if let Ok(value) = HeaderValue::from_str("/admin/login") {
            response.headers_mut().insert("hx-redirect", value);
        }
        return response;
    }
    render::see_other(&to).unwrap_or_else(Failure::into_response_now)
}
