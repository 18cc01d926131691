//! What verdicts about senders cost: the same signed mail, to a server that checks nothing and to one that checks everything
//! and knows the answers of DNS already, in turn.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::dns::DnsServer;
use crate::intake::{Load, Taken, run_with};
use crate::message::message;
use crate::report::{Report, say};
use crate::server::Server;
use crate::signer::{Signing, rsa_record, sign};

/// Half of the rate without is what is asked for.
pub(crate) async fn compare(program: &Path, dir: &Path, rounds: usize, span: Duration, report: &mut Report) -> Result<()> {
    let dns = DnsServer::start(&[
        "mail.example.net TXT v=spf1 ip4:127.0.0.1 -all",
        "mail.example.net A 127.0.0.1",
        "peer.example.net TXT v=spf1 ip4:127.0.0.1 -all",
        "_dmarc.mail.example.net TXT v=DMARC1; p=reject",
        "1.0.0.127.in-addr.arpa PTR mail.example.net.",
    ])
    .await;
    dns.add(&[&format!("k._domainkey.mail.example.net TXT {}", rsa_record())]);
    let letters: Vec<Vec<u8>> = (0..128).map(letter).collect();
    let without = Server::start_with(program, &dir.join("without"), &[("PILLARBOX_AUTH_CHECKS", "off".to_owned())]).await?;
    let settings = [("PILLARBOX_DNS_SERVERS", dns.setting()), ("PILLARBOX_AUTH_TRUSTED_NETWORKS", "none".to_owned())];
    let with = Server::start_with(program, &dir.join("with"), &settings).await?;
    let load = Load { sessions: 20, octets: 2048 };
    // Also fills caches.
    run_with(&without, load, Duration::from_secs(2), &letters).await?;
    run_with(&with, load, Duration::from_secs(2), &letters).await?;
    let mut found: Vec<(Taken, Taken)> = Vec::new();
    for _ in 0..rounds.max(1) {
        found.push((run_with(&without, load, span, &letters).await?, run_with(&with, load, span, &letters).await?));
    }
    let ratio = |(off, on): &(Taken, Taken)| on.messages_per_second / off.messages_per_second;
    found.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let middle = &found[found.len() / 2];
    let (off, on) = middle;
    say(&format!(
        "verdicts off {:>6.0}/s ({:.0} µs), on {:>6.0}/s ({:.0} µs): {:.0} %; questions to DNS: {}",
        off.messages_per_second,
        off.server_us,
        on.messages_per_second,
        on.server_us,
        100.0 * ratio(middle),
        dns.questions().len(),
    ));
    let passed = count_passed(&with).await?;
    say(&format!("stored with sender_trust pass: {passed}"));
    let figures = json!({
        "off_messages_per_second": off.messages_per_second, "on_messages_per_second": on.messages_per_second,
        "ratio": ratio(middle), "off_server_cpu_us": off.server_us, "on_server_cpu_us": on.server_us,
        "dns_questions": dns.questions().len(), "stored_as_pass": passed,
    });
    report.verdicts(ratio(middle), figures);
    without.stop().await?;
    with.stop().await
}

fn letter(n: u64) -> Vec<u8> {
    let plain = message(n, 2048, &format!("{:06}", 100_000 + n * 6997), "reader@example.org");
    let text = String::from_utf8_lossy(&plain);
    // Its own signature is only made up.
    let text = text.find("From: ").map_or(&*text, |at| &text[at..]);
    sign(text, Signing::of("mail.example.net", "k")).into_bytes()
}

/// That the verdicts were reached, and not only asked for.
async fn count_passed(server: &Server) -> Result<i64> {
    let mut db = server.database().await?;
    Ok(sqlx::query_scalar("select count(*) from messages where sender_trust = 'pass'").fetch_one(&mut db).await?)
}
