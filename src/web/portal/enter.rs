//! The links that sign in: `/?key=TOKEN` of a user, `/?link=TOKEN` of a mailbox. The token leaves the address bar at once.

use axum::extract::Query;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::Services;
use crate::operations::portal;
use crate::web::cookies;
use crate::web::portal::sign_in::LoginPage;
use crate::web::portal::sign_in::Refused;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::visit::Visit;

/// What a link holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Token {
    /// A user's token.
    key: String,
    /// An access link's.
    link: String,
}

/// `GET /`.
pub(in crate::web) async fn start(
    State(services): State<Services>,
    visit: Visit,
    jar: CookieJar,
    Query(token): Query<Token>,
) -> Answer {
    let names = cookies::Names::of(&services.config);
    let (signed_in, refused) = if !token.key.is_empty() {
        (portal::sign_in_user(&services, &visit.browser(), &token.key).await, Refused::Token)
    } else if !token.link.is_empty() {
        (portal::sign_in_link(&services, &visit.browser(), &token.link).await, Refused::Link)
    } else {
        // Whoever was in the portal last comes back to it; administrators have the panel.
        let is_holder = jar.get(names.portal).is_some() && jar.get(names.session).is_none();
        return render::see_other(if is_holder { "/portal" } else { "/admin" });
    };
    match signed_in {
        Ok(signed_in) => Ok((jar.add(names.portal(signed_in.token)), render::see_other("/portal")?).into_response()),
        Err(error @ (Error::Unauthenticated(_) | Error::TooMany { .. })) => {
            // The page, and what its forms send, has nothing of the token.
            let visit = Visit { here: "/portal/login".to_owned(), ..visit };
            LoginPage::new(&visit, "/portal").refused(refused, &error)
        }
        Err(error) => Err(error.into()),
    }
}
