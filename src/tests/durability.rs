//! Accepted means stored: the program, its PostgreSQL and the line between them are killed and stopped while senders send.
//!
//! `PILLARBOX_TEST_MESSAGES` says how many messages the longest of these tests sends.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::harness::process::{Serving, pillarbox, run, signal, stdout};
use crate::harness::rest::Rest;
use crate::harness::scratch::Scratch;
use crate::harness::sender::Sender;
use crate::harness::smtp_client::SmtpClient;

const SENDERS: usize = 20;
const MAILBOXES: usize = 7;

/// A server with its private PostgreSQL and some mailboxes.
struct House {
    serving: Serving,
    key: String,
    // Goes after the server.
    dir: Scratch,
}

impl House {
    async fn new() -> Self {
        Self::new_in(Scratch::new(0o711)).await
    }

    async fn new_in(dir: Scratch) -> Self {
        let serving = tokio::task::block_in_place(|| Serving::start(dir.path()));
        let mut command = pillarbox(dir.path());
        command.args(["key", "create", "--name", "test", "--reads-per-minute", "1000000"]);
        let key = stdout(&tokio::task::block_in_place(|| run(command, ""))).trim().to_owned();
        let this = Self { serving, key, dir };
        this.rest().post("/domains", json!({ "name": "example.org" })).await.data();
        let addresses: Vec<String> = (0..MAILBOXES).map(mailbox).collect();
        this.rest().post("/mailboxes/batch", json!({ "addresses": addresses })).await.data();
        this
    }

    fn rest(&self) -> Rest {
        Rest::new(self.serving.http).with_key(&self.key)
    }

    fn with(self, change: impl FnOnce(Serving) -> Serving) -> Self {
        let Self { serving, key, dir } = self;
        Self { serving: tokio::task::block_in_place(|| change(serving)), key, dir }
    }

    /// Every message is there exactly once, byte for byte, and nothing else is; and the counts say so too.
    async fn holds_exactly(&self, messages: usize) {
        self.holds(messages, content).await;
    }

    async fn holds(&self, messages: usize, content: impl Fn(usize) -> Vec<u8>) {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let rows = self.rest().all("/messages", 200).await;
        for row in &rows {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            found.entry(text("subject")).or_default().push(text("id"));
        }
        let twice: Vec<_> = found.iter().filter(|(_, ids)| ids.len() > 1).collect();
        assert!(twice.is_empty(), "{} of {messages} are there twice: {twice:?}", twice.len());
        let lost: Vec<usize> = (0..messages).filter(|n| !found.contains_key(&subject(*n))).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert_eq!(rows.len(), messages);
        for n in 0..messages {
            let id = &found[&subject(n)][0];
            let raw = self.rest().get(&format!("/messages/{id}/raw")).await.octets();
            assert!(raw == content(n), "message {n} is not what was sent");
        }
        let mailboxes = self.rest().all("/mailboxes", 200).await;
        let counted: i64 = mailboxes.iter().map(|mailbox| mailbox["message_count"].as_i64().unwrap()).sum();
        assert_eq!(usize::try_from(counted).unwrap(), messages);
    }
}

fn mailbox(n: usize) -> String {
    format!("reader-{}@example.org", n % MAILBOXES)
}

fn subject(n: usize) -> String {
    format!("message {n}")
}

/// Different octets for each message, of all values that need no escape on the wire, and of different length.
fn content(n: usize) -> Vec<u8> {
    let head = format!("From: sender@example.net\r\nSubject: {}\r\n\r\n", subject(n)).into_bytes();
    let lines = 10 + n % 40;
    let body = (0..lines).flat_map(|line| {
        let noise = Sha256::digest(format!("{n}/{line}"));
        let noise = noise.into_iter().map(|octet| if b"\r\n.".contains(&octet) { b'x' } else { octet });
        noise.chain(*b"\r\n").collect::<Vec<u8>>()
    });
    head.into_iter().chain(body).collect()
}

/// Senders at work, and how many of their messages were acknowledged so far.
struct Sending {
    senders: JoinSet<()>,
    acknowledged: Arc<AtomicUsize>,
    messages: usize,
}

impl Sending {
    fn start(house: &House, messages: usize) -> Self {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for first in 0..SENDERS {
            let (server, acknowledged) = (house.serving.smtp, Arc::clone(&acknowledged));
            senders.spawn(async move {
                let mut sender = Sender::new(server);
                for n in (first..messages).step_by(SENDERS) {
                    sender.deliver(&mailbox(n), &content(n)).await;
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                sender.quit().await;
            });
        }
        Self { senders, acknowledged, messages }
    }

    /// Waits until this share of the messages, in hundredths, was acknowledged.
    async fn until(&self, hundredths: usize) {
        let patience = Instant::now() + Duration::from_mins(2);
        while self.acknowledged.load(Ordering::Relaxed) * 100 < self.messages * hundredths {
            assert!(Instant::now() < patience, "only {} were acknowledged", self.acknowledged.load(Ordering::Relaxed));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Anywhere within a transaction.
        tokio::time::sleep(Duration::from_micros(rand::random::<u64>() % 20_000)).await;
    }

    async fn finish(self) {
        self.senders.join_all().await;
    }
}

fn messages() -> usize {
    std::env::var("PILLARBOX_TEST_MESSAGES").ok().and_then(|number| number.parse().ok()).unwrap_or(800)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_and_doubles_nothing() {
    let mut house = House::new().await;
    let sending = Sending::start(&house, messages());
    for hundredths in [10, 25, 45, 60, 85] {
        sending.until(hundredths).await;
        house = house.with(Serving::crash_and_start_again);
    }
    sending.finish().await;
    house.holds_exactly(messages()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_killed_loses_and_doubles_nothing() {
    let house = House::new().await;
    let sending = Sending::start(&house, 400);
    for hundredths in [20, 45, 70] {
        sending.until(hundredths).await;
        signal(house.serving.postmaster(), Signal::KILL);
    }
    sending.finish().await;
    house.holds_exactly(400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_stands_still_is_waited_out() {
    let house = House::new().await;
    let sending = Sending::start(&house, 300);
    let mut session = SmtpClient::hello(house.serving.smtp).await;
    session.dialogue(&[("MAIL FROM:<sender@example.net>", "250 ")]).await;
    sending.until(30).await;
    let family = house.serving.postgres();
    for pid in &family {
        signal(*pid, Signal::STOP);
    }
    let begun = Instant::now();
    session.send("RCPT TO:<nobody@example.org>\r\n").await;
    session.expect("451 4.3.0 ").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // Every sender has heard 451 by then.
    tokio::time::sleep(Duration::from_secs(9).saturating_sub(begun.elapsed())).await;
    for pid in &family {
        signal(*pid, Signal::CONT);
    }
    let begun = Instant::now();
    loop {
        session.send("RCPT TO:<reader-0@example.org>\r\n").await;
        if session.reply().await.starts_with("250 ") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    sending.finish().await;
    house.holds_exactly(300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_finishes_what_is_under_way() {
    let mut house = House::new().await;
    let mut idle = SmtpClient::hello(house.serving.smtp).await;
    let sending = Sending::start(&house, 400);
    for hundredths in [20, 60] {
        sending.until(hundredths).await;
        house.serving.terminate();
        if hundredths == 20 {
            idle.expect("421 4.3.2 ").await;
        }
        let begun = Instant::now();
        let status = tokio::task::block_in_place(|| house.serving.wait());
        assert!(status.success(), "{status}: {}", house.serving.log());
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(!house.dir.path().join("postgres/cluster/postmaster.pid").exists(), "its PostgreSQL goes with it");
        house = house.with(Serving::start_again);
    }
    sending.finish().await;
    house.holds_exactly(400).await;
}

/// A small disk under the whole data directory, gone with it.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// `None` where this account may not mount.
    fn new(path: &std::path::Path, megabytes: u32) -> Option<Self> {
        let options = format!("size={megabytes}m,mode=0711");
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).output().ok()?;
        made.status.success().then(|| Self(path.to_owned()))
    }

    fn grow_to(&self, megabytes: u32) {
        let options = format!("remount,size={megabytes}m");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Four megabytes that hardly compress.
fn large(n: usize) -> Vec<u8> {
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let lines = (0..64_000_u32).map(|line| Sha256::digest(line.to_le_bytes()));
        // Letters alone: 62 in 64 octets of a line, and its end.
        lines
            .flat_map(|line| [&line[..], &line[1..31]].concat().into_iter().map(|octet| b'0' + octet % 75).chain(*b"\r\n"))
            .collect()
    });
    [format!("Subject: {}\r\n\r\n", subject(n)).as_bytes(), &NOISE].concat()
}

/// Tries to deliver a large message once; the first reply that says no, else the last.
async fn once(house: &House, n: usize) -> String {
    let mut session = SmtpClient::hello(house.serving.smtp).await;
    for line in ["MAIL FROM:<sender@example.net>", &format!("RCPT TO:<{}>", mailbox(n)), "DATA"] {
        session.send(format!("{line}\r\n")).await;
        let reply = session.reply().await;
        if !reply.starts_with("250 ") && !reply.starts_with("354 ") {
            return reply;
        }
    }
    session.send([large(n), b".\r\n".to_vec()].concat()).await;
    let reply = session.reply().await;
    session.dialogue(&[("QUIT", "221 ")]).await;
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_the_senders_come_back() {
    let dir = Scratch::new(0o711);
    let Some(disk) = SmallDisk::new(dir.path(), 120) else {
        eprintln!("not tried: this account may not mount a disk of its own");
        return;
    };
    let house = House::new_in(dir).await;
    let mut stored = 0;
    let refusal = loop {
        let reply = once(&house, stored).await;
        if !reply.starts_with("250 ") {
            break reply;
        }
        stored += 1;
        assert!(stored < 500, "the disk does not fill up");
    };
    assert!(refusal.starts_with("45"), "{refusal}");
    assert!(stored > 2, "{stored}");
    // For as long as there is no room, a sender is asked to come back and the server stays up.
    for _ in 0..3 {
        let reply = once(&house, stored).await;
        assert!(reply.starts_with("45"), "{reply}");
    }
    disk.grow_to(1024);
    let mut sender = Sender::new(house.serving.smtp);
    sender.deliver(&mailbox(stored), &large(stored)).await;
    sender.quit().await;
    house.holds(stored + 1, large).await;
}
