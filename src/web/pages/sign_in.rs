//! Signing in and out.

use askama::Template;
use axum::extract::Query;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::crypto::Password;
use crate::error::Error;
use crate::operations::Services;
use crate::operations::setup;
use crate::operations::sign_in;
use crate::web::admin::Admin;
use crate::web::cookies;
use crate::web::errors::Errors;
use crate::web::failure;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

#[derive(Debug, Template)]
#[template(path = "auth/login.html")]
struct LoginPage {
    ui: Ui,
    errors: Errors,
    username: String,
    next: String,
    needs_setup: bool,
}

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Next {
    next: String,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Credentials {
    username: String,
    password: String,
    next: String,
}

/// `GET /admin/login`.
pub(in crate::web) async fn show(State(services): State<Services>, visit: Visit, Query(query): Query<Next>) -> Answer {
    if let Some(token) = &visit.session_token
        && sign_in::session_of(&services, token).await?.is_some()
    {
        return render::see_other(render::safe_next(&query.next));
    }
    render::page(&LoginPage {
        ui: visit.ui(Section::None),
        errors: Errors::default(),
        username: String::new(),
        next: render::safe_next(&query.next).to_owned(),
        needs_setup: setup::is_needed(&services).await?,
    })
}

/// `POST /admin/login`.
pub(in crate::web) async fn sign_in(
    State(services): State<Services>,
    visit: Visit,
    jar: CookieJar,
    Form(form): Form<Credentials>,
) -> Answer {
    let password = Password::new(form.password);
    match sign_in::sign_in(&services, &visit.browser(), &form.username, &password).await {
        Ok(signed_in) => {
            let names = cookies::Names::of(&services.config);
            let jar = jar.add(names.session(signed_in.token)).add(names.removal(names.form));
            Ok((jar, render::see_other(render::safe_next(&form.next))?).into_response())
        }
        Err(error) if matches!(error, Error::Unauthenticated(_) | Error::TooMany { .. }) => {
            refused(&services, &visit, form.username, &form.next, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The form again. The same text for an unknown name and a wrong password.
async fn refused(services: &Services, visit: &Visit, username: String, next: &str, error: &Error) -> Answer {
    let ui = visit.ui(Section::None);
    let message = match error {
        Error::TooMany { .. } => failure::words(error, &ui).1,
        _ => ui.t("error.wrong_login").to_owned(),
    };
    let page = LoginPage {
        errors: Errors::of_form(message),
        username: username.chars().take(64).collect(),
        next: render::safe_next(next).to_owned(),
        needs_setup: setup::is_needed(services).await?,
        ui,
    };
    render::refused(error, &page)
}

/// `POST /admin/logout`.
pub(in crate::web) async fn sign_out(State(services): State<Services>, admin: Admin, jar: CookieJar) -> Answer {
    sign_in::sign_out(&admin.ctx).await?;
    let names = cookies::Names::of(&services.config);
    let jar = jar.add(names.removal(names.session));
    Ok((jar, render::see_other("/admin/login?done=signed_out")?).into_response())
}
