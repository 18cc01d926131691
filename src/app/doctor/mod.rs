//! `pillarbox doctor`: whether this machine can do what a mail server must, and what to do where it cannot.

mod database;
mod machine;
mod network;

use serde::Serialize;

use crate::config::Config;

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Which one: `smtp_port`, `certificate`, `disk`.
    pub id: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Mail comes, but something should be better.
    Warning,
    /// Mail does not come, or may be lost.
    Failed,
}

impl Check {
    fn ok(id: &'static str, found: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Ok, found: found.into(), fix: String::new() }
    }

    fn warning(id: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Warning, found: found.into(), fix: fix.into() }
    }

    fn failed(id: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, verdict: Verdict::Failed, found: found.into(), fix: fix.into() }
    }
}

/// Looks at everything; a thing that fails keeps no other from being looked at.
pub async fn examine(config: &Config) -> Vec<Check> {
    let mut checks = network::ports(config).await;
    checks.extend(network::name(config).await);
    checks.push(network::resolver(config).await);
    checks.extend(machine::certificate(config));
    checks.push(machine::disk(config));
    checks.push(machine::descriptors(config));
    checks.extend(database::examine(config).await);
    checks.push(Check::ok("version", format!("This is Pillarbox {}.", env!("CARGO_PKG_VERSION"))));
    checks
}
