//! The links and forms that sign in, and that a session ends when what it stands on does.

use pillarbox::config::RawConfig;
use serde_json::json;

use super::{House, enter, is_in};
use crate::panel::{self, Browser, form, routes_in};

const FORM: &str = "application/x-www-form-urlencoded";

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
    let pages = routes_in(include_str!("../../web/portal/mod.rs"), "get");
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
    let changing = routes_in(include_str!("../../web/portal/mod.rs"), "post");
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
