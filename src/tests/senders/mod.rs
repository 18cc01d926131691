//! Real senders deliver to the real server over STARTTLS, and what they send is stored octet for octet.
//!
//! The mail servers of Debian do not go beside each other on one system: see `scripts/with-sender`. Where they cannot be had
//! (no root, no Debian, no network) their tests say so and pass; with `CI` set they fail.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::scratch::Scratch;
use crate::harness::server::Server;

/// A message as it is given to a sender, with line ends of one octet.
struct Letter {
    name: &'static str,
    sender: &'static str,
    content: Vec<u8>,
}

fn letter(name: &'static str, sender: &'static str, fields: &str, body: &[u8]) -> Letter {
    let head = format!(
        "From: Sender <sender@example.net>\nTo: {name}@example.org\nDate: Fri, 27 Nov 2026 10:00:00 +0000\n\
         Message-ID: <{name}@example.net>\nSubject: {name}\n{fields}\n"
    );
    Letter { name, sender, content: [head.as_bytes(), body].concat() }
}

fn letters() -> Vec<Letter> {
    let utf8 = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n";
    let latin = "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n";
    let many = (0..2000).fold(String::new(), |fields, n| fields + &format!("X-Field-{n}: {}\n", "y".repeat(60)));
    let folded = format!("X-Folded: a{}\n", "\n\tfolded".repeat(200));
    let long = [vec![b'x'; 998], b"\n".to_vec(), vec![b'y'; 5000], b"\n".to_vec()].concat();
    vec![
        letter("plain", "sender@example.net", "", b"Your verification code is 482913.\n"),
        letter("null", "", "", b"From nobody.\n"),
        letter("empty", "sender@example.net", "", b""),
        letter("dots", "sender@example.net", "", b".\n..\n.a\n\n. \nFrom x\n>From y\n.\n"),
        letter("eight-bit", "sender@example.net", latin, &[b"\xe9\xff\x80 \xa4\n".as_slice(), b"\t\x01\x1b\n"].concat()),
        letter("utf-8", "sender@example.net", utf8, "Grüße, 用户 😀\n".as_bytes()),
        letter("full-line", "sender@example.net", "", &[vec![b'x'; 998], b"\n".to_vec()].concat()),
        letter("long-lines", "sender@example.net", "", &long),
        letter("many-fields", "sender@example.net", &many, b"x\n"),
        letter("folded", "sender@example.net", &folded, b"x\n"),
        letter(
            "large",
            "sender@example.net",
            "",
            &b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n".repeat(8192),
        ),
        letter("jörg", "用户@例え.example", utf8, "An address beyond ASCII.\n".as_bytes()),
    ]
}

fn with_crlf(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 32);
    for &octet in content {
        if octet == b'\n' {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}

/// Writes the letters that a sender takes into a folder, with the list of them and the port.
fn lay_out(dir: &Path, letters: &[Letter], port: u16) {
    let mut list = String::new();
    for (n, letter) in letters.iter().enumerate() {
        std::fs::write(dir.join(format!("{n}.eml")), &letter.content).unwrap();
        // A word for the null path, since a line is read word by word.
        let sender = if letter.sender.is_empty() { "<>" } else { letter.sender };
        writeln!(list, "{n}.eml {sender} {}@example.org", letter.name).unwrap();
    }
    std::fs::write(dir.join("list"), list).unwrap();
    std::fs::write(dir.join("port"), port.to_string()).unwrap();
}

async fn server(letters: &[Letter]) -> Server {
    let server = Server::start().await;
    for letter in letters {
        server.mailbox(&format!("{}@example.org", letter.name)).await;
    }
    server
}

/// Each letter is there once, came encrypted, and is what was sent below the fields that the sender put on top.
async fn all_arrived(server: &Server, letters: &[Letter]) {
    let mut faults = Vec::new();
    for letter in letters {
        let address = format!("{}@example.org", letter.name);
        let rows = server.rest.all(&format!("/mailboxes/{address}/messages"), 200).await;
        if rows.len() != 1 {
            faults.push(format!("{}: there are {}", letter.name, rows.len()));
            continue;
        }
        let path = format!("/messages/{}", rows[0]["id"].as_str().unwrap());
        let email = server.rest.get(&path).await.data();
        let raw = server.rest.get(&format!("{path}/raw")).await.octets();
        let sent = with_crlf(&letter.content);
        let end = sent.len().min(raw.len());
        let (ours, theirs) = (&sent[sent.len() - end..], &raw[raw.len() - end..]);
        if let Some(back) = ours.iter().rev().zip(theirs.iter().rev()).position(|(a, b)| a != b) {
            let around = |octets: &[u8]| {
                octets[end.saturating_sub(back + 60)..(end + 20).saturating_sub(back).min(end)].escape_ascii().to_string()
            };
            faults.push(format!("{}: {}, not {}", letter.name, around(theirs), around(ours)));
        } else if raw.len() < sent.len() {
            faults.push(format!("{}: {} octets of {}", letter.name, raw.len(), sent.len()));
        }
        let added = String::from_utf8_lossy(&raw[..raw.len() - end]).into_owned();
        let is_trace =
            |line: &str| line.starts_with(['\t', ' ']) || line.starts_with("Received: ") || line.starts_with("Return-Path:");
        if let Some(line) = added.lines().find(|line| !is_trace(line)) {
            faults.push(format!("{}: on top stands {line}", letter.name));
        }
        let protocol = email["envelope"]["protocol"].as_str().unwrap();
        if !matches!(protocol, "ESMTPS" | "UTF8SMTPS") || email["envelope"]["reverse_path"] != letter.sender {
            faults.push(format!("{}: {}", letter.name, email["envelope"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Lets one of Debian's mail servers deliver what it can.
async fn deliver_with(package: &str, script: &str, takes: impl Fn(&Letter) -> bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let have = Command::new(root.join("scripts/install-senders")).arg(package).stdout(Stdio::null()).output().await.unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let may_unshare = is_root && Command::new("unshare").args(["--mount", "true"]).status().await.is_ok_and(|s| s.success());
    if !have.status.success() || !may_unshare {
        let why =
            if have.status.success() { "that needs root and namespaces".into() } else { String::from_utf8_lossy(&have.stderr) };
        assert!(std::env::var_os("CI").is_none(), "{package} cannot be run here: {why}");
        eprintln!("skipped: {package} cannot be run here: {why}");
        return;
    }
    let letters: Vec<Letter> = letters().into_iter().filter(takes).collect();
    let (server, scratch) = (server(&letters).await, Scratch::new(0o711));
    let files = scratch.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::os::unix::fs::chown(&files, Some(0), Some(0)).unwrap();
    lay_out(&files, &letters, server.smtp.port());
    std::fs::copy(root.join("src/tests/senders").join(script), files.join("run.sh")).unwrap();
    let mut run = Command::new("timeout");
    run.arg("90").arg(root.join("scripts/with-sender")).arg(package).arg(scratch.path()).args(["bash", "-eu", "/scratch/run.sh"]);
    let output = run.stdin(Stdio::null()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {said}");
    all_arrived(&server, &letters).await;
}

#[tokio::test]
async fn postfix_delivers() {
    deliver_with("postfix", "postfix.sh", |_| true).await;
}

/// Exim sends in chunks.
#[tokio::test]
async fn exim_delivers() {
    deliver_with("exim4-daemon-light", "exim.sh", |_| true).await;
}

/// OpenSMTPD knows no addresses beyond ASCII, and encodes anew what has lines of 998 octets and more.
#[tokio::test]
async fn opensmtpd_delivers() {
    deliver_with("opensmtpd", "opensmtpd.sh", |letter| {
        letter.sender.is_ascii() && !letter.content.split(|octet| *octet == b'\n').any(|line| line.len() >= 998)
    })
    .await;
}

/// Runs a program once for each letter.
async fn deliver_each(takes: impl Fn(&Letter) -> bool, program: impl Fn(&Letter, PathBuf, u16) -> Command) {
    let letters: Vec<Letter> = letters().into_iter().filter(takes).collect();
    let (server, scratch) = (server(&letters).await, Scratch::new(0o700));
    for (n, letter) in letters.iter().enumerate() {
        let file = scratch.path().join(format!("{n}.eml"));
        std::fs::write(&file, &letter.content).unwrap();
        let mut command = program(letter, file.clone(), server.smtp.port());
        let output = command.stdin(std::fs::File::open(&file).unwrap()).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", letter.name);
    }
    all_arrived(&server, &letters).await;
}

#[tokio::test]
async fn msmtp_delivers() {
    deliver_each(
        |letter| letter.sender.is_ascii(),
        |letter, _, port| {
            let mut command = Command::new("msmtp");
            command.args(["--file=/dev/null", "--host=127.0.0.1", "--tls=on", "--tls-starttls=on", "--tls-certcheck=off"]);
            command.args([format!("--port={port}"), format!("--from={}", letter.sender), "--".to_owned()]);
            command.arg(format!("{}@example.org", letter.name));
            command
        },
    )
    .await;
}

#[tokio::test]
async fn swaks_delivers() {
    deliver_each(
        // It ends the last line and the message itself: an empty body and a last line of one dot are beyond it.
        |letter| letter.sender.is_ascii() && !["empty", "dots"].contains(&letter.name),
        |letter, file, port| {
            // It ends the last line itself.
            std::fs::write(&file, letter.content.strip_suffix(b"\n").unwrap_or(&letter.content)).unwrap();
            let mut command = Command::new("swaks");
            command
                .args(["--server", "127.0.0.1", "--tls", "--helo", "swaks.example.net", "--data"])
                .arg(format!("@{}", file.display()));
            command.args(["--port", &port.to_string(), "--to", &format!("{}@example.org", letter.name), "--from"]);
            command.arg(if letter.sender.is_empty() { "<>" } else { letter.sender });
            command
        },
    )
    .await;
}

#[tokio::test]
async fn python_delivers() {
    let script = "import smtplib, ssl, sys\n\
                  context = ssl._create_unverified_context()\n\
                  with smtplib.SMTP('127.0.0.1', int(sys.argv[1]), 'python.example.net') as s:\n\
                  \x20   s.starttls(context=context)\n\
                  \x20   s.sendmail(sys.argv[2], [sys.argv[3]], sys.stdin.buffer.read().replace(b'\\n', b'\\r\\n'), ['BODY=8BITMIME', 'SMTPUTF8'])\n";
    deliver_each(
        |_| true,
        |letter, _, port| {
            let mut command = Command::new("python3");
            command.args(["-c", script, &port.to_string(), letter.sender, &format!("{}@example.org", letter.name)]);
            command
        },
    )
    .await;
}
