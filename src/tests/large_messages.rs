//! Many large messages at once: they wait on disk, memory stays bounded, and each arrives whole.
//!
//! `PILLARBOX_TEST_LARGE_SENDERS` and `PILLARBOX_TEST_LARGE_BYTES` make it as large as wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::harness::process::{Serving, pillarbox, run, stdout};
use crate::harness::rest::Rest;
use crate::harness::scratch::Scratch;
use crate::harness::smtp_client::SmtpClient;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

/// What a process has in memory, in octets.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Lines that do not compress, as an attachment in base64 is; different for each sender.
fn content(n: usize, octets: usize) -> Vec<u8> {
    let mut out = format!(
        "From: sender@example.net\r\nSubject: large {n}\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ n as u64;
    while out.len() + 78 <= octets {
        for _ in 0..76 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            out.push(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[usize::try_from(state % 64).unwrap()]);
        }
        out.extend(b"\r\n");
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_messages_at_once_take_little_memory_and_arrive_whole() {
    let (senders, octets) = (number("PILLARBOX_TEST_LARGE_SENDERS", 24), number("PILLARBOX_TEST_LARGE_BYTES", 2_000_000));
    let dir = Scratch::new(0o711);
    let serving = tokio::task::block_in_place(|| Serving::start(dir.path()));
    let mut command = pillarbox(dir.path());
    command.args(["key", "create", "--name", "test"]);
    let key = stdout(&tokio::task::block_in_place(|| run(command, ""))).trim().to_owned();
    let rest = Rest::new(serving.http).with_key(&key);
    rest.post("/domains", json!({ "name": "example.org" })).await.data();
    rest.post("/mailboxes", json!({ "address": "large@example.org" })).await.data();

    let pid = serving.id();
    let before = resident(pid);
    let (peak, done) = (Arc::new(AtomicUsize::new(before)), Arc::new(AtomicBool::new(false)));
    let watch = tokio::spawn({
        let (peak, done) = (Arc::clone(&peak), Arc::clone(&done));
        async move {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(resident(pid), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let begun = Instant::now();
    let mut sessions = JoinSet::new();
    for n in 0..senders {
        let address = serving.smtp;
        sessions.spawn(async move {
            let content = content(n, octets);
            let digest = Sha256::digest(&content);
            let mut peer = SmtpClient::hello(address).await;
            peer.dialogue(&[("MAIL FROM:<sender@example.net>", "250 "), ("RCPT TO:<large@example.org>", "250 ")]).await;
            // All but the end, so that all are under way before the first is stored.
            let (most, end) = content.split_at(content.len() - 1000);
            peer.send(format!("BDAT {}\r\n", most.len())).await;
            peer.send(most).await;
            peer.expect("250 2.0.0 ").await;
            (peer, end.to_vec(), digest.iter().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}")))
        });
    }
    let sessions = sessions.join_all().await;
    let (received, waiting) = (begun.elapsed(), resident(pid));
    let mut stored = JoinSet::new();
    for (mut peer, end, digest) in sessions {
        stored.spawn(async move {
            peer.send([format!("BDAT {} LAST\r\n", end.len()).as_bytes(), &end].concat()).await;
            let reply = peer.reply_within(Duration::from_mins(8)).await;
            assert!(reply.starts_with("250 2.0.0 Stored"), "{reply}");
            digest
        });
    }
    let mut sent = stored.join_all().await;
    done.store(true, Ordering::Relaxed);
    watch.await.unwrap();
    let peak = peak.load(Ordering::Relaxed);
    let mib = |octets: usize| octets >> 20;
    eprintln!(
        "{senders} messages of {octets} octets: {} MiB before, {} MiB with all of them received (after {received:?}), \
         {} MiB at most, {:?} in all",
        mib(before),
        mib(waiting),
        mib(peak),
        begun.elapsed(),
    );
    // The memory of unstored messages (64 MiB), what is read and written at once (32 MiB, three times), and the sessions.
    assert!(peak < before + (220 << 20), "{} MiB", mib(peak));
    let mut found: Vec<String> = Vec::new();
    for row in rest.all("/messages", 200).await {
        let email = rest.get(&format!("/messages/{}", row["id"].as_str().unwrap())).await.data();
        found.push(email["sha256"].as_str().unwrap().to_owned());
    }
    found.sort();
    sent.sort();
    assert_eq!(found, sent);
    assert_eq!(std::fs::read_dir(dir.path().join("spool")).unwrap().count(), 0, "nothing lies about");
}
