//! Measures a release build against the limits of the machine that it runs on: PostgreSQL's own rate for the same rows, and
//! Postfix. All figures of a run come from the same minutes on the same disk, so that their ratios hold on any machine.
//!
//! Started by `bench/run`; what each figure means is in `docs/performance.md`.

mod ceiling;
mod database;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use all of it")]
#[path = "../src/tests/harness/dns.rs"]
mod dns;
mod http;
mod intake;
mod latency;
mod message;
mod percentiles;
mod postfix;
mod process;
mod reads;
mod report;
mod search;
mod server;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use all of it")]
#[path = "../src/tests/harness/signer.rs"]
mod signer;
mod smtp;
mod soak;
mod verdicts;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use report::Report;
use server::Server;

/// Measures durable intake, time to visibility, reads and memory of a release build.
#[derive(Debug, Parser)]
struct Args {
    /// Seconds that each measurement takes.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often the main measurement and the ceiling are repeated in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Messages for Postfix.
    #[arg(long, default_value_t = 4000)]
    postfix_messages: usize,
    /// Messages stored while the API is read.
    #[arg(long, default_value_t = 100_000)]
    stored: usize,
    /// Messages stored while they are searched.
    #[arg(long, default_value_t = 100_000)]
    searched: usize,
    /// Connections that wait in the soak.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Only these parts, joined by commas: intake, postfix, latency, reads, search, soak, verdicts.
    #[arg(long, value_delimiter = ',', default_value = "intake,postfix,latency,reads,search,soak,verdicts")]
    only: Vec<String>,
    /// The program to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_pillarbox"))]
    server: PathBuf,
    /// Where the figures are written as JSON.
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    /// Where the data lies for the time of the run: a disk, not memory.
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn wants(&self, part: &str) -> bool {
        self.only.iter().any(|only| only == part)
    }

    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let dir = args.dir.join(format!("pillarbox-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    let result = measure(&args, &dir).await;
    std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    result
}

async fn measure(args: &Args, dir: &std::path::Path) -> Result<()> {
    let mut report = Report::new();
    let server = Server::start(&args.server, &dir.join("data")).await?;
    report.about_machine(&server).await?;
    let measured = parts(args, dir, &server, &mut report).await;
    server.stop().await?;
    measured?;
    report.finish(&args.out)
}

async fn parts(args: &Args, dir: &std::path::Path, server: &Server, report: &mut Report) -> Result<()> {
    // Also fills caches, makes the first segments of the log, and gives the rows for what follows.
    intake::run(server, intake::Load { sessions: 20, octets: 2048 }, Duration::from_secs(3)).await?;
    let rows = database::rows(server, 2000).await?;
    if args.wants("soak") {
        soak::measure(server, args.idle, report).await?;
    }
    if args.wants("intake") {
        intake::against_ceiling(server, &rows, args.rounds, args.span(), report).await?;
        intake::other_loads(server, args.span(), report).await?;
    }
    if args.wants("postfix") {
        postfix::compare(server, dir, args.postfix_messages, report).await?;
    }
    if args.wants("latency") {
        latency::measure(server, args.span() * 2, report).await?;
    }
    if args.wants("reads") {
        reads::measure(server, &rows, args.stored, args.span(), report).await?;
    }
    if args.wants("search") {
        search::measure(server, args.searched, args.span(), report).await?;
    }
    if args.wants("verdicts") {
        verdicts::compare(&args.server, dir, args.rounds, args.span(), report).await?;
    }
    Ok(())
}
