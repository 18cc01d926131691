//! The program itself, as an operator runs it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program with nothing in its environment but what a test gives.
pub(crate) fn pillarbox(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillarbox"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PILLARBOX_") {
            command.env_remove(name);
        }
    }
    command.env_remove("DATABASE_URL").env("PILLARBOX_DATA_DIR", data_dir).current_dir(data_dir);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end, with this on standard input.
pub(crate) fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A running `pillarbox serve`; killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    data_dir: PathBuf,
    pub(crate) http: SocketAddr,
    pub(crate) smtp: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Serving {
    /// Starts on ports that are free now, and stay the same through all restarts.
    pub(crate) fn start(data_dir: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self::start_at(data_dir, free(), free())
    }

    fn start_at(data_dir: &Path, http: SocketAddr, smtp: SocketAddr) -> Self {
        let mut command = pillarbox(data_dir);
        command.arg("serve").env("PILLARBOX_HTTP_LISTEN", http.to_string()).env("PILLARBOX_SMTP_LISTEN", smtp.to_string());
        command.env("PILLARBOX_HOSTNAME", "mx.example.org").env("PILLARBOX_LOG_FORMAT", "json");
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        let mut this = Self { child, data_dir: data_dir.to_owned(), http, smtp, log };
        this.wait_until_up();
        this
    }

    fn wait_until_up(&mut self) {
        let patience = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(self.smtp).is_err() || std::net::TcpStream::connect(self.http).is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            assert!(Instant::now() < patience, "it does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All lines that it logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as a crash or a power cut would, and starts it again.
    pub(crate) fn crash_and_start_again(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.start_again()
    }

    /// Starts another on the same directory and ports.
    pub(crate) fn start_again(self) -> Self {
        let (data_dir, http, smtp) = (self.data_dir.clone(), self.http, self.smtp);
        drop(self);
        Self::start_at(&data_dir, http, smtp)
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        signal(self.child.id(), Signal::TERM);
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < patience, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process of its private PostgreSQL.
    pub(crate) fn postmaster(&self) -> u32 {
        let file = self.data_dir.join("postgres/cluster/postmaster.pid");
        std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap()
    }

    /// All processes of its private PostgreSQL.
    pub(crate) fn postgres(&self) -> Vec<u32> {
        let postmaster = self.postmaster();
        let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let mut family: Vec<u32> = numbers.filter(|pid| parent(*pid) == Some(postmaster)).collect();
        family.push(postmaster);
        family
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"INFO\"")).collect();
            eprintln!("the last warnings of the server:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
