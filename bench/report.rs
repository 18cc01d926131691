//! The table and the file.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::ceiling::Rate;
use crate::intake::{Load, Taken};
use crate::percentiles::Percentiles;
use crate::server::Server;

/// What was found so far.
pub(crate) struct Report {
    json: Value,
    loads: Vec<Value>,
    bars: Vec<(String, bool)>,
    ceiling: Option<f64>,
    main: Option<f64>,
    peak_mb: f64,
}

/// What reading found.
pub(crate) struct Reads {
    pub(crate) stored: usize,
    pub(crate) requests_per_second: f64,
    pub(crate) times: Percentiles,
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    pub(crate) peak_mb: f64,
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { json: json!({}), loads: Vec::new(), bars: Vec::new(), ceiling: None, main: None, peak_mb: 0.0 }
    }

    /// Where the figures come from.
    pub(crate) async fn about_machine(&mut self, server: &Server) -> Result<()> {
        let postgres: String = sqlx::query_scalar("select version()").fetch_one(&mut server.database().await?).await?;
        let processors = std::thread::available_parallelism()?.get();
        let load = std::fs::read_to_string("/proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default();
        say(&format!("{processors} processors, load {load} at the start, {}\n", postgres.split(" on ").next().unwrap_or("")));
        self.json["machine"] = json!({ "processors": processors, "load": load, "postgres": postgres });
        Ok(())
    }

    fn bar(&mut self, text: String, met: bool) {
        self.bars.push((text, met));
    }

    fn peak(&mut self, mb: f64) {
        self.peak_mb = self.peak_mb.max(mb);
    }

    /// A figure of the soak.
    pub(crate) fn soak(&mut self, name: &str, value: String) {
        say(&format!("{name}: {value}"));
        self.json["soak"][name] = value.into();
    }

    /// What the soak is held to.
    pub(crate) fn soak_bar(&mut self, text: String, met: bool) {
        self.bar(text, met);
    }

    pub(crate) fn ceiling(&mut self, rate: Rate) {
        say("\nsessions   size     msg/s   250 p50     p99   processor/msg: server  PostgreSQL   msg/sync   peak memory");
        self.ceiling = Some(rate.messages_per_second);
        self.json["ceiling"] = json!({ "messages_per_second": rate.messages_per_second, "on_one_connection": rate.on_one_connection,
            "postgres_cpu_us": rate.postgres_us });
    }

    pub(crate) fn taken(&mut self, load: Load, taken: Taken, json: Value) {
        let put_off = if taken.deferred > 0 { format!("   {} put off", taken.deferred) } else { String::new() };
        say(&format!(
            "{:>8} {:>3} KB {:>9.0} {:>6.1} ms {:>4.0} ms {:>19.0} µs {:>8.0} µs {:>10.1} {:>10.0} MB{put_off}",
            load.sessions,
            load.octets / 1000,
            taken.messages_per_second,
            taken.answer.p50,
            taken.answer.p99,
            taken.server_us,
            taken.postgres_us,
            taken.per_sync,
            taken.peak_mb,
        ));
        self.loads.push(json);
        self.peak(taken.peak_mb);
        if self.main.is_none()
            && let Some(ceiling) = self.ceiling
        {
            self.main = Some(taken.messages_per_second);
            let share = taken.messages_per_second / ceiling;
            self.json["share_of_ceiling"] = json!(share);
            let text = format!(
                "20 sessions x 2 KB take {:.0} % of PostgreSQL's own rate of {ceiling:.0}/s (at least 40 %)",
                share * 100.0
            );
            self.bar(text, share >= 0.4);
        }
    }

    pub(crate) fn verdicts(&mut self, ratio: f64, json: Value) {
        self.json["verdicts"] = json;
        self.bar(
            format!("With verdicts, mail is taken at {:.0} % of the rate without (at least 50 %)", ratio * 100.0),
            ratio >= 0.5,
        );
    }

    pub(crate) fn postfix(&mut self, theirs: f64, ours: f64) {
        let ratio = ours / theirs;
        self.json["postfix"] = json!({ "postfix_per_second": theirs, "ours_per_second": ours, "ratio": ratio });
        let text = format!(
            "smtp-source gets {ours:.0}/s in here and {theirs:.0}/s into Postfix's Maildir: {ratio:.1} times (at least 3)"
        );
        self.bar(text, ratio >= 3.0);
    }

    pub(crate) fn latency(&mut self, after: Percentiles, before: Percentiles, peak_mb: f64) {
        self.json["code_after_250"] =
            json!({ "asked_after": after.json(), "asked_before": before.json(), "server_peak_mb": peak_mb });
        self.peak(peak_mb);
        let text = format!(
            "250 to code in the API at 100/s: p50 {:.1} ms, p99 {:.1} ms (under 20 and 100); for one who waits: p50 {:.1} ms, p99 {:.1} ms",
            after.p50, after.p99, before.p50, before.p99
        );
        self.bar(text, after.p50.max(before.p50) < 20.0 && after.p99.max(before.p99) < 100.0);
    }

    pub(crate) fn reads(&mut self, reads: &Reads) {
        self.json["reads"] = json!({
            "stored": reads.stored, "connections": 32, "requests_per_second": reads.requests_per_second,
            "time": reads.times.json(), "server_cpu_us": reads.server_us, "postgres_cpu_us": reads.postgres_us,
            "server_peak_mb": reads.peak_mb,
        });
        self.peak(reads.peak_mb);
        let text = format!(
            "codes of {} messages, 32 connections: {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms (under 10); server {:.0} µs, PostgreSQL {:.0} µs",
            reads.stored, reads.requests_per_second, reads.times.p50, reads.times.p99, reads.server_us, reads.postgres_us,
        );
        self.bar(text, reads.times.p99 < 10.0);
    }

    /// One kind of question.
    pub(crate) fn search(&mut self, name: &str, times: &Percentiles) {
        self.json["search"][name] = times.json();
    }

    /// All kinds together.
    pub(crate) fn search_bar(&mut self, stored: usize, times: &Percentiles) {
        self.json["search"]["all"] = json!({ "stored": stored, "time": times.json() });
        let text = format!("search in {stored} messages: p50 {:.1} ms, p99 {:.1} ms (under 150)", times.p50, times.p99);
        self.bar(text, times.p99 < 150.0);
    }

    /// Prints what was asked for beside what was found, and writes the file.
    pub(crate) fn finish(mut self, out: &Path) -> Result<()> {
        let text = format!("resident memory of the server was at most {:.0} MB (under 100)", self.peak_mb);
        self.bar(text, self.peak_mb < 100.0);
        say("");
        for (text, met) in &self.bars {
            say(&format!("{} {text}", if *met { "met   " } else { "MISSED" }));
        }
        self.json["loads"] = Value::Array(std::mem::take(&mut self.loads));
        self.json["server_peak_mb"] = json!(self.peak_mb);
        if let Some(parent) = out.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(out, format!("{:#}\n", self.json))?;
        say(&format!("\nAll figures are in {}.", out.display()));
        Ok(())
    }
}
