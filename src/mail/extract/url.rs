//! Web addresses: where they are in a text, their host, and what their path says.

use crate::mail::extract::types::LinkKind;

/// The longest address that is kept, in octets.
const MAX_URL: usize = 2048;

/// Whether an address is one of the web and of bearable length.
pub(super) fn is_web(url: &str) -> bool {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    (starts("https://") || starts("http://")) && url.len() <= MAX_URL && !url.contains(char::is_whitespace)
}

/// Where the addresses in a text are.
pub(super) fn find(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
        let before = text.get(..at).unwrap_or_default();
        let scheme = before.bytes().rev().take(6).take_while(u8::is_ascii_alphabetic).count();
        let start = at - scheme;
        let end = start + length(text.get(start..).unwrap_or_default());
        let overlaps = found.last().is_some_and(|(_, last)| start < *last);
        if !overlaps && end > at + 3 && text.get(start..end).is_some_and(is_web) && found.len() < 512 {
            found.push((start, end));
        }
    }
    found
}

/// How far an address goes: to white space, quotes, brackets or another script; closing punctuation is not part of it.
fn length(text: &str) -> usize {
    let end = text
        .bytes()
        .take(MAX_URL + 1)
        .position(|b| !b.is_ascii_graphic() || matches!(b, b'<' | b'>' | b'"' | b'`' | b'|' | b'\\'));
    let mut url = text.get(..end.unwrap_or(text.len().min(MAX_URL + 1))).unwrap_or_default();
    loop {
        let closes = |open: char, close: char| url.ends_with(close) && !url.contains(open);
        if url.ends_with(['.', ',', ';', ':', '!', '?', '\'', '*', '_'])
            || closes('(', ')')
            || closes('[', ']')
            || closes('{', '}')
        {
            url = url.get(..url.len() - 1).unwrap_or_default();
        } else {
            return url.len();
        }
    }
}

/// The host of an address, lower case, without user and port.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// The domain that someone registered, near enough: the last two labels, or three below the likes of `co.uk`.
pub(super) fn registered(host: &str) -> String {
    const SECOND: [&str; 9] = ["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne"];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.rsplit('.').take(3).collect();
    let taken = match labels.as_slice() {
        [country, second, _] if country.len() == 2 && SECOND.contains(second) => 3,
        _ => 2,
    };
    labels.into_iter().take(taken).rev().collect::<Vec<_>>().join(".")
}

/// What an address says of its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sign of its own")]
pub(super) struct Signs {
    pub(super) kind: Option<LinkKind>,
    /// It has a long random part or a parameter for one.
    pub(super) token: bool,
    /// It has a long random part.
    pub(super) random: bool,
    /// It says no: the request is refused or reported.
    pub(super) refusal: bool,
    /// It says that it is for something else.
    pub(super) other: bool,
    /// It ends in a short part with a digit, below another part: `/r/8`. That may be for one recipient, or not.
    pub(super) short: bool,
    /// It has neither path nor query.
    pub(super) bare: bool,
}

/// Words in addresses: English nearly everywhere, and the commonest of other languages as they are spelt in paths.
const VERIFY: &[&str] = &[
    "verify",
    "verification",
    "verifyemail",
    "confirm",
    "confirmation",
    "activate",
    "activation",
    "validate",
    "validation",
    "optin",
    "doi",
    "approve",
    "enroll",
    "enrol",
    "verifier",
    "verifica",
    "verificar",
    "verificare",
    "verifizieren",
    "bestaetigen",
    "bestaetigung",
    "confirmar",
    "confirmer",
    "conferma",
    "confirma",
    "konfirmasi",
    "bevestig",
    "bevestigen",
    "potwierdz",
    "potwierdzenie",
    "potvrdit",
    "potvrdi",
    "potvardi",
    "potvrzeni",
    "podtverdit",
    "podtverzhdenie",
    "pidtverdyty",
    "bekrafta",
    "bekreft",
    "bekraeft",
    "vahvista",
    "megerosites",
    "onay",
    "onayla",
    "dogrula",
    "xac-nhan",
    "xac-minh",
    "kich-hoat",
    "aktivace",
    "aktiv",
    "aktivieren",
    "aktivieren",
    "activar",
    "activer",
    "activation",
    "attiva",
    "ativar",
    "aktywuj",
    "aktywacja",
    "aktivera",
    "aktiver",
    "aktivasi",
    "energopoiisi",
    "epivevaiosi",
    "thibitisha",
    "tasdiq",
    "freischalten",
    "subscribe",
    "godkann",
    "autorizar",
    "autoriser",
    "authorize",
    "authorise",
];
const RESET: &[&str] = &[
    "reset",
    "resetpassword",
    "passwordreset",
    "password",
    "recover",
    "recovery",
    "forgot",
    "pwreset",
    "pwd",
    "unlock",
    "kennwort",
    "passwort",
    "senha",
    "clave",
    "contrasena",
    "motdepasse",
    "reinitialiser",
    "haslo",
    "heslo",
    "parol",
    "sifre",
    "wachtwoord",
    "losenord",
    "passord",
    "adgangskode",
    "kodikos",
    "sandi",
    "salasana",
    "parola",
    "lozinka",
    "mat-khau",
    "setpassword",
    "newpassword",
];
const SIGN_IN: &[&str] = &[
    "login",
    "signin",
    "magic",
    "magiclink",
    "auth",
    "sso",
    "passwordless",
    "session",
    "authenticate",
    "connexion",
    "anmelden",
    "anmeldung",
    "inloggen",
    "logowanie",
    "prihlaseni",
    "giris",
    "oturum",
    "acceso",
    "accesso",
    "entrar",
    "masuk",
    "vhod",
    "pair",
    "link-device",
    "device",
    "devices",
    "tv",
];
const INVITE: &[&str] = &[
    "invite",
    "invitation",
    "invitations",
    "invites",
    "join",
    "accept",
    "einladung",
    "invitacion",
    "convite",
    "invito",
    "uitnodiging",
    "zaproszenie",
    "pozvanka",
    "priglashenie",
    "zaproshennya",
    "davet",
    "inbjudan",
    "invitasjon",
    "undangan",
    "meghivo",
    "kutsu",
    "invitatie",
];
const OTHER: &[&str] = &[
    "unsubscribe",
    "optout",
    "unsub",
    "preferences",
    "prefs",
    "settings",
    "privacy",
    "terms",
    "legal",
    "help",
    "support",
    "faq",
    "about",
    "contact",
    "blog",
    "news",
    "track",
    "tracking",
    "order",
    "orders",
    "invoice",
    "invoices",
    "receipt",
    "receipts",
    "shop",
    "store",
    "app",
    "apps",
    "download",
    "downloads",
    "logo",
    "img",
    "image",
    "images",
    "assets",
    "static",
    "pixel",
    "share",
    "file",
    "files",
    "document",
    "docs",
    "doc",
    "rsvp",
    "meeting",
    "meet",
    "calendar",
    "event",
    "events",
    "checkin",
    "booking",
    "bookings",
    "survey",
    "feedback",
    "review",
    "report",
    "abuse",
    "webinar",
    "imprint",
    "impressum",
    "view",
    "browser",
    "statement",
    "ticket",
    "tickets",
    "delivery",
    "sale",
    "offers",
    "products",
    "secure",
    "coupon",
    "pull",
    "issues",
    "changelog",
    "jobs",
    "archive",
    "map",
    "abmelden",
    "desabonnement",
    "odhlasit",
    "odjava",
    "baja",
    "disiscrizione",
    "afmelden",
    "wypisz",
    "otpiska",
    "avregistrera",
    "diagrafi",
    "iptal",
    "abonelik",
];
const REFUSAL: &[&str] = &[
    "no",
    "nein",
    "non",
    "nee",
    "nie",
    "nej",
    "ne",
    "notme",
    "cancel",
    "deny",
    "reject",
    "decline",
    "block",
    "revoke",
    "disavow",
    "stop",
    "abuse",
    "engelle",
    "report",
    "ben-degilim",
    "accountdisavow",
    "undo",
    "remove",
    "rm",
    "lock",
    "freeze",
    "fraud",
];
const TOKENS: &[&str] = &[
    "token",
    "code",
    "key",
    "t",
    "k",
    "hash",
    "sig",
    "signature",
    "otp",
    "uid",
    "nonce",
    "oobcode",
    "c",
    "v",
    "id",
    "tok",
    "h",
    "s",
    "rid",
    "inv",
    "m",
    "n",
    "a",
    "x",
    "ticket",
    "user_code",
    "kod",
    "anahtar",
    "ma",
    "kode",
];

/// Reads the signs in an address.
pub(super) fn signs(url: &str) -> Signs {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (_, tail) = rest.split_at(at);
    let lower = tail.to_ascii_lowercase();
    let (path, query) = lower.split_once(['?', '#']).unwrap_or((&lower, ""));
    let words: Vec<&str> = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).take(32).collect();
    let names: Vec<&str> = query.split(['&', ';']).filter_map(|pair| pair.split('=').next()).take(32).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let values = query.split(['&', ';']).filter_map(|pair| pair.split_once('='));
    let marks: Vec<&str> = query.split(['&', ';', '=']).take(32).collect();
    let query_has = |list: &[&str]| marks.iter().any(|word| list.contains(word));
    let kind = if has(RESET) && !has(VERIFY) {
        Some(LinkKind::Reset)
    } else if has(VERIFY) || query_has(&["verify", "confirm", "activate", "verifyemail"]) {
        Some(LinkKind::Verify)
    } else if has(INVITE) {
        Some(LinkKind::Invite)
    } else if has(SIGN_IN) {
        Some(LinkKind::SignIn)
    } else if query_has(&["reset", "resetpassword"]) {
        Some(LinkKind::Reset)
    } else {
        None
    };
    let carries = values.into_iter().any(|(name, value)| TOKENS.contains(&name) && value.len() >= 4) || names.contains(&"token");
    Signs {
        kind,
        token: carries || path.split('/').any(is_mixed),
        random: path.split('/').any(is_random) || query.split(['&', '=', '/']).any(is_random),
        refusal: has(REFUSAL) || marks.iter().any(|mark| matches!(*mark, "no" | "deny" | "reject" | "cancel" | "nein")),
        other: has(OTHER) || has_media_ending(path),
        short: ends_short(path, query),
        bare: words.is_empty() && query.is_empty(),
    }
}

/// Whether an address is that of a meeting: a host for meetings, or a path with nothing but a long number.
pub(super) fn is_meeting(link: &str) -> bool {
    let host = host(link);
    let labels = ["meet", "meeting", "meetings", "conf", "conference", "webinar", "video", "call", "join"];
    host.split(['.', '-']).any(|label| labels.contains(&label)) || link.contains("/j/") || link.contains("/meet")
}

fn ends_short(path: &str, query: &str) -> bool {
    let short = |part: &str| (1..=7).contains(&part.len()) && part.bytes().any(|b| b.is_ascii_digit());
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or_default();
    (short(last) && parts.next().is_some())
        || query.split(['&', ';']).filter_map(|pair| pair.split_once('=')).any(|(_, value)| short(value))
}

/// How many characters of an address could not be guessed: the longest part of it with digits among letters, or of
/// digits enough.
pub(super) fn secret(url: &str) -> usize {
    let rest = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, rest)| rest);
    let parts = rest.split(['/', '?', '&', '=', '#', '.', '-']).take(64);
    parts.filter(|part| part.bytes().any(|b| b.is_ascii_digit()) || has_wild_case(part)).map(str::len).max().unwrap_or(0)
}

/// Capitals after small letters, more than once: no word is written like that.
fn has_wild_case(part: &str) -> bool {
    part.as_bytes().windows(2).filter(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase())).count() >= 2
}

/// Long, and not made of words: at least ten characters with digits among letters.
fn is_random(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let letters = segment.bytes().filter(u8::is_ascii_alphabetic).count();
    segment.len() >= 8 && digits >= 2 && (letters >= 2 || segment.len() >= 16)
}

/// A part of a path that is no word: letters and digits mixed, or digits enough.
fn is_mixed(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let letters = segment.bytes().filter(u8::is_ascii_alphabetic).count();
    segment.len() >= 4 && ((digits >= 1 && letters >= 2) || digits >= 6)
}

fn has_media_ending(path: &str) -> bool {
    [".png", ".jpg", ".jpeg", ".gif", ".pdf", ".svg", ".ics", ".css", ".webp"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_where_a_reader_would_end_them() {
        let table = [
            ("Go to https://example.org/a?b=c.", "https://example.org/a?b=c"),
            ("(see https://example.org/x)", "https://example.org/x"),
            ("<https://example.org/a_(b)>", "https://example.org/a_(b)"),
            ("请点击https://example.org/v?t=1完成", "https://example.org/v?t=1"),
            ("\"HTTPS://EXAMPLE.ORG/\"", "HTTPS://EXAMPLE.ORG/"),
        ];
        for (text, expected) in table {
            let found: Vec<&str> = find(text).into_iter().filter_map(|(start, end)| text.get(start..end)).collect();
            assert_eq!(found, [expected], "{text}");
        }
    }

    #[test]
    fn hosts_are_compared_by_what_someone_registered() {
        assert_eq!(registered(&host("https://user@Click.Mail.example.org:8443/x")), "example.org");
        assert_eq!(registered("a.b.example.co.uk"), "example.co.uk");
    }

    #[test]
    fn paths_tell_what_a_link_is_for() {
        assert_eq!(signs("https://example.org/verify?token=abcd").kind, Some(LinkKind::Verify));
        assert_eq!(signs("https://example.org/password/reset/a8f7d6e5c4").kind, Some(LinkKind::Reset));
        assert!(signs("https://example.org/u/unsubscribe").other);
        assert!(signs("https://example.org/").bare);
    }
}
