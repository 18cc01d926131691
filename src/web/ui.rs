//! What every page needs besides its content: language, theme, who is signed in, and small pieces of markup.

#![expect(
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    reason = "templates reach everything through one value, and pass references"
)]

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::types::Timestamp;
use crate::web::assets;
use crate::web::language::Language;
use crate::web::side::Side;

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::web) enum Theme {
    /// As the operating system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All there are, in the order of the menu.
    pub(in crate::web) const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::System];

    /// The name in cookies, forms and the catalogue.
    pub(in crate::web) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a name; anything else is the system's.
    pub(in crate::web) fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|t| t.as_str() == name).unwrap_or_default()
    }

    /// The icon in the menu.
    pub(in crate::web) fn icon(self) -> &'static str {
        match self {
            Self::System => "device-desktop",
            Self::Light => "sun",
            Self::Dark => "moon",
        }
    }
}

/// The part of the panel that a page belongs to; marks the entry in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Section {
    /// The first page.
    Overview,
    /// Messages of all mailboxes.
    Messages,
    /// Mailboxes.
    Mailboxes,
    /// Domains.
    Domains,
    /// Users.
    Users,
    /// Services.
    Services,
    /// Figures over time.
    Statistics,
    /// SMTP sessions.
    SmtpSessions,
    /// API keys.
    ApiKeys,
    /// The audit log.
    AuditLog,
    /// Background jobs.
    Jobs,
    /// Runtime settings.
    Settings,
    /// The own account.
    Account,
    /// Signed out, or an error.
    None,
}

/// A way to look at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum View {
    /// The HTML, cleaned, in a frame of its own.
    Html,
    /// The plain text.
    Text,
    /// The header fields in order.
    Headers,
    /// The octets as they came.
    Raw,
}

impl View {
    /// All there are, in the order of the tabs.
    pub(in crate::web) const ALL: [Self; 4] = [Self::Html, Self::Text, Self::Headers, Self::Raw];

    /// The name in addresses.
    pub(in crate::web) fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Text => "text",
            Self::Headers => "headers",
            Self::Raw => "raw",
        }
    }
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy)]
pub(in crate::web) struct NavEntry {
    /// The section that it leads to.
    pub section: Section,
    /// Its address.
    pub href: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Its key in the catalogue.
    pub label: &'static str,
    /// The letter that leads there after `g`.
    pub shortcut: char,
}

impl NavEntry {
    const fn new(section: Section, href: &'static str, icon: &'static str, label: &'static str, shortcut: char) -> Self {
        Self { section, href, icon, label, shortcut }
    }
}

/// How many of the navigation's first entries have a place of their own on a phone; the others are in the menu there.
const DAILY: usize = 4;

/// The navigation, from top to bottom.
pub(in crate::web) const NAVIGATION: [NavEntry; 12] = [
    NavEntry::new(Section::Overview, "/admin", "home", "nav.overview", 'o'),
    NavEntry::new(Section::Messages, "/admin/messages", "inbox", "nav.messages", 'm'),
    NavEntry::new(Section::Mailboxes, "/admin/mailboxes", "at", "nav.mailboxes", 'b'),
    NavEntry::new(Section::Domains, "/admin/domains", "world", "nav.domains", 'd'),
    NavEntry::new(Section::Users, "/admin/users", "users", "nav.users", 'p'),
    NavEntry::new(Section::Services, "/admin/services", "apps", "nav.services", 'v'),
    NavEntry::new(Section::ApiKeys, "/admin/api-keys", "key", "nav.api_keys", 'k'),
    NavEntry::new(Section::Statistics, "/admin/statistics", "chart-bar", "nav.statistics", 't'),
    NavEntry::new(Section::SmtpSessions, "/admin/smtp-sessions", "send", "nav.smtp_sessions", 's'),
    NavEntry::new(Section::AuditLog, "/admin/audit-log", "history", "nav.audit_log", 'a'),
    NavEntry::new(Section::Jobs, "/admin/jobs", "clock", "nav.jobs", 'j'),
    NavEntry::new(Section::Settings, "/admin/settings", "settings", "nav.settings", 'e'),
];

/// What every page needs besides its content.
#[derive(Debug, Clone)]
pub(in crate::web) struct Ui {
    /// The side that the page belongs to.
    pub side: Side,
    /// The part of the panel that the page belongs to.
    pub section: Section,
    /// The language of the page.
    pub language: Language,
    /// The theme of the page.
    pub theme: Theme,
    /// Who is signed in.
    pub username: Option<String>,
    /// The navigation, from top to bottom.
    pub navigation: &'static [NavEntry],
    /// Whether the reader may mark, star and delete messages.
    pub may_mark: bool,
    /// The form token of this browser.
    pub csrf: String,
    /// Path and query of this page, to come back to.
    pub here: String,
    /// What was just done: a key below `done.` in the catalogue.
    pub done: Option<String>,
}

impl Ui {
    /// A text of the catalogue.
    pub(in crate::web) fn t(&self, key: &str) -> &'static str {
        self.language.text(key)
    }

    /// A text of the catalogue with one value in place of `{0}`.
    pub(in crate::web) fn t1(&self, key: &str, value: impl std::fmt::Display) -> String {
        self.t(key).replace("{0}", &value.to_string())
    }

    /// A text of the catalogue with two values in place of `{0}` and `{1}`.
    pub(in crate::web) fn t2(&self, key: &str, first: impl std::fmt::Display, second: impl std::fmt::Display) -> String {
        // The second first: a value may itself hold `{1}`.
        self.t(key).replace("{1}", &second.to_string()).replace("{0}", &first.to_string())
    }

    /// A text that counts: the key with `.one` or `.other`.
    pub(in crate::web) fn count(&self, key: &str, number: &i64) -> String {
        let form = if *number == 1 { "one" } else { "other" };
        self.t1(&format!("{key}.{form}"), self.number(number))
    }

    /// A number with its thousands apart.
    pub(in crate::web) fn number(&self, number: &i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut grouped = String::with_capacity(digits.len() + 8);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if *number < 0 { format!("-{grouped}") } else { grouped }
    }

    /// A size for people, in binary units.
    #[expect(clippy::cast_precision_loss, reason = "a size for people has two digits")]
    pub(in crate::web) fn size(&self, octets: &i64) -> String {
        match *octets {
            n if n < 1024 => format!("{n} B"),
            n if n < 1024 * 1024 => format!("{:.1} KB", n as f64 / 1024.0),
            n => format!("{:.1} MB", n as f64 / (1024.0 * 1024.0)),
        }
    }

    /// A time span for people.
    #[expect(clippy::cast_precision_loss, reason = "a time span for people has two digits")]
    pub(in crate::web) fn duration(&self, millis: &i64) -> String {
        match *millis {
            n if n < 1000 => format!("{n} ms"),
            n if n < 60_000 => format!("{:.1} s", n as f64 / 1000.0),
            n => format!("{} min", n / 60_000),
        }
    }

    /// The word for an outcome, a reason or a stage of an SMTP session; the name itself where the catalogue has none.
    pub(in crate::web) fn smtp(&self, kind: &str, name: &str) -> String {
        self.language.find(&format!("smtp.{kind}_{name}")).map_or_else(|| name.to_owned(), str::to_owned)
    }

    /// A confidence between 0 and 1 in per cent.
    pub(in crate::web) fn percent(&self, share: &f64) -> String {
        format!("{:.0} %", share.clamp(0.0, 1.0) * 100.0)
    }

    /// An icon of the sprite.
    pub(in crate::web) fn icon(&self, name: &str) -> Safe<String> {
        debug_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        Safe(format!(r##"<svg class="icon" aria-hidden="true"><use href="#i-{name}"></use></svg>"##))
    }

    /// A time: readable as it stands, put into the reader's zone and language by the script. `form` is `full`, `short`, `date`, or
    /// `utc-date` for what is a day by UTC.
    pub(in crate::web) fn time(&self, time: &Timestamp, form: &str) -> Safe<String> {
        let plain = time.0.format(if form.ends_with("date") { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M UTC" });
        Safe(format!(r#"<time datetime="{}" data-form="{form}">{plain}</time>"#, time.rfc3339()))
    }

    /// The hidden field that every form has.
    pub(in crate::web) fn csrf_field(&self) -> Safe<String> {
        Safe(format!(r#"<input type="hidden" name="csrf" value="{}">"#, self.csrf))
    }

    /// The address of a file of `static/`, which changes with its content.
    pub(in crate::web) fn asset(&self, path: &str) -> String {
        assets::url(path)
    }

    /// The address of this side's first page, below which all its others are.
    pub(in crate::web) fn home(&self) -> &'static str {
        self.side.home()
    }

    /// Whether this is a page of the portal.
    pub(in crate::web) fn is_portal(&self) -> bool {
        self.side == Side::Portal
    }

    /// Whether the reader may see more than one mailbox.
    pub(in crate::web) fn sees_several(&self) -> bool {
        self.navigation.len() > 1
    }

    /// Whether an entry of the navigation counts arrivals.
    pub(in crate::web) fn counts_arrivals(&self, entry: &NavEntry) -> bool {
        entry.section == Section::Messages
    }

    /// The navigation.
    pub(in crate::web) fn navigation(&self) -> &'static [NavEntry] {
        self.navigation
    }

    /// Those of the navigation that have a place of their own on a phone, too.
    pub(in crate::web) fn daily(&self) -> &'static [NavEntry] {
        self.navigation.split_at(DAILY.min(self.navigation.len())).0
    }

    /// The others, which are in the menu on a phone.
    pub(in crate::web) fn occasional(&self) -> &'static [NavEntry] {
        self.navigation.split_at(DAILY.min(self.navigation.len())).1
    }

    /// Whether the page is one of the others.
    pub(in crate::web) fn is_occasional(&self) -> bool {
        self.occasional().iter().any(|entry| entry.section == self.section)
    }

    /// The themes.
    pub(in crate::web) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }

    /// The languages.
    pub(in crate::web) fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    /// What was just done, where the catalogue knows it.
    pub(in crate::web) fn done_text(&self) -> Option<&'static str> {
        let key = format!("done.{}", self.done.as_deref()?);
        self.language.find(&key)
    }

    /// The first letter of a name, and which of eight colours it has.
    pub(in crate::web) fn initial(&self, name: &str) -> String {
        name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect())
    }

    /// One of eight colours for a name, the same each time.
    pub(in crate::web) fn hue(&self, name: &str) -> u32 {
        name.bytes().fold(7_u32, |hash, b| hash.wrapping_mul(31).wrapping_add(u32::from(b))) % 8
    }
}

/// A text as one segment of a path or one value of a query (RFC 3986 section 2.3).
pub(in crate::web) fn encode(text: impl std::fmt::Display) -> String {
    let mut encoded = String::new();
    for byte in text.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_an_address_cannot_leave_its_place() {
        for (given, encoded) in [
            ("a+b@example.org", "a%2Bb@example.org"),
            ("a/../b?c#d", "a%2F..%2Fb%3Fc%23d"),
            ("\"a b\"", "%22a%20b%22"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(encode(given), encoded);
        }
    }
}
