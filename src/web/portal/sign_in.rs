//! Signing in to the portal by address and password, or by a token that is typed; and out.

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
use crate::operations::portal;
use crate::web::cookies;
use crate::web::errors::Errors;
use crate::web::failure;
use crate::web::portal::Holder;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

/// What was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Refused {
    /// An address with a password.
    Password,
    /// A user's token.
    Token,
    /// An access link.
    Link,
}

#[derive(Debug, Template)]
#[template(path = "portal/login.html")]
pub(in crate::web) struct LoginPage {
    ui: Ui,
    errors: Errors,
    /// What to do about a link or token that is not good; empty where none was given.
    advice: &'static str,
    address: String,
    next: String,
    /// Whether the field for a token is open.
    open_token: bool,
}

impl LoginPage {
    /// The empty form.
    pub(in crate::web) fn new(visit: &Visit, next: &str) -> Self {
        Self {
            ui: visit.ui(Section::None),
            errors: Errors::default(),
            advice: "",
            address: String::new(),
            next: visit.side.safe_next(next).to_owned(),
            open_token: false,
        }
    }

    /// The form again. The same text for an unknown address and a wrong password.
    pub(in crate::web) fn refused(mut self, what: Refused, error: &Error) -> Answer {
        let ui = &self.ui;
        let (message, advice) = match (error, what) {
            (Error::TooMany { .. }, _) => (failure::words(error, ui).1, ""),
            (_, Refused::Password) => (ui.t("portal.wrong_password").to_owned(), ""),
            (_, Refused::Token) => (ui.t("portal.wrong_token").to_owned(), ui.t("portal.wrong_token_advice")),
            (_, Refused::Link) => (ui.t("portal.wrong_link").to_owned(), ui.t("portal.wrong_link_advice")),
        };
        self.advice = advice;
        self.open_token = what == Refused::Token;
        self.errors = Errors::of_form(message);
        render::refused(error, &self)
    }
}

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Next {
    next: String,
}

/// What the forms send: an address with its password, or a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Credentials {
    address: String,
    password: String,
    token: String,
    next: String,
}

/// `GET /portal/login`.
pub(in crate::web) async fn show(State(services): State<Services>, visit: Visit, Query(query): Query<Next>) -> Answer {
    if let Some(token) = &visit.session_token
        && portal::caller_of(&services, token).await?.is_some()
    {
        return render::see_other(visit.side.safe_next(&query.next));
    }
    render::page(&LoginPage::new(&visit, &query.next))
}

/// `POST /portal/login`.
pub(in crate::web) async fn sign_in(
    State(services): State<Services>,
    visit: Visit,
    jar: CookieJar,
    Form(form): Form<Credentials>,
) -> Answer {
    let browser = visit.browser();
    let token = form.token.trim();
    let (signed_in, what) = if token.is_empty() {
        let password = Password::new(form.password);
        (portal::sign_in_mailbox(&services, &browser, &form.address, &password).await, Refused::Password)
    } else if let Some((_, link)) = token.split_once("link=") {
        (portal::sign_in_link(&services, &browser, link).await, Refused::Link)
    } else {
        // The whole link is as good as the token in it.
        let token = token.split_once("key=").map_or(token, |(_, token)| token);
        (portal::sign_in_user(&services, &browser, token).await, Refused::Token)
    };
    match signed_in {
        Ok(signed_in) => {
            let names = cookies::Names::of(&services.config);
            let to = render::see_other(visit.side.safe_next(&form.next))?;
            Ok((jar.add(names.portal(signed_in.token)), to).into_response())
        }
        Err(error @ (Error::Unauthenticated(_) | Error::TooMany { .. })) => {
            let address = form.address.chars().take(254).collect();
            LoginPage { address, ..LoginPage::new(&visit, &form.next) }.refused(what, &error)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /portal/logout`.
pub(in crate::web) async fn sign_out(State(services): State<Services>, holder: Holder, jar: CookieJar) -> Answer {
    portal::sign_out(&holder.ctx).await?;
    let names = cookies::Names::of(&services.config);
    let jar = jar.add(names.removal(names.portal));
    Ok((jar, render::see_other("/portal/login")?).into_response())
}
