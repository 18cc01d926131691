//! The machine: certificate, disk, file descriptors.

use rustix::process::{Resource, getrlimit};

use crate::config::Config;
use crate::tls::{Certificate, Facts};
use crate::types::Timestamp;

use super::Check;

/// Below this, the next busy hour may fill the disk.
const LEAST_FREE_OCTETS: u64 = 1 << 30;
/// When a certificate should have been renewed.
const RENEWED_BEFORE_DAYS: i64 = 14;
/// Descriptors for files, the database and HTTP, besides the sessions.
const SPARE_DESCRIPTORS: u64 = 256;

pub(super) fn certificate(config: &Config) -> Vec<Check> {
    let files = config.smtp.tls.as_ref();
    if files.is_none() && !config.data_dir.join("tls/cert.pem").exists() {
        let fix =
            "Set PILLARBOX_TLS_CERT and PILLARBOX_TLS_KEY, or PILLARBOX_ACME_DIRECTORY, before senders are asked to check it.";
        return vec![Check::warning("certificate", "There is no certificate yet; the first start makes a self-signed one.", fix)];
    }
    match Certificate::open(files, &config.data_dir, &config.hostname).and_then(|certificate| certificate.facts()) {
        Ok(facts) => facts_of(&facts, &config.hostname),
        Err(error) => {
            let fix = "Give PILLARBOX_TLS_CERT a certificate chain and PILLARBOX_TLS_KEY its key, both in PEM and readable by this user.";
            vec![Check::failed("certificate", format!("The certificate cannot be used: {error:#}."), fix)]
        }
    }
}

fn facts_of(facts: &Facts, hostname: &str) -> Vec<Check> {
    let now = Timestamp::now();
    let days = (facts.not_after.unix() - now.unix()) / 86_400;
    let renew = "Renew it; the server reads the files anew when they change, or on SIGHUP.";
    let expiry = if now < facts.not_before {
        let found = format!("The certificate holds only from {} on.", facts.not_before);
        Check::failed("certificate_expiry", found, "Set this machine's clock, or take a certificate that holds now.")
    } else if days < 0 {
        Check::failed("certificate_expiry", format!("The certificate expired at {}.", facts.not_after), renew)
    } else if days < RENEWED_BEFORE_DAYS {
        Check::warning("certificate_expiry", format!("The certificate expires at {}.", facts.not_after), renew)
    } else {
        Check::ok("certificate_expiry", format!("The certificate holds until {}.", facts.not_after))
    };
    let names = facts.names.join(", ");
    let name = if facts.covers(hostname) {
        Check::ok("certificate_name", format!("The certificate is for {hostname}."))
    } else {
        let fix = format!("Take a certificate for {hostname}, or set PILLARBOX_HOSTNAME to a name that it has.");
        Check::failed("certificate_name", format!("The certificate is for {names}, not for {hostname}."), fix)
    };
    let key = if facts.key_fits {
        Check::ok("certificate_key", "The key is that of the certificate.")
    } else {
        Check::failed(
            "certificate_key",
            "The key is not that of the certificate.",
            "Set PILLARBOX_TLS_KEY to the key that the certificate was made for.",
        )
    };
    let trust = if facts.is_self_signed {
        let fix = "Most senders encrypt all the same. Those that check (MTA-STS, some banks) need one of a public authority: PILLARBOX_ACME_DIRECTORY gets one.";
        Check::warning("certificate_trust", "The certificate is self-signed.", fix)
    } else {
        Check::ok("certificate_trust", "The certificate is signed by an authority.")
    };
    vec![expiry, name, key, trust]
}

pub(super) fn disk(config: &Config) -> Check {
    let existing = config.data_dir.ancestors().find(|dir| dir.exists()).unwrap_or(&config.data_dir);
    let place = config.data_dir.display();
    let stat = match rustix::fs::statvfs(existing) {
        Ok(stat) => stat,
        Err(error) => {
            return Check::failed(
                "disk",
                format!("The disk of {place} cannot be looked at: {error}."),
                "Set PILLARBOX_DATA_DIR to a directory that this user can use.",
            );
        }
    };
    let (free, all) = (stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize).max(1));
    let share = free.saturating_mul(100) / all;
    let megabytes = free / (1 << 20);
    let found = format!("{megabytes} MB ({share} %) are free where {place} is.");
    let fix = "Make room, or move PILLARBOX_DATA_DIR: with a full disk senders are asked to come back later.";
    if free < LEAST_FREE_OCTETS || stat.f_files > 0 && stat.f_favail == 0 {
        Check::failed("disk", found, fix)
    } else if share < 10 {
        Check::warning("disk", found, fix)
    } else {
        Check::ok("disk", found)
    }
}

pub(super) fn descriptors(config: &Config) -> Check {
    let sessions = u64::try_from(config.smtp.max_sessions).unwrap_or(u64::MAX);
    let needed = sessions.saturating_add(SPARE_DESCRIPTORS);
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Check::failed(
            "file_descriptors",
            format!("This process may open {limit} files; {sessions} SMTP sessions at once need {needed}."),
            format!(
                "Raise the limit (LimitNOFILE={needed} in the systemd unit, ulimit -n {needed}), or lower PILLARBOX_SMTP_MAX_SESSIONS."
            ),
        ),
        Some(limit) => Check::ok("file_descriptors", format!("This process may open {limit} files; {needed} are needed.")),
        None => Check::ok("file_descriptors", "This process may open any number of files."),
    }
}
