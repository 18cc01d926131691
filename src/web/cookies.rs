//! The panel's cookies.

use axum_extra::extract::cookie::Cookie;
use axum_extra::extract::cookie::SameSite;
use cookie::time::Duration;

use crate::config::Config;
use crate::operations::portal;
use crate::operations::sign_in::SESSION_SECONDS;

/// Remembers the language.
pub(in crate::web) const LANGUAGE: &str = "pillarbox_language";
/// Remembers the theme.
pub(in crate::web) const THEME: &str = "pillarbox_theme";

/// The names of the secret cookies. Under https they have the prefix that keeps other hosts and plain http from setting them
/// (RFC 6265bis section 4.1.3.2).
#[derive(Debug, Clone, Copy)]
pub(in crate::web) struct Names {
    /// Holds the token of an administrator's session.
    pub session: &'static str,
    /// Holds the token of a session of the portal.
    pub portal: &'static str,
    /// Holds the secret of form tokens while nobody is signed in.
    pub form: &'static str,
    is_secure: bool,
}

impl Names {
    /// The names for this installation.
    pub(in crate::web) fn of(config: &Config) -> Self {
        if config.public_url.scheme() == "https" {
            Self {
                session: "__Host-pillarbox",
                portal: "__Host-pillarbox_portal",
                form: "__Host-pillarbox_form",
                is_secure: true,
            }
        } else {
            Self { session: "pillarbox_session", portal: "pillarbox_portal", form: "pillarbox_form", is_secure: false }
        }
    }

    /// The cookie of a new session.
    pub(in crate::web) fn session(self, token: String) -> Cookie<'static> {
        self.secret(self.session, token, Some(i64::from(SESSION_SECONDS)))
    }

    /// The cookie of a new session of the portal. People come there by links in mails and chats, and the cookie has to be there when
    /// the link that signs in sends them on; so it is sent along with links on other sites. Pages that are asked for so change
    /// nothing.
    pub(in crate::web) fn portal(self, token: String) -> Cookie<'static> {
        let mut cookie = self.secret(self.portal, token, Some(i64::from(portal::SESSION_SECONDS)));
        cookie.set_same_site(SameSite::Lax);
        cookie
    }

    /// The cookie for forms before signing in; gone with the browser's session.
    pub(in crate::web) fn form(self, secret: String) -> Cookie<'static> {
        self.secret(self.form, secret, None)
    }

    /// What takes a secret cookie away.
    pub(in crate::web) fn removal(self, name: &'static str) -> Cookie<'static> {
        self.secret(name, String::new(), Some(0))
    }

    fn secret(self, name: &'static str, value: String, max_age_seconds: Option<i64>) -> Cookie<'static> {
        let mut cookie = Cookie::new(name, value);
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Strict);
        cookie.set_secure(self.is_secure);
        if let Some(seconds) = max_age_seconds {
            cookie.set_max_age(Duration::seconds(seconds));
        }
        cookie
    }

    /// A cookie that remembers a choice for a year.
    pub(in crate::web) fn preference(self, name: &'static str, value: &'static str) -> Cookie<'static> {
        self.secret(name, value.to_owned(), Some(365 * 24 * 3600))
    }
}
