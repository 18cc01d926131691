//! The OpenAPI document: whole, true to the specification, and about every operation.

use std::collections::BTreeSet;

use pillarbox::config::RawConfig;
use pillarbox::operations;
use serde_json::Value;

use crate::harness::server::Server;

fn document() -> Value {
    pillarbox::api::document()
}

/// Calls `look` for every value in the document, with the place where it is.
fn walk(value: &Value, place: &str, look: &mut impl FnMut(&str, &Value)) {
    look(place, value);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| walk(inner, &format!("{place}/{name}"), look)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, inner)| walk(inner, &format!("{place}/{n}"), look)),
        _ => {}
    }
}

/// Method, path and description of every operation in the document.
fn described(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, methods): (&String, &Value)| -> Vec<_> {
        let methods = methods.as_object().unwrap().iter();
        methods.map(|(method, operation)| (method.clone(), path.clone(), operation.clone())).collect()
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test]
async fn it_is_served_without_a_key() {
    let server = Server::empty(RawConfig::default()).await;
    let answer = server.stranger().send("GET", "/api/openapi.json", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), document());
}

#[test]
fn every_operation_is_in_it_with_all_its_inputs() {
    let document = document();
    for entry in operations::all() {
        let (method, route) = entry.spec.rest;
        let path = route.split('?').next().unwrap_or_default();
        let operation = &document["paths"][path][method.as_str().to_ascii_lowercase()];
        assert!(operation.is_object(), "{} is missing", entry.spec.name);
        for text in ["operationId", "summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{}: no {text}", entry.spec.name);
        }
        if !route.contains('?') {
            assert_eq!(operation["operationId"], entry.spec.name);
            assert_eq!(operation["summary"], entry.spec.title);
            assert_eq!(operation["x-scope"], entry.spec.scope.as_str());
        }
        assert!(operation["description"].as_str().unwrap().contains(entry.description.trim()), "{}", entry.spec.name);
        let parameters = operation["parameters"].as_array().unwrap();
        let body = operation.pointer("/requestBody/content/application~1json/schema/properties");
        for name in entry.parameters() {
            let as_parameter = parameters.iter().any(|parameter| parameter["name"] == name);
            assert!(as_parameter || body.is_some_and(|body| body.get(name).is_some()), "{}: no {name}", entry.spec.name);
        }
    }
}

#[test]
fn it_keeps_the_rules_of_openapi() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for field in ["title", "version"] {
        assert!(document["info"][field].is_string());
    }
    let mut ids = BTreeSet::new();
    for (method, path, operation) in described(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(path.starts_with('/'), "{path}");
        assert!(["get", "post", "put", "patch", "delete"].contains(&method.as_str()), "{path} {method}");
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: BTreeSet<&str> =
            parameters.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
        let in_template: BTreeSet<&str> =
            path.split('{').skip(1).map(|rest| rest.split_once('}').expect("a closed name").0).collect();
        assert_eq!(in_path, in_template, "{name}");
        let mut known = BTreeSet::new();
        for parameter in parameters {
            if let Some(target) = parameter["$ref"].as_str() {
                assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{name}: {target}");
                continue;
            }
            assert!(known.insert((parameter["name"].to_string(), parameter["in"].to_string())), "{name}: {parameter} twice");
            assert!(["path", "query"].contains(&parameter["in"].as_str().unwrap()), "{name}: {parameter}");
            assert!(parameter["in"] != "path" || parameter["required"] == true, "{name}: {parameter}");
            assert!(parameter["schema"].is_object(), "{name}: {parameter}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["description"].is_string() || response["$ref"].is_string(), "{name}: {status}");
        }
        assert!(operation["responses"].as_object().is_some_and(|responses| responses.contains_key("default")), "{name}");
        assert!(ids.insert(name.clone()), "two are called {name}");
    }
}

#[test]
fn every_field_is_described_and_has_an_example() {
    let mut missing = BTreeSet::new();
    walk(&document(), "", &mut |place, value| {
        for (name, field) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if field.get("description").or(field.get("$ref")).is_none() && name != "data" {
                missing.insert(format!("{place}/{name} is not described"));
            }
            let kind = field.get("type").map(Value::to_string).unwrap_or_default();
            let is_plain = ["string", "integer", "number", "boolean"].iter().any(|plain| kind.contains(plain));
            if is_plain && field.get("examples").is_none() {
                missing.insert(format!("{place}/{name} has no example"));
            }
        }
    });
    let shown: Vec<&String> = missing.iter().take(40).collect();
    assert!(missing.is_empty(), "{} fields: {shown:#?}", missing.len());
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_one() {
    let document = document();
    let mut references = 0;
    walk(&document, "", &mut |place, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            references += 1;
            let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{place} leads outside: {target}"));
            assert!(document.pointer(pointer).is_some(), "{place} leads nowhere: {target}");
        }
        if place.ends_with("/schema") {
            assert!(jsonschema::meta::is_valid(value), "{place} is no schema: {value}");
        }
    });
    assert!(references > 0);
}
