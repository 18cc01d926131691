//! The own account: password and signed-in browsers.

use askama::Template;
use axum::extract::Path;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::crypto::Password;
use crate::error::Error;
use crate::http;
use crate::operations::sign_in;
use crate::types::SessionId;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

const HERE: &str = "/admin/account";

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    ui: Ui,
    sessions: Vec<SessionRow>,
    errors: Errors,
}

#[derive(Debug)]
struct SessionRow {
    id: SessionId,
    browser: String,
    remote_address: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    is_current: bool,
}

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Passwords {
    old_password: String,
    new_password: String,
}

async fn page(admin: &Admin, errors: Errors) -> Result<AccountPage, Error> {
    let sessions = sign_in::list_sessions(&admin.ctx).await?;
    let rows = sessions.into_iter().map(|session| SessionRow {
        is_current: session.id == admin.session,
        id: session.id,
        browser: browser(&session.user_agent),
        remote_address: session.remote_address,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
    });
    Ok(AccountPage { ui: admin.ui(Section::Account), sessions: rows.collect(), errors })
}

/// `GET /admin/account`.
pub(in crate::web) async fn show(admin: Admin) -> Answer {
    render::page(&page(&admin, Errors::default()).await?)
}

/// `POST /admin/account`.
pub(in crate::web) async fn change_password(admin: Admin, Form(form): Form<Passwords>) -> Answer {
    let (old, new) = (Password::new(form.old_password), Password::new(form.new_password));
    match sign_in::change_password(&admin.ctx, &old, &new).await {
        Ok(()) => render::done(HERE, "password_changed"),
        Err(error @ (Error::Invalid(_) | Error::TooMany { .. })) => {
            let ui = admin.ui(Section::Account);
            let mut errors = Errors::from_error(&error, &ui, &["old_password", "password"]);
            if let Some(message) = errors.at("password").map(str::to_owned) {
                errors = Errors::of_field("new_password", message);
            }
            render::page_with(http::status(&error), &page(&admin, errors).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/account/sessions/{id}/revoke`.
pub(in crate::web) async fn revoke_session(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = id.parse().map_err(|_| Error::not_found("session", "There is no such session."))?;
    sign_in::revoke_session(&admin.ctx, id).await?;
    render::done(HERE, "session_ended")
}

/// A browser and its system, from what it calls itself; what is not known is shown as it is.
fn browser(user_agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    // Each of the later ones also calls itself by the earlier ones' names.
    let program =
        first(&[("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program}, {system}"),
        (Some(program), None) => program.to_owned(),
        _ if user_agent.is_empty() => "–".to_owned(),
        _ => user_agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_by_their_names() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox, Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/17.0 Safari/604.1",
                "Safari, iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "–"),
        ] {
            assert_eq!(browser(user_agent), name);
        }
    }
}
