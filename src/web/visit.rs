//! A browser's request: what it says of itself, what it prefers, and the token that its forms carry.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;

use crate::config::Config;
use crate::crypto;
use crate::error::Error;
use crate::http::Origin;
use crate::operations::Caller;
use crate::operations::Ctx;
use crate::operations::Services;
use crate::operations::Surface;
use crate::operations::sign_in::Browser;
use crate::web::cookies;
use crate::web::failure::Failure;
use crate::web::forgery;
use crate::web::language::Language;
use crate::web::render;
use crate::web::side::Side;
use crate::web::ui::NAVIGATION;
use crate::web::ui::Section;
use crate::web::ui::Theme;
use crate::web::ui::Ui;

/// A browser's request.
#[derive(Debug, Clone)]
pub(in crate::web) struct Visit {
    /// The language of the answer.
    pub language: Language,
    /// The theme of the answer.
    pub theme: Theme,
    /// The side that is asked for.
    pub side: Side,
    /// Path and query, without the notice of what was done.
    pub here: String,
    /// What was just done, from the query.
    pub done: Option<String>,
    /// The token of this side's session, good or not.
    pub session_token: Option<String>,
    /// The secret that form tokens are made from: the session's token, or else that of the form cookie.
    pub form_secret: String,
    /// Whether the form cookie has yet to be set.
    pub is_form_cookie_new: bool,
    /// Whether a part of a page is asked for.
    pub is_fragment: bool,
    /// Whether a stream of events is asked for.
    pub is_stream: bool,
    /// The request's id.
    pub request_id: String,
    /// The browser's network address.
    pub remote: Option<IpAddr>,
    /// What the browser calls itself.
    pub user_agent: String,
}

impl Visit {
    /// Reads a request.
    pub(in crate::web) fn of(config: &Config, request: &Request) -> Self {
        let headers = request.headers();
        let origin = request.extensions().get::<Origin>();
        let jar = CookieJar::from_headers(headers);
        let names = cookies::Names::of(config);
        let value = |name: &str| jar.get(name).map(|cookie| cookie.value().to_owned()).filter(|v| !v.is_empty());
        let side = Side::of(request.uri());
        let session_token = value(match side {
            Side::Panel => names.session,
            Side::Portal => names.portal,
        });
        let form_cookie = value(names.form);
        let language = value(cookies::LANGUAGE)
            .and_then(|tag| Language::from_tag(&tag))
            .unwrap_or_else(|| Language::accepted(text(headers, header::ACCEPT_LANGUAGE.as_str())));
        let is_form_cookie_new = session_token.is_none() && form_cookie.is_none();
        let form_secret = session_token.clone().or(form_cookie).unwrap_or_else(crypto::random_token);
        Self {
            language,
            theme: Theme::from_name(&value(cookies::THEME).unwrap_or_default()),
            side,
            here: request
                .uri()
                .path_and_query()
                .map_or_else(|| side.home().to_owned(), |here| render::without_done(here.as_str())),
            done: query_value(request.uri().query(), "done"),
            session_token,
            form_secret,
            is_form_cookie_new,
            is_fragment: headers.contains_key("hx-request") && !headers.contains_key("hx-history-restore-request"),
            is_stream: text(headers, header::ACCEPT.as_str()).contains("text/event-stream"),
            request_id: origin.map(|o| o.request_id.clone()).unwrap_or_default(),
            remote: origin.and_then(|o| o.remote),
            user_agent: text(headers, header::USER_AGENT.as_str()).to_owned(),
        }
    }

    /// What a page needs, for somebody who is not signed in.
    pub(in crate::web) fn ui(&self, section: Section) -> Ui {
        Ui {
            side: self.side,
            section,
            language: self.language,
            theme: self.theme,
            username: None,
            navigation: &NAVIGATION,
            may_mark: true,
            csrf: forgery::token(&self.form_secret),
            here: self.here.clone(),
            done: self.done.clone(),
        }
    }

    /// A request to an operation.
    pub(in crate::web) fn ctx(&self, services: &Services, caller: Caller) -> Ctx {
        Ctx {
            services: services.clone(),
            caller,
            surface: Surface::Panel,
            request_id: self.request_id.clone(),
            remote: self.remote,
        }
    }

    /// The browser, as sessions remember it.
    pub(in crate::web) fn browser(&self) -> Browser {
        Browser { remote: self.remote, user_agent: self.user_agent.clone(), request_id: self.request_id.clone() }
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Failure(Error::Internal(anyhow::anyhow!("a page was reached past the panel's door"))))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
