//! The panel's protection: sessions, forms, what another site may do, and what a message may do. What people see is walked
//! through with a real browser by `tests/browser/run`.

use pillarbox::config::RawConfig;

use super::harness::rest::{Answer, Rest};
use super::harness::server::Server;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A browser: keeps its cookies and sends forms with the token of the page before.
pub(crate) struct Browser {
    pub(crate) server: Rest,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) token: String,
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Self { server: server.stranger(), cookies: Vec::new(), token: String::new() }
    }

    pub(crate) async fn signed_in(server: &Server) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.sign_in("ada", PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser.get("/admin").await;
        browser
    }

    pub(crate) async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.get("/admin/login").await;
        self.post("/admin/login", &[("username", username), ("password", password)]).await
    }

    pub(crate) fn rest(&self) -> Rest {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.server.header("Cookie", &cookies.join("; "))
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.rest().send("GET", path, None).await;
        self.keep(&answer);
        answer
    }

    /// Sends a form as one of our pages does.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form(&[fields, &[("csrf", &self.token)]].concat());
        let answer = self.rest().send("POST", path, Some(("application/x-www-form-urlencoded", body))).await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if let Some((_, rest)) = answer.text().split_once(r#"name="csrf" value=""#) {
            rest.split('"').next().unwrap().clone_into(&mut self.token);
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

pub(crate) async fn server() -> Server {
    server_with(RawConfig::default()).await
}

pub(crate) async fn server_with(settings: RawConfig) -> Server {
    let (name, password) = (Some("ada".to_owned()), Some(PASSWORD.to_owned()));
    Server::start_with(RawConfig { admin_username: name, admin_password: password, ..settings }).await
}

/// The routes that change something, as the router has them, with something in place of each parameter.
fn routes(method: &str) -> Vec<String> {
    routes_in(include_str!("../web/mod.rs"), method)
}

pub(crate) fn routes_in(source: &str, method: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in source.lines().filter(|line| line.trim_start().starts_with(".route(") && line.contains(&format!("{method}("))) {
        let path = line.split('"').nth(1).unwrap();
        let filled: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        found.push(filled.join("/"));
    }
    found
}

#[tokio::test]
async fn signing_in_makes_a_new_session_that_scripts_and_other_sites_do_not_get() {
    let server = server().await;
    let mut browser = Browser::new(&server);
    browser.cookies.push(("pillarbox_session".to_owned(), "a".repeat(43)));
    let answer = browser.sign_in("ada", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin"));
    let cookies = answer.headers.get_all("set-cookie");
    let set = cookies.into_iter().find(|c| c.as_bytes().starts_with(b"pillarbox_session=")).unwrap().to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let own = browser.cookie("pillarbox_session").unwrap();
    assert!(own.len() >= 43 && own != "a".repeat(43));
    assert_eq!(browser.get("/admin").await.status, 200);
    browser.cookies = vec![("pillarbox_session".to_owned(), "a".repeat(43))];
    assert_eq!(browser.get("/admin").await.status, 303);
}

#[tokio::test]
async fn under_https_the_cookies_are_bound_to_the_host() {
    let server = server_with(RawConfig { public_url: Some("https://mail.example.org".to_owned()), ..RawConfig::default() }).await;
    let mut browser = Browser::new(&server);
    let answer = browser.sign_in("ada", PASSWORD).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").into_iter().map(|c| c.to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().any(|c| c.starts_with("__Host-pillarbox=") && c.contains("Secure")), "{cookies:?}");
    assert!(cookies.iter().all(|c| c.contains("Secure")), "{cookies:?}");
}

#[tokio::test]
async fn nobody_sees_a_page_without_a_session() {
    let server = server().await;
    let pages = routes("get");
    assert!(pages.len() >= 15, "{pages:?}");
    for path in pages {
        let answer = server.stranger().send("GET", &path, None).await;
        match path.as_str() {
            "/setup" => assert_eq!(answer.status, 410),
            "/admin/login" => assert_eq!(answer.status, 200),
            "/admin/x" => assert_eq!(answer.status, 404),
            path if path.starts_with("/static/") => assert_eq!(answer.status, 404),
            path if path.contains("/x") && answer.status == 404 => panic!("{path}"),
            _ => {
                let to_sign_in = answer.header("location").starts_with("/admin/login?next=");
                assert!(answer.status == 303 && to_sign_in, "{path}: {answer:?}");
            }
        }
    }
    let stream = server.stranger().header("Accept", "text/event-stream").send("GET", "/admin/live", None).await;
    assert_eq!(stream.status, 401);
}

#[tokio::test]
async fn nothing_is_changed_by_a_request_that_no_page_of_ours_made() {
    let server = server().await;
    let browser = Browser::signed_in(&server).await;
    let fields = |token: &str| form(&[("name", "forged.example"), ("username", "eve"), ("confirm", "yes"), ("csrf", token)]);
    let good = "application/x-www-form-urlencoded";
    let stale = format!("{}{}", &browser.token[..browser.token.len() - 1], if browser.token.ends_with('0') { '1' } else { '0' });
    let changing = routes("post");
    assert!(changing.len() >= 18, "{changing:?}");
    for path in &changing {
        for (what, header, kind, token) in [
            ("no token", None, good, ""),
            ("another token", None, good, stale.as_str()),
            ("another site", Some(("Sec-Fetch-Site", "cross-site")), good, browser.token.as_str()),
            ("a neighbour", Some(("Sec-Fetch-Site", "same-site")), good, browser.token.as_str()),
            ("another origin", Some(("Origin", "http://evil.example")), good, browser.token.as_str()),
            ("a body of another type", None, "text/plain", browser.token.as_str()),
        ] {
            let rest = header.map_or_else(|| browser.rest(), |(name, value)| browser.rest().header(name, value));
            let answer = rest.send("POST", path, Some((kind, fields(token)))).await;
            assert_eq!(answer.status, 403, "{path}: {what}");
        }
        // Another method that some frameworks would take for a POST.
        let overridden = browser.rest().header("X-HTTP-Method-Override", "POST").send("GET", path, None).await;
        assert_ne!(overridden.status, 500, "{path}");
    }
    let domains = server.rest.all("/domains", 50).await;
    assert_eq!(domains.len(), 1, "{domains:?}");
    assert_eq!(browser.rest().send("GET", "/admin", None).await.status, 200, "the session is still there");
}

#[tokio::test]
async fn a_stranger_s_token_does_not_fit_a_session() {
    let server = server().await;
    let mut stranger = Browser::new(&server);
    stranger.get("/admin/login").await;
    let mut browser = Browser::signed_in(&server).await;
    // Planted by somebody who can set a cookie, but not read one.
    browser.cookies.extend(stranger.cookies.clone());
    let own = std::mem::replace(&mut browser.token, stranger.token);
    assert_eq!(browser.post("/admin/domains", &[("name", "forged.example")]).await.status, 403);
    browser.token = own;
    assert_eq!(browser.post("/admin/domains", &[("name", "made.example")]).await.status, 303);
}

#[tokio::test]
async fn after_signing_in_one_stays_on_this_site() {
    let server = server().await;
    for next in ["//evil.example", "/\\evil.example", "https:evil.example", "%2f%2fevil.example", "javascript:alert(1)"] {
        let mut browser = Browser::new(&server);
        browser.get("/admin/login").await;
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/admin/login", &fields).await.header("location"), "/admin", "{next}");
    }
}

#[tokio::test]
async fn wrong_passwords_are_told_alike_and_slowed_down() {
    let server = server().await;
    let mut browser = Browser::new(&server);
    let words = |answer: &Answer| {
        answer.text().split_once(r#"role="alert">"#).map(|(_, rest)| rest.split('<').next().unwrap().to_owned())
    };
    let known = browser.sign_in("ada", "wrong").await;
    let unknown = browser.sign_in("nobody", "wrong").await;
    assert_eq!((known.status, words(&known)), (unknown.status, words(&unknown)));
    assert_eq!(known.status, 401);
    assert!(words(&known).is_some());
    let mut last = known;
    for _ in 0..12 {
        last = browser.sign_in("ada", "wrong").await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    // A forged address makes no difference.
    browser.server = browser.server.header("X-Forwarded-For", "198.51.100.1");
    assert_eq!(browser.sign_in("ada", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_session_ends_at_once_when_one_signs_out_or_the_password_changes() {
    let server = server().await;
    let (mut first, mut second) = (Browser::signed_in(&server).await, Browser::signed_in(&server).await);
    first.get("/admin/account").await;
    let wrong = first.post("/admin/account", &[("old_password", "not it"), ("new_password", "another good one")]).await;
    assert_eq!(wrong.status, 400);
    let short = first.post("/admin/account", &[("old_password", PASSWORD), ("new_password", "short")]).await;
    assert_eq!(short.status, 400);
    assert_eq!(second.get("/admin").await.status, 200);
    first.post("/admin/account", &[("old_password", PASSWORD), ("new_password", "another good one")]).await;
    assert_eq!(second.get("/admin").await.status, 303);
    let before = first.cookies.clone();
    assert_eq!(first.get("/admin").await.status, 200);
    assert_eq!(first.post("/admin/logout", &[]).await.status, 303);
    first.cookies = before;
    assert_eq!(first.get("/admin").await.status, 303);
}

#[tokio::test]
async fn the_setup_page_is_dead_once_there_is_an_administrator() {
    let server = server().await;
    let mut browser = Browser::new(&server);
    browser.get("/admin/login").await;
    for token in ["", "x", &"a".repeat(43)] {
        assert_eq!(browser.get(&format!("/setup?token={token}")).await.status, 410);
        browser.get("/admin/login").await;
        let fields = [("token", token), ("username", "eve"), ("password", "a long enough password")];
        assert_eq!(browser.post("/setup", &fields).await.status, 410);
    }
    assert_eq!(browser.sign_in("eve", "a long enough password").await.status, 401);
}

#[tokio::test]
async fn every_answer_is_strict_errors_too() {
    let server = server().await;
    let browser = Browser::signed_in(&server).await;
    for path in
        ["/", "/admin", "/admin/login", "/admin/nothing", "/admin/messages/x", "/static/nothing", "/static/app.css", "/setup"]
    {
        let answer = browser.rest().send("GET", path, None).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        if !path.starts_with("/static/app") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
    let traversal = browser.rest().send("GET", "/static/%2e%2e/Cargo.toml", None).await;
    assert_eq!(traversal.status, 404);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_told_and_breaks_nothing() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server).await;
    for (path, status) in [
        ("/admin/messages?cursor=nonsense", 400),
        ("/admin/messages?show=nonsense", 400),
        ("/admin/mailboxes?state=nonsense", 400),
        ("/admin/mailboxes?domain=not+a+domain", 400),
        ("/admin/mailboxes/nobody@example.org", 404),
        ("/admin/mailboxes/%00", 404),
        ("/admin/messages/00000000-0000-0000-0000-000000000000", 404),
        ("/admin/messages/..%2f..%2fetc", 404),
        ("/admin/audit-log?cursor=nonsense", 400),
    ] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    for (fields, named) in [
        (vec![("address", "two words"), ("domain", "example.org")], "error-address"),
        (vec![("address", "a@elsewhere.example"), ("domain", "example.org")], "role=\"alert\""),
    ] {
        browser.get("/admin/mailboxes").await;
        let answer = browser.post("/admin/mailboxes", &fields).await;
        assert!((400..500).contains(&answer.status), "{fields:?}");
        assert!(answer.text().contains(named), "{fields:?}");
        assert!(answer.text().contains(fields[0].1), "the form keeps {fields:?}");
    }
    let huge = form(&[("csrf", &browser.token), ("note", &"x".repeat(300_000))]);
    let answer = browser.rest().send("POST", "/admin/mailboxes", Some(("application/x-www-form-urlencoded", huge))).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_message_s_html_is_inert_in_its_frame_and_outside() {
    let server = server().await;
    server.mailbox("alice@example.org").await;
    let html = "<script>alert(1)</script><img src=x onerror=alert(2)><a href=\"javascript:alert(3)\">x</a><p>the end</p>";
    let message = format!(
        "From: eve@example.net\r\nSubject: <script>alert(4)</script>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: text/html; name=\"page.html\"\r\nContent-Disposition: attachment; filename=\"../page.html\"\r\n\r\n{html}\r\n--b--\r\n"
    );
    server.mail(&["alice@example.org"], message).await;
    let mut browser = Browser::signed_in(&server).await;
    let list = browser.get("/admin/mailboxes/alice@example.org").await.text();
    assert!(list.contains("&#60;script&#62;alert(4)") && !list.contains("<script>alert"), "{list}");
    let path = list.split("href=\"/admin/messages/").nth(1).unwrap().split(['?', '"']).next().unwrap().to_owned();
    let page = browser.get(&format!("/admin/messages/{path}")).await.text();
    assert!(page.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\"") && !page.contains("alert(1)"));
    let frame = browser.get(&format!("/admin/messages/{path}/html")).await;
    let policy = frame.header("content-security-policy").to_owned();
    assert!(policy.starts_with("sandbox ") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");
    let shown = frame.text();
    assert!(shown.contains("the end"));
    for bad in ["<script", "onerror", "javascript:"] {
        assert!(!shown.contains(bad), "{bad}: {shown}");
    }
    let file = browser.get(&format!("/admin/messages/{path}/attachments/0")).await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"page.html\""), "{file:?}");
    let raw = browser.get(&format!("/admin/messages/{path}/raw")).await;
    assert!(raw.header("content-type").starts_with("text/plain") && raw.header("content-security-policy").starts_with("sandbox"));
}

#[tokio::test]
async fn a_link_from_another_site_is_asked_for_once_more_from_here() {
    let server = server().await;
    let away = server.stranger().header("Sec-Fetch-Site", "cross-site");
    let answer = away.send("GET", "/admin/messages?show=unread&x=%22%3E", None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("url=/admin/messages?show=unread&amp;x=%22%3E\""), "{}", answer.text());
    // From here, and still without a session: the sign-in page.
    let here = server.stranger().header("Sec-Fetch-Site", "same-origin");
    assert_eq!(here.send("GET", "/admin/messages", None).await.status, 303);
}
