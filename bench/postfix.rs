//! Postfix delivering to a Maildir, with its defaults, beside us under the same sender.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::message::message;
use crate::report::{Report, say};
use crate::server::{DOMAIN, Server, address};

const SESSIONS: usize = 20;

/// Sends the same file with Postfix's own load generator to Postfix and to us, in turn, twice.
pub(crate) async fn compare(server: &Server, dir: &Path, messages: usize, report: &mut Report) -> Result<()> {
    let Some((postfix, source)) = program("postfix").zip(program("smtp-source")) else {
        say("Postfix is not installed, so it is not compared with (apt-get install postfix).");
        return Ok(());
    };
    let letter = dir.join("letter");
    // smtp-source puts the CR before each LF.
    let octets: Vec<u8> = message(1, 2048, "123456", &address(0)).into_iter().filter(|octet| *octet != b'\r').collect();
    std::fs::write(&letter, octets)?;
    let instance = Instance::start(&postfix, &dir.join("postfix")).await?;
    let mut rates = Vec::new();
    for _ in 0..2 {
        let before = instance.delivered();
        let started = Instant::now();
        send(&source, instance.listens, messages, &letter).await?;
        while instance.delivered() < before + messages {
            ensure!(started.elapsed() < Duration::from_mins(2), "Postfix delivered only {}", instance.delivered() - before);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let theirs = started.elapsed().as_secs_f64();
        let started = Instant::now();
        send(&source, server.smtp, messages, &letter).await?;
        rates.push((theirs, started.elapsed().as_secs_f64()));
    }
    instance.stop(&postfix).await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = |seconds: f64| (messages * rates.len()) as f64 / seconds;
    report.postfix(rate(rates.iter().map(|(theirs, _)| theirs).sum()), rate(rates.iter().map(|(_, ours)| ours).sum()));
    Ok(())
}

async fn send(source: &Path, to: SocketAddr, messages: usize, letter: &Path) -> Result<()> {
    let status = Command::new(source)
        .args(["-d", "-s", &SESSIONS.to_string(), "-m", &messages.to_string(), "-f", "bounce@mail.example.net"])
        .args(["-t", &address(0), "-F"])
        .arg(letter)
        .arg(format!("inet:{to}"))
        .status()
        .await?;
    ensure!(status.success(), "smtp-source ended with {status}");
    Ok(())
}

/// An instance of its own, apart from any that the machine may have.
struct Instance {
    config: PathBuf,
    maildir: PathBuf,
    listens: SocketAddr,
}

impl Instance {
    async fn start(postfix: &Path, dir: &Path) -> Result<Self> {
        let (config, queue, data, mail) = (dir.join("etc"), dir.join("queue"), dir.join("data"), dir.join("mail"));
        for each in [&config, &queue, &data, &mail] {
            std::fs::create_dir_all(each)?;
        }
        let user = std::process::Command::new("id").args(["-u", "postfix"]).output()?;
        let user: u32 = String::from_utf8(user.stdout)?.trim().parse().context("there is no user postfix")?;
        std::os::unix::fs::chown(&data, Some(user), None)?;
        std::os::unix::fs::chown(&mail, Some(user), None)?;
        let listens = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(config.join("main.cf"), settings(&queue, &data, &mail, user))?;
        let services = std::fs::read_to_string("/usr/share/postfix/master.cf.dist")?;
        let services = services.replacen("\nsmtp      inet", &format!("\n127.0.0.1:{} inet", listens.port()), 1);
        // Its queue directory is no place to live in: Debian copies libraries into the usual one.
        std::fs::write(config.join("master.cf"), services.replace("-       y       -", "-       n       -"))?;
        let status = Command::new(postfix).arg("-c").arg(&config).arg("start").status().await?;
        ensure!(status.success(), "Postfix did not start");
        let this = Self { config, maildir: mail.join("box/new"), listens };
        let started = Instant::now();
        while tokio::net::TcpStream::connect(listens).await.is_err() {
            ensure!(started.elapsed() < Duration::from_secs(20), "Postfix does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(this)
    }

    fn delivered(&self) -> usize {
        std::fs::read_dir(&self.maildir).map_or(0, Iterator::count)
    }

    async fn stop(&self, postfix: &Path) -> Result<()> {
        Command::new(postfix).arg("-c").arg(&self.config).arg("stop").status().await?;
        Ok(())
    }
}

/// Where things are, and who gets mail; what matters for speed and durability stays as Postfix has it.
fn settings(queue: &Path, data: &Path, mail: &Path, user: u32) -> String {
    format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmyhostname = mx.example.org\n\
         mydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
         virtual_mailbox_domains = {DOMAIN}\nvirtual_mailbox_base = {}\nvirtual_mailbox_maps = static:box/\n\
         virtual_minimum_uid = 1\nvirtual_uid_maps = static:{user}\nvirtual_gid_maps = static:{user}\n",
        queue.display(),
        data.display(),
        mail.display(),
    )
}

fn program(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.is_file())
}
