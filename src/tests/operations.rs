//! Every operation there is: what it says of itself, and who may use it. A new one is covered by being in the list.

use std::collections::{BTreeMap, BTreeSet};

use pillarbox::config::RawConfig;
use pillarbox::operations::{self, Effect, Entry};
use pillarbox::types::Scope;
use serde_json::{Value, json};

use crate::harness::rest::{Answer, Rest};
use crate::harness::server::Server;

/// The path of an operation, filled in with things that do not exist.
fn path(entry: &Entry) -> String {
    let id = uuid::Uuid::nil().to_string();
    let path = entry.spec.rest.1;
    path.replace("{address}", "nobody@example.org")
        .replace("{name}", "nowhere.example")
        .replace("{id}", &id)
        .replace("{user_id}", &id)
}

/// Routes beside the list, which answer with octets.
const OCTETS: &[&str] = &["raw", "html", "attachments/0"];

async fn call(caller: &Rest, entry: &Entry, body: Value) -> Answer {
    let body = entry.spec.rest.0.has_body().then_some(body);
    caller.request(entry.spec.rest.0.as_str(), &path(entry), body).await
}

#[test]
fn each_says_what_it_is() {
    let mut names = BTreeSet::new();
    let mut routes = BTreeSet::new();
    for entry in operations::all() {
        let spec = entry.spec;
        assert!(names.insert(spec.name), "two are called {}", spec.name);
        assert!(routes.insert((spec.rest.0.as_str(), spec.rest.1)), "two are at {:?}", spec.rest);
        assert!(spec.name.contains('_') && spec.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", spec.name);
        assert!(spec.title.len() > 5 && !spec.title.ends_with('.'), "{}: title {:?}", spec.name, spec.title);
        assert!(entry.description.trim_end().ends_with('.'), "{}: description {:?}", spec.name, entry.description);
        assert_eq!(spec.audit.is_none(), spec.effect == Effect::Read, "{}: a change is written down, a read is not", spec.name);
        for name in entry.parameters() {
            let description = entry.parameter(name).and_then(|p| p["description"].as_str());
            assert!(description.is_some_and(|text| text.len() > 8), "{}: {name} is not described", spec.name);
        }
        for name in spec.rest.1.split('{').skip(1).filter_map(|rest| rest.split_once('}')) {
            assert!(entry.parameter(name.0).is_some(), "{}: {{{}}} is no input", spec.name, name.0);
        }
        assert!(operations::find(spec.name).is_some_and(|found| std::ptr::eq(found, entry)), "{}", spec.name);
    }
}

#[tokio::test]
async fn without_a_key_there_is_nothing() {
    let server = Server::empty(RawConfig::default()).await;
    for entry in operations::all() {
        let answer = call(&server.stranger(), entry, json!({})).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    for octets in OCTETS {
        server.stranger().get(&format!("/messages/{}/{octets}", uuid::Uuid::nil())).await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_key_with_every_scope_but_the_one_needed_is_refused_by_its_name() {
    let server = Server::empty(RawConfig::default()).await;
    let mut callers = BTreeMap::new();
    for missing in Scope::ALL {
        let others: Vec<&str> = Scope::ALL.iter().filter(|scope| *scope != missing).map(|scope| scope.as_str()).collect();
        callers.insert(missing.as_str(), server.caller(&others).await);
    }
    let mut denied = 0;
    for entry in operations::all() {
        let scope = entry.spec.scope.as_str();
        let problem = call(&callers[scope], entry, json!({})).await.problem(403, "missing_scope");
        assert!(problem["detail"].as_str().unwrap().contains(scope), "{}: {problem}", entry.spec.name);
        assert!(problem["fix"].as_str().unwrap().contains(scope), "{}: {problem}", entry.spec.name);
        denied += usize::from(entry.spec.audit.is_some());
    }
    for octets in OCTETS {
        let path = format!("/messages/{}/{octets}", uuid::Uuid::nil());
        callers["mail:read"].get(&path).await.problem(403, "missing_scope");
    }
    // The attempts to change something are written down.
    let log = server.rest.all("/audit-log", 100).await;
    assert_eq!(log.iter().filter(|row| row["outcome"] == "denied").count(), denied);
}

#[tokio::test]
async fn a_key_with_just_the_scope_needed_gets_through() {
    let server = Server::empty(RawConfig::default()).await;
    let mut callers = BTreeMap::new();
    for scope in Scope::ALL {
        callers.insert(scope.as_str(), server.caller(&[scope.as_str()]).await);
    }
    for entry in operations::all() {
        let answer = call(&callers[entry.spec.scope.as_str()], entry, json!({})).await;
        assert!([200, 400, 404, 409].contains(&answer.status), "{}: {answer}", entry.spec.name);
        assert_ne!(answer.json()["code"], "route_not_found", "{}: {answer}", entry.spec.name);
    }
}

#[tokio::test]
async fn an_input_that_it_does_not_have_is_pointed_at() {
    let server = Server::empty(RawConfig::default()).await;
    for entry in operations::all() {
        let method = entry.spec.rest.0;
        let path = path(entry);
        let mark = if path.contains('?') { '&' } else { '?' };
        server.rest.request(method.as_str(), &format!("{path}{mark}colour=blue"), None).await.points_at("/colour");
        if method.has_body() {
            server.rest.request(method.as_str(), &path, Some(json!({ "colour": "blue" }))).await.points_at("/colour");
        }
    }
}

/// Values that someone, or some program, may well send.
fn nasty() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\u{0}b@example.org"),
        json!("'; drop table messages; --"),
        json!("%00%ff../../etc/passwd"),
        json!("\u{202e}gro.elpmaxe@x"),
        json!("x".repeat(100_000)),
        json!("99999999999999999999"),
        json!([]),
        json!([null, 1, "a", {}]),
        json!({}),
        json!({ "a": { "b": [1] } }),
        deep,
    ]
}

/// Puts a value of any type into a query.
fn query(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &text).finish()
}

#[tokio::test]
async fn no_input_whatever_is_a_fault_of_ours() {
    let server = Server::start().await;
    server.mailbox("nobody@example.org").await;
    for entry in operations::all() {
        let (method, route) = entry.spec.rest;
        let path = path(entry);
        for name in entry.parameters() {
            for value in nasty() {
                let answer = if route.contains(&format!("{{{name}}}")) {
                    let text = query("", &value).trim_start_matches('=').replace('+', "%20");
                    let path = route.replace(&format!("{{{name}}}"), &text[..text.len().min(20_000)]);
                    server.rest.request(method.as_str(), &path, None).await
                } else if method.has_body() {
                    server.rest.request(method.as_str(), &path, Some(json!({ name: value }))).await
                } else {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    let query = query(name, &value);
                    let path = format!("{path}{mark}{}", &query[..query.len().min(20_000)]);
                    server.rest.request(method.as_str(), &path, None).await
                };
                let shown: String = value.to_string().chars().take(60).collect();
                assert!(answer.status < 500, "{} with {name} {shown}: {answer}", entry.spec.name);
            }
        }
    }
}
