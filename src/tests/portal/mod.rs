//! The portal, through its pages.

mod live;
mod sessions;
mod sight;

use serde_json::{Value, json};

use crate::harness::rest::Answer;
use crate::harness::server::{Server, note};
use crate::panel::{self, Browser};
use crate::users::user;

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

async fn enter(browser: &mut Browser, address: &str, password: &str) -> Answer {
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
