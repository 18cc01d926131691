//! The one-time link that makes the first administrator.

use askama::Template;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::crypto::Password;
use crate::error::Error;
use crate::http;
use crate::operations::Caller;
use crate::operations::Services;
use crate::operations::setup;
use crate::operations::sign_in;
use crate::web::cookies;
use crate::web::errors::Errors;
use crate::web::failure;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

#[derive(Debug, Template)]
#[template(path = "auth/setup.html")]
struct SetupPage {
    ui: Ui,
    errors: Errors,
    username: String,
    token: String,
}

/// The link's token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Link {
    token: String,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct FirstAdmin {
    token: String,
    username: String,
    password: String,
}

/// `GET /setup?token=`.
pub(in crate::web) async fn show(State(services): State<Services>, visit: Visit, Query(link): Query<Link>) -> Answer {
    if !setup::is_good(&services, &link.token).await? {
        return Ok(dead(&visit));
    }
    render::page(&SetupPage {
        ui: visit.ui(Section::None),
        errors: Errors::default(),
        username: String::new(),
        token: link.token,
    })
}

/// `POST /setup`.
pub(in crate::web) async fn complete(
    State(services): State<Services>,
    visit: Visit,
    jar: CookieJar,
    Form(form): Form<FirstAdmin>,
) -> Answer {
    let ctx = visit.ctx(&services, Caller::Nobody);
    let username = form.username.trim().to_owned();
    match setup::complete(&ctx, &form.token, &username, &Password::new(form.password)).await {
        Ok(id) => {
            let signed_in = sign_in::begin_session(&services, &visit.browser(), id, &username).await?;
            let names = cookies::Names::of(&services.config);
            let jar = jar.add(names.session(signed_in.token)).add(names.removal(names.form));
            Ok((jar, render::done("/admin", "setup_done")?).into_response())
        }
        Err(error @ Error::Invalid(_)) => {
            let ui = visit.ui(Section::None);
            let errors = Errors::from_error(&error, &ui, &["username", "password"]);
            render::page_with(http::status(&error), &SetupPage { ui, errors, username, token: form.token })
        }
        Err(Error::Unauthenticated(_) | Error::Conflict { .. }) => Ok(dead(&visit)),
        Err(error) => Err(error.into()),
    }
}

fn dead(visit: &Visit) -> axum::response::Response {
    let ui = visit.ui(Section::None);
    failure::page(visit, StatusCode::GONE, ui.t("error.setup_dead"), ui.t("error.setup_dead_text").to_owned())
}
