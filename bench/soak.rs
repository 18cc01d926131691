//! Thousands of peers at once that stand still: what they cost, and whether mail goes on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::process;
use super::report::Report;
use super::server::{Server, address};
use super::smtp::Peer;

/// What a peer sends before it stands still, and how many do.
const KINDS: [(&str, &str, usize); 4] = [
    ("half a command", "EHLO peer.exam", 500),
    (
        "half a message",
        "EHLO peer.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<box1@bench.example.org>\r\nDATA\r\nSubject: half\r\n",
        500,
    ),
    ("answers unread", "HELP\r\nHELP\r\nHELP\r\nHELP\r\nHELP\r\nHELP\r\nHELP\r\nHELP\r\n", 500),
    ("half open", "", 500),
];

/// Opens `idle` connections that said EHLO and wait, and some of each other kind; says what memory that takes.
pub(crate) async fn measure(server: &Server, idle: usize, report: &mut Report) -> Result<()> {
    raise_file_limit()?;
    let before = process::memory(server.pid(), "VmRSS")?;
    let began = Instant::now();
    let mut peers = Vec::with_capacity(idle);
    for _ in 0..idle {
        peers.push(Peer::connect(server.smtp).await.context("connecting an idle peer")?);
    }
    let with_idle = process::memory(server.pid(), "VmRSS")?;
    report.soak("connections that wait", format!("{idle} opened in {:.1} s", began.elapsed().as_secs_f64()));
    report.soak("memory before", format!("{before:.0} MB"));
    report.soak("memory with them", format!("{with_idle:.0} MB"));
    let mut stuck = Vec::new();
    for (_, octets, count) in KINDS {
        for _ in 0..count {
            let mut stream = TcpStream::connect(server.smtp).await?;
            stream.write_all(octets.as_bytes()).await?;
            stuck.push(stream);
        }
    }
    let with_all = process::memory(server.pid(), "VmRSS")?;
    report.soak("memory with 2000 more that stopped midway", format!("{with_all:.0} MB"));
    let began = Instant::now();
    let mut peer = Peer::connect(server.smtp).await?;
    for n in 0..500 {
        ensure!(peer.send(&address(n), b"Subject: soak\r\n\r\nx\r\n").await? == 250, "mail was put off");
    }
    peer.quit().await?;
    report.soak("messages meanwhile, one session", format!("{:.0}/s", 500.0 / began.elapsed().as_secs_f64()));
    for stream in &mut stuck {
        // Whoever stands still is still there: nothing was cut for want of room.
        let mut greeting = [0; 3];
        tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut greeting)).await??;
        ensure!(&greeting == b"220", "a peer was turned away");
    }
    for peer in peers {
        peer.quit().await?;
    }
    report.soak_bar(format!("{idle} idle connections take {with_idle:.0} MB of memory (under 300)"), with_idle < 300.0);
    Ok(())
}

fn raise_file_limit() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("raising the limit of open files")
}
