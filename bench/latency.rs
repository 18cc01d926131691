//! From the 250 to the code in the API, at 100 messages a second.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use crate::http::{Client, code_in};
use crate::message::message;
use crate::percentiles::Percentiles;
use crate::process;
use crate::report::Report;
use crate::server::{BUSY_MAILBOXES, MAILBOXES, Server, address};
use crate::smtp::Peer;

const WORKERS: usize = 20;
/// Each worker sends as often.
const EVERY: Duration = Duration::from_millis(200);

/// How the reader asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// After the 250, again and again until the code is there.
    After,
    /// Before the message is sent, with `wait`.
    Before,
}

/// Measures both ways of asking, half of the time each.
pub(crate) async fn measure(server: &Server, span: Duration, report: &mut Report) -> Result<()> {
    process::forget_peak(server.pid())?;
    let after = run(server, span / 2, Asking::After).await?;
    let before = run(server, span / 2, Asking::Before).await?;
    report.latency(Percentiles::of(after), Percentiles::of(before), process::memory(server.pid(), "VmHWM")?);
    Ok(())
}

async fn run(server: &Server, span: Duration, asking: Asking) -> Result<Vec<Duration>> {
    let started = Instant::now() + Duration::from_millis(200);
    let each = usize::try_from(span.as_millis() / EVERY.as_millis())?;
    let workers = (0..WORKERS).map(|worker| work(server, worker, started, each, asking));
    Ok(try_join_all(workers).await?.concat())
}

async fn work(server: &Server, worker: usize, started: Instant, count: usize, asking: Asking) -> Result<Vec<Duration>> {
    let (mut peer, mut client) = (Peer::connect(server.smtp).await?, Client::connect(server).await?);
    let mut times = Vec::with_capacity(count);
    let offset = EVERY * u32::try_from(worker)? / u32::try_from(WORKERS)?;
    for turn in 0..count {
        let number = turn * WORKERS + worker;
        let code = format!("{:06}", 100_000 + number * 7 % 900_000);
        // A mailbox that nobody used before, so that the waiter has something to wait for.
        let from = if asking == Asking::After { BUSY_MAILBOXES } else { MAILBOXES / 2 };
        let mailbox = from + number % (MAILBOXES / 2 - BUSY_MAILBOXES);
        let letter = message(u64::try_from(number)?, 2048, &code, &address(mailbox));
        tokio::time::sleep_until((started + offset + EVERY * u32::try_from(turn)?).into()).await;
        times.push(match asking {
            Asking::After => ask_after(&mut peer, &mut client, mailbox, &letter, &code).await?,
            Asking::Before => ask_before(&mut peer, &mut client, mailbox, &letter, &code).await?,
        });
    }
    peer.quit().await?;
    Ok(times)
}

async fn ask_after(peer: &mut Peer, client: &mut Client, mailbox: usize, letter: &[u8], code: &str) -> Result<Duration> {
    ensure!(peer.send(&address(mailbox), letter).await? == 250, "a message was put off");
    let sent = Instant::now();
    while code_in(&client.code(mailbox, 0).await?) != Some(code) {
        ensure!(sent.elapsed() < Duration::from_secs(10), "the code did not come");
    }
    Ok(sent.elapsed())
}

async fn ask_before(peer: &mut Peer, client: &mut Client, mailbox: usize, letter: &[u8], code: &str) -> Result<Duration> {
    let to = address(mailbox);
    let waiting = async { anyhow::Ok((client.code(mailbox, 30).await?, Instant::now())) };
    let sending = async {
        // So that the question is there first.
        tokio::time::sleep(Duration::from_millis(20)).await;
        ensure!(peer.send(&to, letter).await? == 250, "a message was put off");
        anyhow::Ok(Instant::now())
    };
    let ((body, seen), sent) = tokio::try_join!(waiting, sending)?;
    ensure!(code_in(&body) == Some(code), "the waiter got another code");
    // The answer may overtake the 250.
    Ok(seen.saturating_duration_since(sent))
}
