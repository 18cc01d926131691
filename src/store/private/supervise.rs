//! The thread that starts PostgreSQL, waits for its end, and starts it again until it is told to stop.

use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::oneshot;

use super::Options;
use super::cluster::Cluster;

/// How long a first start may go on failing for reasons that pass (remains of a killed server).
const FIRST_START_PATIENCE: Duration = Duration::from_secs(15);
/// How long replaying the log of changes may take before a start counts as failed.
const RECOVERY_PATIENCE: Duration = Duration::from_mins(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A PostgreSQL that lived this long was well; its end is not part of a series.
const WELL: Duration = Duration::from_mins(1);

/// How the rest of the process speaks to the thread.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    child: Option<Pid>,
}

impl Control {
    /// Asks for the end, now or as soon as there is something to end. Does not wait.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        state.interrupt();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// From here on `stop` reaches this child.
    fn watch(&self, child: &Child) {
        let mut state = self.lock();
        state.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if state.stopping {
            state.interrupt();
        }
    }

    /// Waits for the end of the watched child without a moment in which its number could belong to another process.
    fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let watched = self.lock().child;
        if let Some(pid) = watched {
            // Seen but not yet collected, the number stays taken until `stop` can no longer use it.
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), look), Err(Errno::INTR)) {}
        }
        self.lock().child = None;
        child.wait()
    }

    /// Sleeps unless told to stop; tells whether it was.
    fn pause(&self, time: Duration) -> bool {
        let state = self.lock();
        let slept = self.changed.wait_timeout_while(state, time, |state| !state.stopping);
        slept.unwrap_or_else(PoisonError::into_inner).0.stopping
    }
}

impl State {
    /// SIGINT is PostgreSQL's fast shutdown: roll back, write a checkpoint, end.
    fn interrupt(&self) {
        if let Some(pid) = self.child {
            // It may have ended by itself; then there is nothing to do.
            let _ = kill_process(pid, Signal::INT);
        }
    }
}

/// The thread's whole life. Reports the socket's directory, or why there is none.
pub(super) fn run(options: &Options, control: &Control, report: oneshot::Sender<Result<PathBuf>>) {
    let started = Cluster::prepare(options).and_then(|cluster| {
        let child = first_start(&cluster, control)?;
        Ok((cluster, child))
    });
    match started {
        Ok((cluster, child)) => {
            tracing::info!(directory = %cluster.socket_dir().display(), "the private PostgreSQL {} runs", cluster.version());
            if report.send(Ok(cluster.socket_dir().to_path_buf())).is_err() {
                control.stop();
            }
            keep_running(&cluster, control, child);
        }
        Err(error) => {
            // Nobody listens any more when the start was given up.
            let _ = report.send(Err(error));
        }
    }
}

fn first_start(cluster: &Cluster, control: &Control) -> Result<Child> {
    let patience = Instant::now() + FIRST_START_PATIENCE;
    loop {
        match launch(cluster, control) {
            Err(failure) if failure.passes && Instant::now() < patience => {}
            Err(failure) => return Err(failure.error),
            Ok(child) => return Ok(child),
        }
        if control.pause(Duration::from_millis(200)) {
            bail!("The start of the private PostgreSQL was given up.");
        }
    }
}

/// Waits for the end, again and again.
fn keep_running(cluster: &Cluster, control: &Control, mut child: Child) {
    loop {
        let (ended, lived) = {
            let since = Instant::now();
            (control.wait(&mut child), since.elapsed())
        };
        if control.is_stopping() {
            return;
        }
        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        tracing::error!(log = %cluster.log_path().display(), "the private PostgreSQL ended by itself ({how}); starting it again");
        let first = if lived > WELL { Duration::ZERO } else { SHORTEST_PAUSE };
        match start_again(cluster, control, first) {
            Some(next) => child = next,
            None => return,
        }
    }
}

fn start_again(cluster: &Cluster, control: &Control, first_pause: Duration) -> Option<Child> {
    let mut pause = first_pause;
    loop {
        if control.pause(pause) {
            return None;
        }
        match launch(cluster, control) {
            Ok(child) => {
                tracing::info!("the private PostgreSQL runs again");
                return Some(child);
            }
            Err(failure) => tracing::error!(error = %failure.error, "the private PostgreSQL does not start yet; trying again"),
        }
        pause = (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    }
}

/// Why one try to start failed.
struct Failure {
    error: anyhow::Error,
    /// Whether it is about remains of an earlier life that vanish by themselves.
    passes: bool,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { error, passes: false }
    }
}

/// Starts PostgreSQL once and waits until it takes connections.
fn launch(cluster: &Cluster, control: &Control) -> Result<Child, Failure> {
    let log_from = cluster.log_size();
    let mut child = cluster.spawn().context("Cannot run PostgreSQL")?;
    control.watch(&child);
    let patience = Instant::now() + RECOVERY_PATIENCE;
    while !cluster.is_ready(child.id()) {
        let late = Instant::now() > patience;
        if late {
            control.lock().interrupt();
        }
        if late || child_has_ended(&child) {
            let status = control.wait(&mut child).context("waiting for PostgreSQL")?;
            let words = cluster.last_words(log_from);
            let passes = ["postmaster.pid", "shared memory block"].iter().any(|remains| words.contains(remains));
            let error = anyhow::anyhow!(
                "The private PostgreSQL did not start ({status}). Its log {} says: {words}",
                cluster.log_path().display()
            );
            return Err(Failure { error, passes });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// Looks without collecting, so that the process number stays ours.
fn child_has_ended(child: &Child) -> bool {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return true };
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
}
