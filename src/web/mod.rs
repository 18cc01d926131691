//! The panel: pages for people, over the same operations as every other door.
//!
//! A request passes [`door`]: it learns the reader's language and theme, refuses what another site sent in the reader's name, and
//! gives errors their page. Pages behind the sign-in take [`admin::Admin`]. Every page is plain HTML and works without scripts;
//! `static/app.js` and htmx make it quicker. The [`portal`] of those who read mail without being administrators stands behind the
//! same door.

mod admin;
mod admin_names;
mod assets;
mod cookies;
mod domain_names;
mod errors;
mod failure;
mod forgery;
mod headers;
mod language;
mod names;
mod pages;
mod person;
mod portal;
mod render;
mod side;
mod ui;
mod visit;

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use tower_http::compression::CompressionLayer;

use crate::error::Error;
use crate::operations::Services;
use crate::web::admin::Admin;
use crate::web::failure::Failure;
use crate::web::forgery::Refusal;
use crate::web::pages as p;
use crate::web::ui::Section;
use crate::web::visit::Visit;

/// All pages of the panel, and its files.
///
/// To be mounted inside [`crate::http::identify`], which gives each request its id and address.
pub fn router(services: Services) -> Router {
    let panel = signed_out()
        .merge(signed_in())
        .merge(people_and_services())
        .merge(running())
        .merge(one_mailbox())
        .merge(portal::router())
        .route("/admin/{*rest}", get(nowhere).post(nowhere));
    panel
        .method_not_allowed_fallback(nowhere)
        .layer(axum::middleware::from_fn_with_state(services.clone(), door))
        .layer(CompressionLayer::new().gzip(true))
        .route("/static/{*path}", get(assets::get))
        .layer(axum::middleware::from_fn(headers::set))
        .with_state(services)
}

fn signed_out() -> Router<Services> {
    Router::new()
        .route("/setup", get(p::setup::show).post(p::setup::complete))
        .route("/admin/login", get(p::sign_in::show).post(p::sign_in::sign_in))
        .route("/admin/preferences", post(p::preferences::set))
}

fn signed_in() -> Router<Services> {
    Router::new()
        .route("/admin", get(p::overview::show))
        .route("/admin/demo", post(p::overview::make_demo))
        .route("/admin/logout", post(p::sign_in::sign_out))
        .route("/admin/live", get(p::live::stream))
        .route("/admin/domains", get(p::domains::list).post(p::domains::create))
        .route("/admin/domains/{name}", get(p::domain::show).post(p::domains::update))
        .route("/admin/domains/{name}/check", post(p::domain::check))
        .route("/admin/domains/{name}/settings", post(p::domain::settings))
        .route("/admin/domains/{name}/aliases", post(p::domain::add_alias))
        .route("/admin/domains/{name}/aliases/{address}", post(p::domain::update_alias))
        .route("/admin/domains/{name}/aliases/{address}/delete", post(p::domain::delete_alias))
        .route("/admin/domains/{name}/delete", post(p::domains::delete))
        .route("/admin/mailboxes", get(p::mailboxes::list).post(p::mailbox_create::one))
        .route("/admin/mailboxes/batch", post(p::mailbox_create::many))
        .route("/admin/mailboxes/bulk", post(p::mailboxes::bulk))
        .route("/admin/mailboxes/empty-trash", post(p::trash::empty))
        .route("/admin/mailboxes/{address}", get(p::messages::list_in::<Admin>))
        .route("/admin/mailboxes/{address}/settings", get(p::mailbox::show).post(p::mailbox::update))
        .route("/admin/mailboxes/{address}/trash", post(p::mailbox::trash))
        .route("/admin/mailboxes/{address}/restore", post(p::mailbox::restore))
        .route("/admin/mailboxes/{address}/purge", post(p::mailbox::purge))
        .route("/admin/messages", get(p::messages::list_all::<Admin>))
        .route("/admin/messages/{id}", get(p::messages::show::<Admin>))
        .route("/admin/messages/{id}/html", get(p::message_parts::html::<Admin>))
        .route("/admin/messages/{id}/raw", get(p::message_parts::raw::<Admin>))
        .route("/admin/messages/{id}/attachments/{index}", get(p::message_parts::attachment::<Admin>))
        .route("/admin/messages/{id}/delete", post(p::messages::delete::<Admin>))
        .route("/admin/messages/{id}/{mark}", post(p::messages::mark::<Admin>))
        .route("/admin/api-keys", get(p::api_keys::list).post(p::api_keys::create))
        .route("/admin/api-keys/{id}/revoke", post(p::api_keys::revoke))
        .route("/admin/api-keys/{id}/delete", post(p::api_keys::delete))
        .route("/admin/smtp-sessions", get(p::smtp_sessions::list))
        .route("/admin/smtp-sessions/{id}", get(p::smtp_sessions::show))
        .route("/admin/smtp-bans/{id}/lift", post(p::smtp_sessions::lift))
        .route("/admin/audit-log", get(p::audit_log::list))
        .route("/admin/account", get(p::account::show).post(p::account::change_password))
        .route("/admin/account/sessions/{id}/revoke", post(p::account::revoke_session))
}

/// Who reads which mailbox, and for which services.
fn people_and_services() -> Router<Services> {
    Router::new()
        .route("/admin/users", get(p::users::list).post(p::users::create))
        .route("/admin/users/{id}", get(p::user::show).post(p::user::update))
        .route("/admin/users/{id}/token", post(p::user::rotate))
        .route("/admin/users/{id}/delete", post(p::user::delete))
        .route("/admin/users/{id}/mailboxes", post(p::user::give))
        .route("/admin/users/{id}/mailboxes/{address}/take", post(p::user::take))
        .route("/admin/services", get(p::services::list).post(p::services::create))
        .route("/admin/services/bindings", get(p::bindings::list).post(p::bindings::bind))
        .route("/admin/services/bindings/{id}", post(p::bindings::set_end))
        .route("/admin/services/bindings/{id}/delete", post(p::bindings::delete))
        .route("/admin/services/{id}", get(p::services::show).post(p::services::update))
        .route("/admin/services/{id}/delete", post(p::services::delete))
}

/// How the installation runs.
fn running() -> Router<Services> {
    Router::new()
        .route("/admin/settings", get(p::settings::show).post(p::settings::update))
        .route("/admin/settings/old-messages", post(p::old_messages::remove))
        .route("/admin/jobs", get(p::jobs::list))
        .route("/admin/jobs/{name}/run", post(p::jobs::run))
        .route("/admin/statistics", get(p::statistics::show))
        .route("/admin/tls-reports", get(p::tls_reports::list))
}

/// What is done on the page of a mailbox.
fn one_mailbox() -> Router<Services> {
    Router::new()
        .route("/admin/mailboxes/{address}/owner", post(p::mailbox_people::assign))
        .route("/admin/mailboxes/{address}/shared", post(p::mailbox_people::share))
        .route("/admin/mailboxes/{address}/members", post(p::mailbox_people::add_member))
        .route("/admin/mailboxes/{address}/members/{user}/remove", post(p::mailbox_people::remove_member))
        .route("/admin/mailboxes/{address}/password", post(p::mailbox_ways::set_password))
        .route("/admin/mailboxes/{address}/password/reveal", post(p::mailbox_ways::reveal_password))
        .route("/admin/mailboxes/{address}/links", post(p::mailbox_ways::create_link))
        .route("/admin/mailboxes/{address}/links/{id}/revoke", post(p::mailbox_ways::revoke_link))
        .route("/admin/mailboxes/{address}/services", post(p::mailbox_services::add))
        .route("/admin/mailboxes/{address}/services/{id}", post(p::mailbox_services::set_end))
        .route("/admin/mailboxes/{address}/services/{id}/remove", post(p::mailbox_services::remove))
}

pub(in crate::web) async fn nowhere() -> Failure {
    Failure(Error::not_found("page", "There is no such page."))
}

/// What every page passes.
async fn door(State(services): State<Services>, request: Request, next: Next) -> Response {
    let visit = Visit::of(&services.config, &request);
    let mut response = match forgery::check(&visit, request).await {
        Ok(mut request) => {
            request.extensions_mut().insert(visit.clone());
            next.run(request).await
        }
        Err(refusal) => refused(&visit, refusal),
    };
    if visit.is_form_cookie_new {
        let cookie = cookies::Names::of(&services.config).form(visit.form_secret.clone());
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    failure::with_page(&visit, response)
}

fn refused(visit: &Visit, refusal: Refusal) -> Response {
    let ui = visit.ui(Section::None);
    match refusal {
        Refusal::Forged => {
            failure::page(visit, StatusCode::FORBIDDEN, ui.t("error.forbidden"), ui.t("error.csrf_text").to_owned())
        }
        Refusal::TooLarge => failure::page(visit, StatusCode::PAYLOAD_TOO_LARGE, ui.t("error.bad_request"), String::new()),
    }
}
