//! The request for a code on many stored messages.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::database::{Copier, Stored};
use crate::http::{Client, code_in};
use crate::percentiles::Percentiles;
use crate::process;
use crate::report::{Reads, Report};
use crate::server::Server;

const CONNECTIONS: usize = 32;
/// The mailboxes that are asked about: 50 messages each for 100,000.
const MAILBOXES: usize = 2000;

/// Fills the tables up to `stored` messages and asks with 32 connections.
pub(crate) async fn measure(server: &Server, rows: &[Stored], stored: usize, span: Duration, report: &mut Report) -> Result<()> {
    let mailboxes = server.mailboxes.get(..MAILBOXES).unwrap_or_default();
    let mut filler = Copier::new(PgConnection::connect_with(&server.options()?).await?, rows, mailboxes, 9);
    for _ in 0..stored.div_ceil(500) {
        filler.batch(500).await?;
    }
    sqlx::query("vacuum analyze").execute(&mut server.database().await?).await?;
    process::forget_peak(server.pid())?;
    let (started, before) = (Instant::now(), process::cpu(server.pid())?);
    let readers = (0..CONNECTIONS).map(|reader| read(server, reader, started + span));
    let times = try_join_all(readers).await?.concat();
    let (elapsed, used) = (started.elapsed().as_secs_f64(), process::cpu(server.pid())?.since(before));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = times.len() as f64;
    report.reads(&Reads {
        stored,
        requests_per_second: count / elapsed,
        times: Percentiles::of(times),
        server_us: used.server.as_secs_f64() * 1e6 / count,
        postgres_us: used.postgres.as_secs_f64() * 1e6 / count,
        peak_mb: process::memory(server.pid(), "VmHWM")?,
    });
    Ok(())
}

async fn read(server: &Server, reader: usize, until: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::connect(server).await?;
    let (mut times, mut next) = (Vec::new(), reader * 61);
    while Instant::now() < until {
        next += 1;
        let started = Instant::now();
        let body = client.code(next * 7919 % MAILBOXES, 0).await?;
        times.push(started.elapsed());
        ensure!(code_in(&body).is_some(), "a mailbox with codes gave none: {body}");
    }
    Ok(times)
}
