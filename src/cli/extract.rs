//! `pillarbox extract`: the live engine on files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::mail::reading;

use super::table::print_line;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object a line, rather than indented
    #[arg(long)]
    jsonl: bool,
    /// Add every candidate with its evidence
    #[arg(long)]
    explain: bool,
    /// Message files as they were sent (RFC 5322)
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Reads each file; one that cannot be read is reported and keeps no other from being read.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for path in &args.files {
        let line = match std::fs::read(path) {
            Ok(raw) => found(path, &raw, args.explain),
            Err(error) => {
                eprintln!("pillarbox: {}: {error}", path.display());
                code = ExitCode::FAILURE;
                continue;
            }
        };
        print_line(if args.jsonl { line.to_string() } else { serde_json::to_string_pretty(&line)? })?;
    }
    Ok(code)
}

fn found(path: &Path, raw: &[u8], explain: bool) -> Value {
    let extraction = reading::read(raw, &[]).extraction;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let (code, link) = (extraction.code.as_ref(), extraction.link.as_ref());
    // As the candidates write it.
    let confidence = |candidate: Value| candidate.get("confidence").cloned();
    let code_confidence = code.and_then(|code| confidence(json!(code)));
    let link_confidence = link.and_then(|link| confidence(json!(link)));
    let mut line = json!({
        "file": name,
        "code": code.map(|code| &code.value),
        "link": link.map(|link| &link.url),
        "confidence": code_confidence.as_ref().or(link_confidence.as_ref()),
        "display": code.map(|code| &code.display),
        "source": code.map(|code| code.source),
        "rule": code.map(|code| &code.rule),
        "link_kind": link.map(|link| link.kind),
        "link_confidence": link_confidence,
    });
    if explain {
        line["codes"] = json!(extraction.codes);
        line["links"] = json!(extraction.links);
    }
    line
}
