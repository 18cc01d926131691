//! Errors on their way to a page.

use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::error::Error;
use crate::http;
use crate::web::language::Language;
use crate::web::pages::error::ErrorPage;
use crate::web::render;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

/// An error that a handler ends with. The panel's door makes the page of it, since it knows the reader's language.
#[derive(Debug)]
pub(in crate::web) struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The error, in the extensions of a response that has no body yet.
#[derive(Debug, Clone)]
struct Pending(std::sync::Arc<Error>);

impl Failure {
    /// The response, for places that have to name its type.
    pub(in crate::web) fn into_response_now(self) -> Response {
        self.into_response()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = http::status(&self.0).into_response();
        hold_off(&self.0, &mut response);
        response.extensions_mut().insert(Pending(std::sync::Arc::new(self.0)));
        response
    }
}

/// Says for how long whoever asked too often has to wait.
pub(in crate::web) fn hold_off(error: &Error, response: &mut Response) {
    if let Error::TooMany { retry_after } = error {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
    }
}

/// What is wrong, as headline and text.
pub(in crate::web) fn words(error: &Error, ui: &Ui) -> (&'static str, String) {
    match error {
        Error::Invalid(_) => (ui.t("error.bad_request"), error.to_string()),
        Error::NotFound { .. } => (ui.t("error.not_found"), ui.t("error.not_found_text").to_owned()),
        Error::Conflict { code, detail } => (ui.t("error.conflict"), conflict(code, detail, ui)),
        Error::Unauthenticated(_) | Error::Forbidden(_) | Error::OutOfReach => (ui.t("error.forbidden"), error.to_string()),
        Error::TooMany { retry_after } => {
            let seconds = i64::try_from(retry_after.as_secs()).unwrap_or(i64::MAX).max(1);
            (ui.t("error.too_many"), ui.count("error.too_many_text", &seconds))
        }
        Error::Unavailable { .. } => (ui.t("error.unavailable"), ui.t("error.unavailable_text").to_owned()),
        Error::Internal(_) => (ui.t("error.internal"), ui.t("error.internal_text").to_owned()),
    }
}

/// A conflict in the reader's language. The detail, which names what it is about, is in English.
pub(in crate::web) fn conflict(code: &str, detail: &str, ui: &Ui) -> String {
    let known = || ui.language.find(&format!("conflict.{code}")).map(str::to_owned);
    if ui.language == Language::English { detail.to_owned() } else { known().unwrap_or_else(|| detail.to_owned()) }
}

/// Gives a response that ended with an error its page; others pass as they are.
pub(in crate::web) fn with_page(visit: &Visit, mut response: Response) -> Response {
    let Some(Pending(error)) = response.extensions_mut().remove::<Pending>() else { return response };
    if let Error::Internal(cause) = error.as_ref() {
        tracing::error!(request.id = visit.request_id, "a page failed: {cause:#}");
    }
    let ui = visit.ui(Section::None);
    let (title, detail) = words(&error, &ui);
    let page = page(visit, response.status(), title, detail);
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let (page_parts, body) = page.into_parts();
    parts.headers.extend(page_parts.headers);
    Response::from_parts(parts, body)
}

/// A page that says what went wrong; a plain sentence where a part of a page was asked for.
pub(in crate::web) fn page(visit: &Visit, status: StatusCode, title: &str, detail: String) -> Response {
    if visit.is_fragment {
        let plain = (HeaderName::from_static("content-type"), "text/plain; charset=utf-8");
        return (status, [plain], detail).into_response();
    }
    let page = ErrorPage {
        ui: visit.ui(Section::None),
        status: status.as_u16(),
        title: title.to_owned(),
        detail,
        request_id: if status.is_server_error() { visit.request_id.clone() } else { String::new() },
    };
    render::page_with(status, &page).unwrap_or_else(|_| status.into_response())
}
