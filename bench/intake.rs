//! Durable messages per second over SMTP: each counted one was answered 250, so it is on disk.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::ceiling::Ceiling;
use crate::database;
use crate::database::Stored;
use crate::message::message;
use crate::percentiles::Percentiles;
use crate::process;
use crate::report::{Report, say};
use crate::server::{BUSY_MAILBOXES, Server, address};
use crate::smtp::Peer;

/// A load of mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) sessions: usize,
    /// The size of each message.
    pub(crate) octets: usize,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) messages_per_second: f64,
    /// From the last octet of the message to its 250.
    pub(crate) answer: Percentiles,
    /// Put off with 4yz.
    pub(crate) deferred: usize,
    /// Microseconds of processor for one message.
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    /// Messages for each time that the log was synced to disk.
    pub(crate) per_sync: f64,
    /// The peak of the server's resident memory.
    pub(crate) peak_mb: f64,
}

impl Taken {
    fn json(self, load: Load) -> Value {
        json!({
            "sessions": load.sessions, "octets": load.octets, "messages_per_second": self.messages_per_second,
            "answer": self.answer.json(), "deferred": self.deferred, "server_cpu_us": self.server_us,
            "postgres_cpu_us": self.postgres_us, "messages_per_sync": self.per_sync, "server_peak_mb": self.peak_mb,
        })
    }
}

/// What all sessions count together, while `counting`.
#[derive(Default)]
struct Counts {
    until: Cell<Option<Instant>>,
    counting: Cell<bool>,
    taken: Cell<usize>,
    deferred: Cell<usize>,
}

/// Sends letters of the load's size for a while.
pub(crate) async fn run(server: &Server, load: Load, span: Duration) -> Result<Taken> {
    let letters: Vec<Vec<u8>> =
        (0..128).map(|n| message(n, load.octets, &format!("{:06}", 100_000 + n * 6997), "reader@example.org")).collect();
    run_with(server, load, span, &letters).await
}

/// Sends these letters in turn for a while.
pub(crate) async fn run_with(server: &Server, load: Load, span: Duration, letters: &[Vec<u8>]) -> Result<Taken> {
    let counts = Rc::new(Counts::default());
    process::forget_peak(server.pid())?;
    let mut db = server.database().await?;
    let mut peers = Vec::with_capacity(load.sessions);
    for _ in 0..load.sessions {
        peers.push(Peer::connect(server.smtp).await?);
    }
    let sessions = peers.into_iter().enumerate().map(|(number, peer)| session(peer, number, letters, Rc::clone(&counts)));
    let clock = async {
        // The first messages find caches cold and sessions in step.
        tokio::time::sleep(span / 5).await;
        counts.counting.set(true);
        let synced = database::syncs(&mut db).await?;
        let (started, before) = (Instant::now(), process::cpu(server.pid())?);
        tokio::time::sleep(span).await;
        counts.counting.set(false);
        let (elapsed, used) = (started.elapsed(), process::cpu(server.pid())?.since(before));
        let syncs = database::syncs(&mut db).await? - synced;
        counts.until.set(Some(Instant::now()));
        anyhow::Ok((elapsed, used, syncs))
    };
    let (times, (elapsed, used, syncs)) = tokio::try_join!(try_join_all(sessions), clock)?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let taken = counts.taken.get() as f64;
    Ok(Taken {
        messages_per_second: taken / elapsed.as_secs_f64(),
        answer: Percentiles::of(times.concat()),
        deferred: counts.deferred.get(),
        server_us: used.server.as_secs_f64() * 1e6 / taken,
        postgres_us: used.postgres.as_secs_f64() * 1e6 / taken,
        per_sync: taken / syncs.max(1.0),
        peak_mb: process::memory(server.pid(), "VmHWM")?,
    })
}

async fn session(mut peer: Peer, number: usize, letters: &[Vec<u8>], counts: Rc<Counts>) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut next = number * 131;
    while counts.until.get().is_none() {
        next += 1;
        let started = Instant::now();
        let code = peer.send(&address(next * 7919 % BUSY_MAILBOXES), &letters[next % letters.len()]).await?;
        if counts.counting.get() {
            if code == 250 {
                counts.taken.set(counts.taken.get() + 1);
                times.push(started.elapsed());
            } else {
                counts.deferred.set(counts.deferred.get() + 1);
            }
        }
    }
    peer.quit().await?;
    Ok(times)
}

/// The main load and the ceiling, in turn, so that both see the same disk and the same neighbours.
pub(crate) async fn against_ceiling(
    server: &Server,
    rows: &[Stored],
    rounds: usize,
    span: Duration,
    report: &mut Report,
) -> Result<()> {
    let ceiling = Ceiling::make(server).await?;
    let load = Load { sessions: 20, octets: 2048 };
    let mut found = Vec::new();
    for _ in 0..rounds.max(1) {
        let limit = ceiling.measure(server, rows, span).await?;
        let taken = run(server, load, span).await?;
        say(&format!(
            "ceiling {:>6.0}/s (PostgreSQL {:.0} µs a message), on one connection {:>6.0}/s   20 sessions x 2 KB {:>6.0}/s = {:.0} %, {:.0} %",
            limit.messages_per_second,
            limit.postgres_us,
            limit.on_one_connection,
            taken.messages_per_second,
            100.0 * taken.messages_per_second / limit.messages_per_second,
            100.0 * taken.messages_per_second / limit.on_one_connection,
        ));
        found.push((limit, taken));
    }
    found.sort_by(|(a, x), (b, y)| {
        (x.messages_per_second / a.messages_per_second).total_cmp(&(y.messages_per_second / b.messages_per_second))
    });
    let (limit, taken) = found[found.len() / 2];
    report.ceiling(limit);
    report.taken(load, taken, taken.json(load));
    Ok(())
}

/// The other numbers of sessions and sizes.
pub(crate) async fn other_loads(server: &Server, span: Duration, report: &mut Report) -> Result<()> {
    for (sessions, octets) in [(1, 2048), (200, 2048), (1, 50_000), (20, 50_000), (200, 50_000)] {
        let load = Load { sessions, octets };
        let taken = run(server, load, span).await?;
        report.taken(load, taken, taken.json(load));
    }
    Ok(())
}
