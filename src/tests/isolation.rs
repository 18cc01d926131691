//! Everybody sees their own: each operation is asked by each kind of caller for what belongs to somebody else. The questions are
//! made from the schemas in the list, so that a new operation is asked too.

use std::collections::BTreeMap;

use pillarbox::crypto::Password;
use pillarbox::error::Error;
use pillarbox::operations::{self, Caller, Ctx, Entry, Surface, api_keys, portal};
use pillarbox::types::{Reach, Scope};
use serde_json::{Map, Value, json};

use crate::harness::server::{Server, note};
use crate::users::{browser, user};

/// Stands in everything that belongs to somebody else.
const SECRET: &str = "nobody-else-may-read-this";
const THEIRS: &str = "theirs@example.org";

/// Things that belong to somebody else, by the name of their id's type.
struct Foreign {
    ids: BTreeMap<&'static str, String>,
}

impl Foreign {
    async fn make(server: &Server) -> Self {
        let made = server.rest.post("/mailboxes", json!({ "address": THEIRS, "note": SECRET })).await.data();
        assert_eq!(made["mailbox"]["address"], THEIRS);
        let code = note(SECRET, &format!("{SECRET}: your verification code is 482913."));
        server.mail(&[THEIRS], code).await;
        let (user, _) = user(server, SECRET).await;
        server.rest.request("PUT", &format!("/mailboxes/{THEIRS}/owner"), Some(json!({ "user_id": user }))).await.data();
        let link = server.rest.post(&format!("/mailboxes/{THEIRS}/access-links"), json!({ "note": SECRET })).await.data();
        let template = json!({ "name": SECRET, "login_url": "https://app.example/" });
        let template = server.rest.post("/service-templates", template).await.data();
        let custom = json!({ "name": SECRET, "login_url": "https://own.example/" });
        let binding = server.rest.post(&format!("/mailboxes/{THEIRS}/services/custom"), custom).await.data();
        let key = server.rest.post("/api-keys", json!({ "name": SECRET })).await.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ids = BTreeMap::from([
            ("MessageId", text(&server.newest(THEIRS).await["id"])),
            ("PrincipalId", user),
            ("AccessLinkId", text(&link["access_link"]["id"])),
            ("ServiceTemplateId", text(&template["id"])),
            ("ServiceBindingId", text(&binding["id"])),
            ("ApiKeyId", text(&key["api_key"]["id"])),
        ]);
        Self { ids }
    }

    /// A value for an input, by its schema.
    fn value(&self, schema: &Value) -> Value {
        if let Some(id) = schema["x-id"].as_str() {
            // A type of things that this test does not make: one that nobody has.
            return self.ids.get(id).cloned().unwrap_or_else(|| uuid::Uuid::now_v7().to_string()).into();
        }
        if let Some(inner) = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema[*key].as_array()) {
            return inner.iter().find(|one| one["type"] != "null").map_or(json!(null), |one| self.value(one));
        }
        if let Some(one) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return one.clone();
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str)).unwrap_or("object");
        match (kind, schema["format"].as_str()) {
            (_, Some("email")) => THEIRS.into(),
            (_, Some("hostname")) => "example.org".into(),
            ("string", _) => "https://text.example/".into(),
            ("integer" | "number", _) => schema["minimum"].as_i64().map_or(json!(1), |least| json!(least.max(1))),
            ("boolean", _) => true.into(),
            ("array", _) => json!([self.value(&schema["items"])]),
            _ => self.object(schema),
        }
    }

    /// An object with what must be given.
    fn object(&self, schema: &Value) -> Value {
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let needed = properties.filter(|(name, _)| required.contains(&name.as_str()));
        needed.map(|(name, property)| (name.clone(), self.value(property))).collect::<Map<_, _>>().into()
    }

    /// Questions: with what must be given, and with each of the other inputs besides.
    fn questions(&self, entry: &Entry) -> Vec<Map<String, Value>> {
        let Value::Object(least) = self.object(&entry.input) else { panic!("{} takes no object", entry.spec.name) };
        let more = entry.parameters().filter(|name| !least.contains_key(*name)).map(|name| {
            let mut question = least.clone();
            question.insert(name.to_owned(), self.value(entry.parameter(name).unwrap()));
            question
        });
        more.chain([least.clone()]).collect()
    }
}

/// What must not change: all that belongs to somebody else.
async fn state(server: &Server) -> Vec<(String, String)> {
    let mut state = Vec::new();
    for table in
        ["mailboxes", "messages", "principals", "access_links", "service_templates", "service_bindings", "api_keys", "domains"]
    {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select (to_jsonb(t) - 'last_used_at' - 'last_login_at')::text from {table} t order by 1"
        )))
        .fetch_all(&server.db)
        .await
        .unwrap();
        state.extend(rows.into_iter().map(|row| (table.to_owned(), row)));
    }
    state
}

fn ctx(server: &Server, caller: &Caller) -> Ctx {
    Ctx {
        services: server.services().clone(),
        caller: caller.clone(),
        surface: Surface::Rest,
        request_id: "isolation".to_owned(),
        remote: None,
    }
}

/// Everybody who sees a part of the installation, or nothing of it.
async fn callers(server: &Server) -> Vec<(&'static str, Caller)> {
    let services = server.services();
    let made = server.rest.post("/mailboxes", json!({ "address": "mine@example.org" })).await.data();
    let (id, token) = user(server, "me").await;
    server.rest.request("PUT", "/mailboxes/mine@example.org/owner", Some(json!({ "user_id": id }))).await.data();
    server.mail(&["mine@example.org"], note("my own", "text")).await;
    let password = Password::new(made["password"].as_str().unwrap());
    let link = server.rest.post("/mailboxes/mine@example.org/access-links", json!({})).await.data();
    let link = link["url"].as_str().unwrap().split_once("link=").unwrap().1.to_owned();
    let key = server.rest.post("/api-keys", json!({ "name": "limited", "mailboxes": ["mine@example.org"] })).await.data();
    server.rest.post("/domains", json!({ "name": "mine.example" })).await.data();
    let domain_key = server.rest.post("/api-keys", json!({ "name": "limited", "domains": ["mine.example"] })).await.data();
    vec![
        ("nobody", Caller::Nobody),
        ("a user", portal::sign_in_user(services, &browser(), &token).await.unwrap().caller),
        ("a user's token", portal::authenticate_user(services, &token).await.unwrap()),
        ("a mailbox", portal::sign_in_mailbox(services, &browser(), "mine@example.org", &password).await.unwrap().caller),
        ("a link", portal::sign_in_link(services, &browser(), &link).await.unwrap().caller),
        ("a key to a mailbox", api_keys::authenticate(services, key["key"].as_str().unwrap()).await.unwrap()),
        ("a key to a domain", api_keys::authenticate(services, domain_key["key"].as_str().unwrap()).await.unwrap()),
    ]
}

#[tokio::test]
async fn nobody_reaches_what_is_somebody_elses() {
    let server = Server::start().await;
    let foreign = Foreign::make(&server).await;
    let callers = callers(&server).await;
    let before = state(&server).await;
    for (who, caller) in &callers {
        let ctx = ctx(&server, caller);
        for entry in operations::all() {
            let name = entry.spec.name;
            // Waiting for nothing takes as long as it is asked to.
            for mut question in foreign.questions(entry) {
                for wait in ["wait", "timeout_seconds"] {
                    if entry.parameter(wait).is_some() {
                        question.insert(wait.to_owned(), json!(0));
                    }
                }
                let shown = Value::Object(question.clone());
                let answer = entry.call(&ctx, question).await;
                if !caller.may(entry.spec.scope) {
                    assert!(matches!(answer, Err(Error::Forbidden(_))), "{who}, {name}: {shown} is answered {answer:?}");
                    continue;
                }
                match answer {
                    Ok(told) => assert!(!told.to_string().contains(SECRET), "{who}, {name}: {shown} tells {told}"),
                    Err(Error::NotFound { detail, .. }) => assert!(!detail.contains(SECRET), "{who}, {name}: {detail}"),
                    Err(Error::OutOfReach | Error::Forbidden(_) | Error::Invalid(_) | Error::Conflict { .. }) => {}
                    Err(error) => panic!("{who}, {name}: {shown} fails with {error}"),
                }
            }
        }
    }
    let after = state(&server).await;
    let lost: Vec<_> = before
        .iter()
        .filter(|row| !after.contains(row))
        .filter(|(_, row)| row.contains(SECRET) || row.contains(THEIRS))
        .collect();
    assert!(lost.is_empty(), "somebody changed {lost:#?}");
}

#[tokio::test]
async fn a_foreign_thing_looks_like_one_that_is_not_there() {
    let server = Server::start().await;
    let foreign = Foreign::make(&server).await;
    let nothing = uuid::Uuid::now_v7().to_string();
    for (who, caller) in callers(&server).await.iter().skip(1) {
        let ctx = ctx(&server, caller);
        for (operation, name, theirs, absent) in [
            ("get_email", "id", foreign.ids["MessageId"].as_str(), nothing.as_str()),
            ("list_emails", "address", THEIRS, "absent@example.org"),
            ("get_mailbox", "address", THEIRS, "absent@example.org"),
            ("get_mailbox_services", "address", THEIRS, "absent@example.org"),
            ("get_mailbox_stats", "address", THEIRS, "absent@example.org"),
        ] {
            let entry = operations::find(operation).unwrap();
            let mut told = Vec::new();
            for value in [theirs, absent] {
                let error = entry.call(&ctx, Map::from_iter([(name.to_owned(), json!(value))])).await.unwrap_err();
                assert!(matches!(error, Error::NotFound { .. }), "{who}, {operation}: {error:?}");
                told.push((error.code().into_owned(), error.to_string().replace(value, "it")));
            }
            assert_eq!(told[0], told[1], "{who}, {operation}");
        }
    }
}

#[tokio::test]
async fn each_reads_its_own_and_does_no_more_than_it_may() {
    let server = Server::start().await;
    Foreign::make(&server).await;
    let own = |who: &str| !who.starts_with("nobody") && who != "a key to a domain";
    for (who, caller) in callers(&server).await.iter().filter(|(who, _)| own(who)) {
        let ctx = ctx(&server, caller);
        let call = async |operation: &str, input: Value| {
            operations::find(operation).unwrap().call(&ctx, input.as_object().unwrap().clone()).await
        };
        let address = json!({ "address": "mine@example.org" });
        let listed = call("list_mailboxes", json!({})).await.unwrap();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{who}: {listed}");
        let messages = call("list_all_emails", json!({})).await.unwrap();
        let messages = messages["items"].as_array().unwrap();
        assert_eq!((messages.len(), &messages[0]["subject"]), (1, &json!("my own")), "{who}");
        let id = messages[0]["id"].clone();
        call("get_email", json!({ "id": id })).await.unwrap();
        let marked = call("update_email", json!({ "id": id, "is_starred": true })).await;
        assert_eq!(marked.is_ok(), caller.may(Scope::MailWrite), "{who}: {marked:?}");
        let shown = call("get_mailbox_password", address.clone()).await;
        assert_eq!(shown.is_ok(), caller.may(Scope::CredentialsRead), "{who}");
        if !matches!(caller, Caller::Key { .. }) {
            assert!(matches!(call("delete_mailbox", address).await, Err(Error::Forbidden("mailbox:write"))), "{who}");
            assert!(!caller.reach().is_all() && !matches!(caller.reach(), Reach::All), "{who}");
        }
    }
}

#[tokio::test]
async fn a_sub_address_with_a_mailbox_of_its_own_is_somebody_elses() {
    let server = Server::start().await;
    let callers = callers(&server).await;
    server.mailbox("mine+theirs@example.org").await;
    server.mail(&["mine+theirs@example.org"], note(SECRET, SECRET)).await;
    let id = server.newest("mine+theirs@example.org").await["id"].clone();
    for (who, caller) in callers.iter().skip(1) {
        let ctx = ctx(&server, caller);
        for (operation, input) in [
            ("get_email", json!({ "id": id })),
            ("list_emails", json!({ "address": "mine+theirs@example.org" })),
            ("get_mailbox", json!({ "address": "mine+theirs@example.org" })),
            ("get_verification_code", json!({ "mailbox": "mine+theirs@example.org" })),
        ] {
            let entry = operations::find(operation).unwrap();
            let answer = entry.call(&ctx, input.as_object().unwrap().clone()).await;
            assert!(matches!(answer, Err(Error::NotFound { .. })), "{who}, {operation}: {answer:?}");
        }
    }
}
