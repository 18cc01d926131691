//! What the kernel says about processes.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks of `/proc/PID/stat` in a second; Linux has had 100 on all common machines for as long as this matters.
const TICKS: u64 = 100;

/// Processor time, user and system together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// The server.
    pub(crate) server: Duration,
    /// All processes below it: PostgreSQL.
    pub(crate) postgres: Duration,
}

impl Cpu {
    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { server: self.server.saturating_sub(before.server), postgres: self.postgres.saturating_sub(before.postgres) }
    }
}

struct Stat {
    pid: u32,
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
    let parent = u32::try_from(number(1)?).ok()?;
    Some(Stat { pid, parent, own: number(11)? + number(12)?, ended_children: number(13)? + number(14)? })
}

/// The processor time of a process and of all below it.
pub(crate) fn cpu(root: u32) -> Result<Cpu> {
    let all: Vec<Stat> =
        std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(stat).collect();
    let server = all.iter().find(|s| s.pid == root).context("the server is gone")?;
    let mut below = vec![root];
    let mut ticks = 0;
    while let Some(parent) = below.pop() {
        for child in all.iter().filter(|s| s.parent == parent) {
            below.push(child.pid);
            ticks += child.own + child.ended_children;
        }
    }
    let duration = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    Ok(Cpu { server: duration(server.own), postgres: duration(ticks) })
}

/// A line of `/proc/PID/status` in MB (10^6 octets): `VmRSS` now, `VmHWM` the most since the last [`forget_peak`].
pub(crate) fn memory(pid: u32, line: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':')?.trim().strip_suffix(" kB"));
    let kibibytes: f64 = found.with_context(|| format!("there is no {line}"))?.trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

/// Lets the kernel count the peak of memory anew.
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("resetting the peak of memory")
}
