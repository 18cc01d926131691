//! `pillarbox doctor`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::app::doctor::{Verdict, examine};
use crate::config::Config;

use super::table::{print_json, print_line};

/// Looks at this machine; fails where something keeps mail away or may lose it.
pub(super) async fn run(config: &Config, as_json: bool) -> Result<ExitCode> {
    let checks = examine(config).await;
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
    if as_json {
        print_json(&json!({ "ok": failed == 0, "checks": checks }))?;
    } else {
        for check in &checks {
            let mark = match check.verdict {
                Verdict::Ok => "ok     ",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED ",
            };
            print_line(format_args!("{mark}  {}", check.found))?;
            if !check.fix.is_empty() {
                print_line(format_args!("         -> {}", check.fix))?;
            }
        }
        print_line(if failed == 0 { "Nothing keeps mail away.".to_owned() } else { format!("{failed} failed.") })?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
