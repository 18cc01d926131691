//! Logs: text for people, JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config;

/// Starts logging to standard output (`serve`) or standard error (commands, whose standard output is their answer).
pub fn start(log: &config::Log, to_stderr: bool) {
    // Checked with the settings; the fallback is for a filter that this version reads otherwise.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::NONE).with_target(false);
    let ansi = if to_stderr { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
    let builder = builder.with_ansi(ansi);
    let result = match (log.json, to_stderr) {
        (true, true) => builder.json().with_writer(std::io::stderr).try_init(),
        (true, false) => builder.json().try_init(),
        (false, true) => builder.with_writer(std::io::stderr).try_init(),
        (false, false) => builder.try_init(),
    };
    // Only tests start it twice.
    let _ = result;
}
