//! The two sides that a browser sees: the panel of administrators and the portal of those who read mail. Each has its own session,
//! so that one browser can have both.

use axum::http::Uri;

/// A side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::web) enum Side {
    /// For administrators.
    #[default]
    Panel,
    /// For users, and holders of a mailbox's password or of an access link.
    Portal,
}

impl Side {
    /// The side that an address belongs to. The links that sign in lead to `/`.
    pub(in crate::web) fn of(uri: &Uri) -> Self {
        let path = uri.path();
        let is_link =
            || uri.query().is_some_and(|query| query.split('&').any(|p| p.starts_with("key=") || p.starts_with("link=")));
        if is_page_of("/portal", path) || (path == "/" && is_link()) { Self::Portal } else { Self::Panel }
    }

    /// The address of its first page, below which all others are.
    pub(in crate::web) fn home(self) -> &'static str {
        match self {
            Self::Panel => "/admin",
            Self::Portal => "/portal",
        }
    }

    /// A page of this side to come back to, from a form or query: anything else leads to the first page, so that nobody can be
    /// sent to another site.
    pub(in crate::web) fn safe_next(self, given: &str) -> &str {
        let path = given.split(['?', '#']).next().unwrap_or_default();
        let is_page = is_page_of(self.home(), path) || (self == Self::Panel && path == "/setup");
        let is_plain = given.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        if is_page && is_plain && !path.contains("//") && !path.contains("..") { given } else { self.home() }
    }
}

fn is_page_of(home: &str, path: &str) -> bool {
    path.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_side() {
        for (address, side) in [
            ("/", Side::Panel),
            ("/?key=x", Side::Portal),
            ("/?a=b&link=x", Side::Portal),
            ("/?monkey=x", Side::Panel),
            ("/admin?key=x", Side::Panel),
            ("/portal", Side::Portal),
            ("/portal/messages?q=x", Side::Portal),
            ("/portals", Side::Panel),
            ("/setup", Side::Panel),
        ] {
            assert_eq!(Side::of(&address.parse().expect("an address")), side, "{address}");
        }
    }

    #[test]
    fn the_way_back_never_leaves_its_side() {
        for side in [Side::Panel, Side::Portal] {
            let home = side.home();
            for given in [
                "//evil.example",
                "/\\evil.example",
                "https:evil.example",
                "https://evil.example/admin",
                "https://evil.example/portal",
                "%2f%2fevil.example",
                "javascript:alert(1)",
                "/admin.evil.example",
                "/portal.evil.example",
                "/admin//evil",
                "/portal/..//evil",
                "/admin/..//evil",
                "/admin\r\nSet-Cookie: a=b",
                "/portal\r\nSet-Cookie: a=b",
                "/admin\\",
                "",
                "admin",
                "\t/admin",
                "/?key=xmail_user_x",
            ] {
                assert_eq!(side.safe_next(given), home, "{given:?}");
            }
            let page = format!("{home}/mailboxes/a%2Bb@example.org?show=unread");
            for given in [home, page.as_str()] {
                assert_eq!(side.safe_next(given), given);
            }
        }
        assert_eq!(Side::Panel.safe_next("/portal"), "/admin");
        assert_eq!(Side::Portal.safe_next("/admin"), "/portal");
    }
}
