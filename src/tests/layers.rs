//! What stands on what: holds the code to its floors, and keeps statements, HTTP and the store where they belong.

use std::path::{Path, PathBuf};

/// From the ground up; a module uses only floors below its own.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["types"],
    &["config"],
    &["crypto"],
    &["dns", "tls"],
    &["mail"],
    &["store"],
    &["verdict"],
    &["ingest", "peers"],
    &["acme", "smtp", "accounts", "events", "jobs"],
    &["operations"],
    &["http"],
    &["api", "mcp", "web"],
    &["app"],
    &["cli"],
];
/// The doors are not here: what they want goes through an operation, where the scope is checked.
const MAY_USE_STORE: &[&str] = &["store", "ingest", "peers", "acme", "accounts", "events", "jobs", "operations", "app"];
/// No rule of the product knows HTTP.
const MAY_USE_AXUM: &[&str] = &["http", "api", "mcp", "web", "app"];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// A line of code: the module that it stands in, where it is, and what it says.
struct Line {
    module: String,
    place: String,
    code: String,
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All lines of the modules, without comments.
fn lines() -> Vec<Line> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&src, &mut found);
    let mut lines = Vec::new();
    for path in found {
        let place = path.strip_prefix(&src).unwrap();
        let module = place.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
        if ["tests", "main", "lib"].contains(&module.as_str()) {
            continue;
        }
        for (number, text) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let code = text.trim();
            if !code.starts_with("//") {
                let place = format!("src/{}:{}", place.display(), number + 1);
                lines.push(Line { module: module.clone(), place, code: code.to_owned() });
            }
        }
    }
    lines
}

/// The modules that a line names after `crate::`.
fn named(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// The places where a rule is broken.
fn offences(broken: impl Fn(&Line) -> bool) -> Vec<String> {
    let lines = lines();
    assert!(lines.len() > 5000, "only {} lines were found", lines.len());
    lines.iter().filter(|line| broken(line)).map(|line| format!("{}: {}", line.place, line.code)).collect()
}

fn hold(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n{}", offences.join("\n"));
}

#[test]
fn every_module_has_a_floor_and_uses_only_floors_below() {
    let homeless = offences(|line| floor(&line.module).is_none());
    hold("a module that is on no floor", &homeless);
    let upward = offences(|line| {
        named(&line.code).any(|used| used != line.module && floor(used).is_some_and(|used| Some(used) >= floor(&line.module)))
    });
    hold("a module uses one that is not below it", &upward);
}

#[test]
fn only_those_who_may_use_the_store() {
    let offences =
        offences(|line| named(&line.code).any(|used| used == "store") && !MAY_USE_STORE.contains(&line.module.as_str()));
    hold("what the doors want of the store goes through an operation", &offences);
}

#[test]
fn statements_stand_in_the_store() {
    let statement =
        |code: &str| ["query!(", "query_as!(", "query_scalar!(", "sqlx::query"].iter().any(|call| code.contains(call));
    let offences = offences(|line| line.module != "store" && statement(&line.code));
    hold("SQL outside the store", &offences);
}

#[test]
fn only_the_doors_know_http() {
    let offences = offences(|line| line.code.contains("axum::") && !MAY_USE_AXUM.contains(&line.module.as_str()));
    hold("HTTP below the doors", &offences);
}

#[test]
fn imports_can_be_read() {
    let groups = offences(|line| line.code.contains("use crate::{") || line.code.contains("super::super"));
    hold("each `use` names one module, by its name", &groups);
}
