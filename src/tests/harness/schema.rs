//! Holds every answer to what the OpenAPI document promises of it.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use super::rest::Answer;

/// The segments of a path, and what is promised of the answer.
struct Promise {
    template: Vec<String>,
    schema: Value,
    /// Made when it is needed: most tests ask for a few of them.
    validator: OnceLock<Validator>,
}

/// The promises, by method.
static PROMISES: LazyLock<HashMap<String, Vec<Promise>>> = LazyLock::new(promises);

fn promises() -> HashMap<String, Vec<Promise>> {
    let document = pillarbox::api::document();
    let mut promises: HashMap<String, Vec<Promise>> = HashMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if let Some(schema) = operation.pointer("/responses/200/content/application~1json/schema") {
                let template = path.split('/').map(str::to_owned).collect();
                let promise = Promise { template, schema: schema.clone(), validator: OnceLock::new() };
                promises.entry(method.to_uppercase()).or_default().push(promise);
            }
        }
    }
    promises
}

/// Checks a success of an operation; `path` is below `/api/v1`. Routes that answer with octets promise nothing.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let Some(body) = (answer.status == 200).then(|| serde_json::from_slice::<Value>(&answer.body).ok()).flatten() else { return };
    let segments: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let promised = PROMISES.get(method).into_iter().flatten().filter(|promise| fits(&promise.template, &segments));
    // A fixed path is a closer fit than one with a name in it.
    let names = |promise: &&Promise| promise.template.iter().filter(|part| part.starts_with('{')).count();
    let Some(promise) = promised.min_by_key(names) else { return };
    let validator = promise.validator.get_or_init(|| jsonschema::validator_for(&promise.schema).unwrap());
    let faults: Vec<String> = validator.iter_errors(&body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{answer}: not what the OpenAPI document promises: {}", faults.join("; "));
}

fn fits(template: &[String], segments: &[&str]) -> bool {
    template.len() == segments.len()
        && template.iter().zip(segments).all(|(part, segment)| part.starts_with('{') || part == segment)
}
