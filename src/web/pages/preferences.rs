//! Language and theme.

use axum::extract::State;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::operations::Services;
use crate::web::cookies;
use crate::web::language::Language;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Theme;
use crate::web::visit::Visit;

/// What the buttons send: one of the two, and the page to come back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Choice {
    language: String,
    theme: String,
    next: String,
}

/// `POST /admin/preferences`, `POST /portal/preferences`.
pub(in crate::web) async fn set(
    State(services): State<Services>,
    visit: Visit,
    mut jar: CookieJar,
    Form(choice): Form<Choice>,
) -> Answer {
    let names = cookies::Names::of(&services.config);
    if let Some(language) = Language::from_tag(&choice.language) {
        jar = jar.add(names.preference(cookies::LANGUAGE, language.tag()));
    }
    if !choice.theme.is_empty() {
        jar = jar.add(names.preference(cookies::THEME, Theme::from_name(&choice.theme).as_str()));
    }
    Ok((jar, render::see_other(visit.side.safe_next(&choice.next))?).into_response())
}
