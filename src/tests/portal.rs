//! The portal: the links and forms that sign in, that each holder sees its own mailboxes and nothing else, and that a session
//! ends when what it stands on does.

use std::time::Duration;

use pillarbox::config::RawConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::server::{Server, note};
use crate::panel::{self, Browser, form, routes_in};
use crate::users::user;

const FORM: &str = "application/x-www-form-urlencoded";

/// Anna owns `mine`, and is with Bert a member of `ours`; `theirs` is Bert's. Each has a message.
struct House {
    server: Server,
    anna: String,
    anna_token: String,
    password: String,
    link: String,
    link_id: String,
}

impl House {
    async fn build() -> Self {
        Self::on(panel::server().await).await
    }

    async fn on(server: Server) -> Self {
        let (anna, anna_token) = user(&server, "Anna").await;
        let (bert, _) = user(&server, "Bert").await;
        let made = server.rest.post("/mailboxes", json!({ "address": "mine@example.org" })).await.data();
        let password = made["password"].as_str().unwrap().to_owned();
        server.mailbox("ours@example.org").await;
        server.mailbox("theirs@example.org").await;
        let put = async |path: &str, body: Value| server.rest.request("PUT", path, Some(body)).await.data();
        put("/mailboxes/mine@example.org/owner", json!({ "user_id": anna })).await;
        put("/mailboxes/theirs@example.org/owner", json!({ "user_id": bert })).await;
        put("/mailboxes/ours@example.org/shared", json!({ "is_shared": true })).await;
        for id in [&anna, &bert] {
            put(&format!("/mailboxes/ours@example.org/members/{id}"), json!({})).await;
        }
        for name in ["mine", "ours", "theirs"] {
            let text = format!("The secret of {name}: your verification code is 482913.");
            server.mail(&[&format!("{name}@example.org")], note(&format!("Letter for {name}"), &text)).await;
        }
        let made = server.rest.post("/mailboxes/mine@example.org/access-links", json!({})).await.data();
        let link = made["url"].as_str().unwrap().split_once("link=").unwrap().1.to_owned();
        let link_id = made["access_link"]["id"].as_str().unwrap().to_owned();
        Self { server, anna, anna_token, password, link, link_id }
    }

    async fn user(&self) -> Browser {
        self.by_link(&format!("/?key={}", self.anna_token)).await
    }

    async fn link(&self) -> Browser {
        self.by_link(&format!("/?link={}", self.link)).await
    }

    async fn by_link(&self, link: &str) -> Browser {
        let mut browser = Browser::new(&self.server);
        let answer = browser.get(link).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/portal"), "{answer}");
        browser
    }

    async fn mailbox(&self) -> Browser {
        let mut browser = Browser::new(&self.server);
        let answer = enter(&mut browser, "mine@example.org", &self.password).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/portal"), "{answer}");
        browser
    }

    async fn holders(&self) -> Vec<(&'static str, Browser)> {
        vec![("a user", self.user().await), ("a mailbox", self.mailbox().await), ("a link", self.link().await)]
    }

    async fn message(&self, address: &str) -> String {
        self.server.newest(address).await["id"].as_str().unwrap().to_owned()
    }
}

async fn enter(browser: &mut Browser, address: &str, password: &str) -> crate::harness::rest::Answer {
    browser.get("/portal/login").await;
    browser.post("/portal/login", &[("address", address), ("password", password)]).await
}

/// Whether the holder's session is good, as its browser finds out.
async fn is_in(browser: &mut Browser) -> bool {
    let answer = browser.get("/portal/messages").await;
    match answer.status {
        200 => true,
        303 if answer.header("location").starts_with("/portal/login") => false,
        _ => panic!("{answer}"),
    }
}

#[tokio::test]
async fn a_link_signs_in_and_its_token_leaves_the_address() {
    let house = House::build().await;
    for link in [format!("/?key={}", house.anna_token), format!("/?link={}", house.link)] {
        let mut browser = Browser::new(&house.server);
        let answer = browser.get(&link).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/portal"), "{answer}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").into_iter().map(|c| c.to_str().unwrap()).collect();
        let set = cookies.iter().find(|cookie| cookie.starts_with("pillarbox_portal=")).unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains(&house.anna_token) && !set.contains(&house.link), "{set}");
        assert!(is_in(&mut browser).await);
        assert_eq!(browser.get("/").await.header("location"), "/portal");
        assert_eq!(browser.get("/admin").await.status, 303, "a holder is no administrator");
    }
}

#[tokio::test]
async fn under_https_the_cookie_is_bound_to_the_host() {
    let settings = RawConfig { public_url: Some("https://mail.example.org".to_owned()), ..RawConfig::default() };
    let house = House::on(panel::server_with(settings).await).await;
    let answer = house.server.stranger().send("GET", &format!("/?key={}", house.anna_token), None).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").into_iter().map(|c| c.to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().any(|c| c.starts_with("__Host-pillarbox_portal=") && c.contains("Secure")), "{cookies:?}");
}

#[tokio::test]
async fn a_token_that_is_not_good_is_told_calmly_and_slowed_down() {
    let house = House::build().await;
    let mut browser = Browser::new(&house.server);
    for link in ["/?key=xmail_user_nonsense", "/?link=nonsense"] {
        let answer = browser.get(link).await;
        assert_eq!(answer.status, 401, "{answer}");
        let page = answer.text();
        assert!(page.contains("role=\"alert\"") && page.contains("action=\"/portal/login\""), "{page}");
        assert!(page.contains("ask whoever gave it to you") && !page.contains("nonsense"), "{page}");
        assert!(browser.cookie("pillarbox_portal").is_none());
    }
    let mut last = browser.get("/?key=xmail_user_nonsense").await;
    for _ in 0..20 {
        last = browser.get("/?link=nonsense").await;
    }
    assert_eq!(last.status, 429, "{last}");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(browser.get(&format!("/?key={}", house.anna_token)).await.status, 429);
}

#[tokio::test]
async fn an_address_and_its_password_or_a_token_sign_in_and_wrong_ones_are_told_alike() {
    let house = House::build().await;
    let mut browser = Browser::new(&house.server);
    let words = |page: String| page.split_once("role=\"alert\">").map(|(_, rest)| rest.split('<').next().unwrap().to_owned());
    let wrong = enter(&mut browser, "mine@example.org", "wrong password").await;
    let unknown = enter(&mut browser, "nobody@example.org", "wrong password").await;
    let none = enter(&mut browser, "no address", "wrong password").await;
    assert_eq!((wrong.status, unknown.status, none.status), (401, 401, 401));
    let told = words(wrong.text());
    assert!(told.is_some());
    assert_eq!((&told, &told), (&words(unknown.text()), &words(none.text())));
    assert!(wrong.text().contains("value=\"mine@example.org\""), "the form keeps the address");
    let answer = enter(&mut browser, " Mine@Example.ORG ", &house.password).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/portal"), "{answer}");
    assert!(is_in(&mut browser).await);
    // Who is signed in has nothing to do at the form.
    let away = browser.get("/portal/login?next=/portal/messages").await;
    assert_eq!((away.status, away.header("location")), (303, "/portal/messages"));
    for token in
        [house.anna_token.clone(), format!("https://mail.example/?key={}", house.anna_token), format!("x/?link={}", house.link)]
    {
        let mut browser = Browser::new(&house.server);
        browser.get("/portal/login").await;
        let answer = browser.post("/portal/login", &[("token", &token), ("next", "//evil.example")]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/portal"), "{answer}");
        assert!(is_in(&mut browser).await, "{token}");
    }
}

#[tokio::test]
async fn another_spelling_of_an_address_is_the_same_account_to_the_throttle() {
    let house = House::build().await;
    let mut browser = Browser::new(&house.server);
    let mut statuses = Vec::new();
    for spelled in [
        "mine@example.org",
        "\"mine\"@example.org",
        "MINE@example.org",
        "mine@EXAMPLE.org",
        "\"Mine\"@example.org",
        "mine@example.org",
    ] {
        statuses.push(enter(&mut browser, spelled, "wrong password").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn each_holder_sees_its_own_and_nothing_else_is_there() {
    let house = House::build().await;
    let foreign = house.message("theirs@example.org").await;
    let own = house.message("mine@example.org").await;
    let made_up = uuid::Uuid::now_v7().to_string();
    for (who, mut browser) in house.holders().await {
        let sees = |text: &str| -> Vec<&str> {
            ["mine", "ours", "theirs"].into_iter().filter(|name| text.contains(&format!("Letter for {name}"))).collect()
        };
        let expected: &[&str] = if who == "a user" { &["mine", "ours"] } else { &["mine"] };
        assert_eq!(sees(&browser.get("/portal/messages").await.text()), expected, "{who}");
        assert_eq!(sees(&browser.get("/portal/messages?q=Letter").await.text()), expected, "{who} searches");
        let page = browser.get("/portal").await;
        if who == "a user" {
            let text = page.text();
            assert!(text.contains("mine@example.org") && text.contains("ours@example.org"), "{text}");
            assert!(!text.contains("theirs@example.org"), "{text}");
        } else {
            assert_eq!(page.header("location"), "/portal/mailboxes/mine@example.org", "{who}");
        }
        let list = browser.get("/portal/mailboxes/mine@example.org").await;
        assert!(list.status == 200 && list.text().contains("482913"), "{who}: {list}");
        let read = browser.get(&format!("/portal/messages/{own}")).await.text();
        assert!(read.contains("class=\"found-value\"") && read.contains("data-copy-code"), "{who}: {read}");
        // What is the panel's alone.
        assert!(!read.contains("/admin/") || read.contains("href=\"/static/"), "{who}");
        assert!(!read.contains("/admin/smtp-sessions") && !read.contains("/admin/mailboxes"), "{who}: {read}");
        for part in ["html", "raw", "raw?download=1"] {
            let answer = browser.get(&format!("/portal/messages/{own}/{part}")).await;
            assert!(answer.status == 200 && answer.header("content-security-policy").starts_with("sandbox"), "{who}: {answer}");
        }
        for id in [&foreign, &made_up] {
            for part in ["", "?view=raw", "/html", "/raw", "/raw?download=1", "/attachments/0"] {
                assert_eq!(browser.get(&format!("/portal/messages/{id}{part}")).await.status, 404, "{who}: {id}{part}");
            }
        }
        for address in ["theirs@example.org", "absent@example.org", "%00"] {
            for path in [format!("/portal/mailboxes/{address}"), format!("/portal/mailboxes/{address}/about")] {
                assert_eq!(browser.get(&path).await.status, 404, "{who}: {path}");
            }
            let beside = browser.get(&format!("/portal/messages/{own}?in={address}")).await;
            assert_eq!(beside.status, 404, "{who}: {address}");
        }
    }
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs_and_a_link_changes_nothing() {
    let house = House::build().await;
    let foreign = house.message("theirs@example.org").await;
    let own = house.message("mine@example.org").await;
    for (who, mut browser) in house.holders().await {
        browser.get("/portal/messages").await;
        let is_link = who == "a link";
        let refused = if is_link { 403 } else { 404 };
        for action in ["read", "unread", "star", "unstar", "release", "delete"] {
            let answer = browser.post(&format!("/portal/messages/{foreign}/{action}"), &[("confirm", "yes")]).await;
            assert_eq!(answer.status, refused, "{who}: {action}");
        }
        let answer = browser.post(&format!("/portal/messages/{own}/star"), &[]).await;
        assert_eq!(answer.status, if is_link { 403 } else { 303 }, "{who}");
        let page = browser.get(&format!("/portal/messages/{own}")).await.text();
        assert_eq!(page.contains("data-act=\"delete\""), !is_link, "{who}");
        assert!(page.contains("raw?download=1"), "{who}");
        for address in ["mine@example.org", "theirs@example.org"] {
            let answer = browser.post(&format!("/portal/mailboxes/{address}/password"), &[]).await;
            let expected = match (who, address) {
                ("a user", "mine@example.org") => 200,
                ("a user", _) => 404,
                _ => 403,
            };
            assert_eq!(answer.status, expected, "{who}: {address}");
            assert_eq!(answer.text().contains(&house.password), expected == 200, "{who}: {address}");
        }
        let answer = browser.post("/portal/mailboxes/theirs@example.org/trash", &[("confirm", "yes")]).await;
        assert_eq!(answer.status, 404, "{who}");
        if who != "a user" {
            let answer = browser.post("/portal/mailboxes/mine@example.org/trash", &[("confirm", "yes")]).await;
            assert_eq!(answer.status, 409, "{who}");
            let about = browser.get("/portal/mailboxes/mine@example.org/about").await.text();
            assert!(!about.contains("/password") && !about.contains("/trash"), "{who}: {about}");
        }
    }
    let message = house.server.newest("theirs@example.org").await;
    assert_eq!((&message["is_read"], &message["is_starred"]), (&json!(false), &json!(false)));
    let reveals = house.server.rest.all("/audit-log?action=mailbox.reveal_password", 10).await;
    let outcomes: Vec<_> = reveals.iter().filter(|row| row["outcome"] == "done").collect();
    assert_eq!(outcomes.len(), 1, "{reveals:?}");
    assert_eq!((&outcomes[0]["actor_kind"], &outcomes[0]["actor_name"]), (&json!("user"), &json!("Anna")));
}

#[tokio::test]
async fn marks_and_removal_are_the_panels() {
    let house = House::build().await;
    let own = house.message("mine@example.org").await;
    let mut browser = house.mailbox().await;
    browser.get("/portal/messages").await;
    let next = "/portal/mailboxes/mine@example.org";
    for (action, field, value) in [("read", "is_read", true), ("star", "is_starred", true), ("unread", "is_read", false)] {
        let answer = browser.post(&format!("/portal/messages/{own}/{action}"), &[("next", next)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, next));
        assert_eq!(house.server.newest("mine@example.org").await[field], value, "{action}");
    }
    let question = browser.post(&format!("/portal/messages/{own}/delete"), &[]).await;
    assert!(question.status == 200 && question.text().contains("id=\"confirm\""), "{question}");
    let done = browser.post(&format!("/portal/messages/{own}/delete"), &[("confirm", "yes")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/portal/messages?done=message_deleted"));
    assert_eq!(browser.get(&format!("/portal/messages/{own}")).await.status, 404);
    assert!(house.server.subjects("mine@example.org").await.is_empty());
}

#[tokio::test]
async fn what_the_operator_withholds_stays_withheld() {
    let house = House::build().await;
    house.server.rest.patch("/mailboxes/mine@example.org", json!({ "sender_policy": "aligned" })).await.data();
    let own = house.message("mine@example.org").await;
    for (who, mut browser) in house.holders().await {
        for path in
            ["/portal/mailboxes/mine@example.org".to_owned(), format!("/portal/messages/{own}?in=mine@example.org&view=headers")]
        {
            let page = browser.get(&path).await.text();
            assert!(!page.contains("482913"), "{who}: {path}: {page}");
        }
        let page = browser.get(&format!("/portal/messages/{own}")).await.text();
        assert!(page.contains("form-alert-warn") && !page.contains("found-value") && !page.contains("/settings"), "{who}");
    }
}

#[tokio::test]
async fn a_session_ends_at_once_with_what_it_stands_on() {
    let house = House::build().await;
    let server = &house.server;
    let mut link = house.link().await;
    assert!(is_in(&mut link).await);
    server.rest.delete(&format!("/mailboxes/mine@example.org/access-links/{}", house.link_id)).await.data();
    assert!(!is_in(&mut link).await, "the revoked link's session goes on");
    let again = link.get(&format!("/?link={}", house.link)).await;
    assert_eq!(again.status, 401);
    // A part of a page is sent to the sign-in page as a whole, a stream is refused.
    let part = link.rest().header("HX-Request", "true").send("GET", "/portal/messages", None).await;
    assert_eq!((part.status, part.header("hx-redirect")), (401, "/portal/login"));
    let stream = link.rest().header("Accept", "text/event-stream").send("GET", "/portal/live", None).await;
    assert_eq!(stream.status, 401);

    let mut mailbox = house.mailbox().await;
    server.rest.request("PUT", "/mailboxes/mine@example.org/password", Some(json!({}))).await.data();
    assert!(!is_in(&mut mailbox).await, "the old password's session goes on");

    let mut user = house.user().await;
    sqlx::query("update principals set token_expires_at = now() where kind = 'user'").execute(&server.db).await.unwrap();
    assert!(!is_in(&mut user).await, "the expired token's session goes on");
    sqlx::query("update principals set token_expires_at = null where kind = 'user'").execute(&server.db).await.unwrap();
    assert!(is_in(&mut user).await);
    let take = json!({ "user_id": null });
    server.rest.request("PUT", "/mailboxes/mine@example.org/owner", Some(take)).await.data();
    assert_eq!(user.get("/portal/mailboxes/mine@example.org").await.status, 404, "a mailbox that was taken away is read");
    assert_eq!(user.get("/portal/mailboxes/ours@example.org").await.status, 200);
    server.rest.patch(&format!("/users/{}", house.anna), json!({ "is_active": false })).await.data();
    assert!(!is_in(&mut user).await, "the disabled user's session goes on");
}

#[tokio::test]
async fn an_administrator_and_a_holder_share_a_browser() {
    let house = House::build().await;
    let mut browser = Browser::signed_in(&house.server).await;
    let panel_token = browser.token.clone();
    assert_eq!(browser.get(&format!("/?key={}", house.anna_token)).await.header("location"), "/portal");
    assert_eq!(browser.get("/").await.header("location"), "/admin");
    let portal_page = browser.get("/portal").await;
    assert_eq!(portal_page.status, 200);
    let portal_token = browser.token.clone();
    // The tokens of one side's forms are of no use on the other.
    browser.token.clone_from(&panel_token);
    assert_eq!(browser.post("/portal/preferences", &[("theme", "dark")]).await.status, 403);
    browser.token.clone_from(&portal_token);
    assert_eq!(browser.post("/admin/preferences", &[("theme", "dark")]).await.status, 403);
    browser.token.clone_from(&portal_token);
    let choice = browser.post("/portal/preferences", &[("theme", "dark"), ("next", "/portal/messages")]).await;
    assert_eq!((choice.status, choice.header("location")), (303, "/portal/messages"));
    let before = browser.cookies.clone();
    let out = browser.post("/portal/logout", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/portal/login"));
    assert!(browser.cookie("pillarbox_portal").is_none());
    assert_eq!(browser.get("/admin").await.status, 200, "the administrator is signed out as well");
    browser.cookies = before;
    assert!(!is_in(&mut browser).await, "the session goes on");
}

#[tokio::test]
async fn nobody_sees_a_page_without_a_session() {
    let house = House::build().await;
    let admin = Browser::signed_in(&house.server).await;
    let pages = routes_in(include_str!("../web/portal/mod.rs"), "get");
    assert!(pages.len() >= 10, "{pages:?}");
    for rest in [house.server.stranger(), admin.rest()] {
        for path in &pages {
            let answer = rest.send("GET", path, None).await;
            match path.as_str() {
                "/" => assert_eq!((answer.status, answer.header("location")), (303, "/admin")),
                "/portal/login" => assert_eq!(answer.status, 200),
                "/portal/x" => assert_eq!(answer.status, 404),
                _ => {
                    let to_sign_in = answer.header("location").starts_with("/portal/login?next=%2Fportal");
                    assert!(answer.status == 303 && to_sign_in, "{path}: {answer}");
                }
            }
            assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        }
    }
}

#[tokio::test]
async fn nothing_is_changed_by_a_request_that_no_page_of_ours_made() {
    let house = House::build().await;
    let mut browser = house.user().await;
    browser.get("/portal/messages").await;
    let token = browser.token.clone();
    let stale = format!("{}{}", &token[..token.len() - 1], if token.ends_with('0') { '1' } else { '0' });
    let fields = |token: &str| form(&[("confirm", "yes"), ("csrf", token)]);
    let changing = routes_in(include_str!("../web/portal/mod.rs"), "post");
    assert!(changing.len() >= 7, "{changing:?}");
    for path in &changing {
        for (what, header, kind, token) in [
            ("no token", None, FORM, ""),
            ("another token", None, FORM, stale.as_str()),
            ("another site", Some(("Sec-Fetch-Site", "cross-site")), FORM, token.as_str()),
            ("another origin", Some(("Origin", "http://evil.example")), FORM, token.as_str()),
            ("a body of another type", None, "text/plain", token.as_str()),
        ] {
            let rest = header.map_or_else(|| browser.rest(), |(name, value)| browser.rest().header(name, value));
            assert_eq!(rest.send("POST", path, Some((kind, fields(token)))).await.status, 403, "{path}: {what}");
        }
    }
    assert!(is_in(&mut browser).await);
}

#[tokio::test]
async fn a_user_puts_an_own_mailbox_into_the_trash_but_no_shared_one() {
    let house = House::build().await;
    let mut browser = house.user().await;
    let about = browser.get("/portal/mailboxes/ours@example.org/about").await.text();
    assert!(!about.contains("/trash"), "{about}");
    let shared = browser.post("/portal/mailboxes/ours@example.org/trash", &[("confirm", "yes")]).await;
    assert_eq!(shared.status, 409, "{shared}");
    browser.get("/portal/mailboxes/mine@example.org/about").await;
    let question = browser.post("/portal/mailboxes/mine@example.org/trash", &[]).await;
    assert!(question.text().contains("id=\"confirm\""), "{question}");
    let done = browser.post("/portal/mailboxes/mine@example.org/trash", &[("confirm", "yes")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/portal?done=mailbox_trashed"));
    let trashed = house.server.look("mine@example.org").await;
    assert_eq!((&trashed["lifecycle"], &trashed["trashed_by"]), (&json!("trashed"), &json!("Anna")));
    assert_eq!(browser.get("/portal/mailboxes/mine@example.org").await.status, 404);
    assert_eq!(house.server.rest.all("/audit-log?action=mailbox.trash", 5).await[0]["actor_kind"], "user");
}

#[tokio::test]
async fn a_user_sees_what_mailboxes_are_used_for_and_until_when() {
    let house = House::build().await;
    let bind = async |address: &str, name: &str, end: Value| {
        let body = json!({ "name": name, "login_url": "https://app.example/login", "note": "plan B", "expires_at": end });
        house.server.rest.post(&format!("/mailboxes/{address}/services/custom"), body).await.data();
    };
    bind("mine@example.org", "Zeta", json!(1_000_000_000)).await;
    bind("mine@example.org", "Alpha", json!(null)).await;
    bind("theirs@example.org", "Secret service", json!(null)).await;
    let mut browser = house.user().await;
    let page = browser.get("/portal").await.text();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(at("Alpha") < at("Zeta") && at("Zeta") < at("ours@example.org"), "{page}");
    assert!(page.contains("2001-09-09") && page.contains("pill-expired"), "{page}");
    assert!(!page.contains("Secret service"), "{page}");
    let about = browser.get("/portal/mailboxes/mine@example.org/about").await.text();
    assert!(about.contains("href=\"https://app.example/login\"") && about.contains("plan B"), "{about}");
    let found = browser.get("/portal?q=ours").await.text();
    assert!(found.contains("ours@example.org") && !found.contains("mine@example.org"), "{found}");
}

/// An open stream of events.
struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    async fn open(server: &Server, browser: &Browser) -> Self {
        let cookie = format!("pillarbox_portal={}", browser.cookie("pillarbox_portal").unwrap());
        let mut stream = TcpStream::connect(server.http).await.unwrap();
        let request = format!(
            "GET /portal/live HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n",
            server.http
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { stream, heard: String::new() };
        assert!(events.until("event: ready", 5).await, "{}", events.heard);
        events
    }

    /// Reads until a text was heard; false where it was not in time, or the stream ended.
    async fn until(&mut self, text: &str, seconds: u64) -> bool {
        let read = async {
            let mut piece = [0; 4096];
            while !self.heard.contains(text) {
                match self.stream.read(&mut piece).await {
                    Ok(0) | Err(_) => return false,
                    Ok(octets) => self.heard.push_str(&String::from_utf8_lossy(&piece[..octets])),
                }
            }
            true
        };
        tokio::time::timeout(Duration::from_secs(seconds), read).await.unwrap_or(false)
    }

    /// Whether the server ends the stream.
    async fn ends(&mut self, seconds: u64) -> bool {
        let read = async {
            let mut rest = Vec::new();
            let _ = self.stream.read_to_end(&mut rest).await;
        };
        tokio::time::timeout(Duration::from_secs(seconds), read).await.is_ok()
    }
}

#[tokio::test]
async fn a_stream_tells_of_own_mail_only_and_ends_with_its_session() {
    let house = House::build().await;
    let server = &house.server;
    let mut own = Events::open(server, &house.link().await).await;
    let mut shared = Events::open(server, &house.user().await).await;
    server.mail(&["theirs@example.org"], note("elsewhere", "text")).await;
    server.mail(&["ours@example.org"], note("for the members", "text")).await;
    assert!(shared.until("event: arrival", 5).await, "a member does not hear: {}", shared.heard);
    assert!(!own.until("event: arrival", 2).await, "a link hears of what it does not see");
    server.mail(&["mine@example.org"], note("for me", "text")).await;
    assert!(own.until("event: arrival", 5).await, "{}", own.heard);
    server.rest.delete(&format!("/mailboxes/mine@example.org/access-links/{}", house.link_id)).await.data();
    assert!(own.ends(9).await, "the stream goes on");
}
