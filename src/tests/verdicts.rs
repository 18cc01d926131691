//! What is found out about senders: real signatures and records, asked of a DNS server of the test's own.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mail_auth::dkim::Canonicalization::{Relaxed, Simple};
use pillarbox::config::RawConfig;
use pillarbox::dns::Dns;
use pillarbox::types::Outcome::{Fail, Neutral, None as Nothing, Pass, PermError, SoftFail, TempError};
use pillarbox::types::{DmarcPolicy, Outcome, SenderTrust, Verdicts};
use pillarbox::verdict::{Judge, Sender};

use crate::harness::dns::{DnsServer, Fault};
use crate::harness::signer::{Signing, ed25519, rsa_record, seal, sign, sign_with};

const PEER: &str = "192.0.2.1";
const MAIL: &str =
    "From: Sender <sender@example.net>\r\nTo: alice@example.org\r\nSubject: Your code\r\n\r\nYour code is 482913.\r\n";

fn judge(dns: &DnsServer, settings: RawConfig) -> Judge {
    let settings = RawConfig { dns_servers: Some(dns.setting()), ..settings };
    let config = settings.check().unwrap();
    Judge::new(config.verdicts, Dns::new(&config.dns).unwrap(), 100, "mx.example.org")
}

fn sender(address: &str, reverse_path: &str) -> Sender {
    Sender { address: address.parse().unwrap(), helo: "mail.example.net".into(), reverse_path: reverse_path.into() }
}

async fn verdicts(dns: &DnsServer, address: &str, reverse_path: &str, message: &str) -> Verdicts {
    let content = Bytes::from(message.to_owned());
    judge(dns, RawConfig::default()).judge(&sender(address, reverse_path), &content).await
}

async fn spf(dns: &DnsServer, address: &str, domain: &str) -> Outcome {
    verdicts(dns, address, &format!("bounce@{domain}"), MAIL).await.spf.result
}

/// The only signature's result, and whether the author is proven.
async fn dkim(dns: &DnsServer, message: &str) -> (Outcome, SenderTrust) {
    let found = verdicts(dns, PEER, "", message).await;
    assert_eq!(found.dkim.len(), 1, "{found:?}");
    (found.dkim[0].result, found.sender_trust)
}

#[tokio::test]
async fn spf_follows_the_record() {
    let dns = DnsServer::start(&[
        "pass.example TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
        "a.example TXT v=spf1 a:host.a.example -all",
        "host.a.example A 192.0.2.1",
        "host.a.example AAAA 2001:db8::1",
        "mx.example TXT v=spf1 mx -all",
        "mx.example MX 10 host.a.example.",
        "include.example TXT v=spf1 include:pass.example ?all",
        "redirect.example TXT v=spf1 redirect=pass.example",
        "exists.example TXT v=spf1 exists:%{i}.known.example -all",
        "192.0.2.1.known.example A 127.0.0.2",
        "soft.example TXT v=spf1 ~all",
        "neutral.example TXT v=spf1 ?all",
        "other.example TXT v=spf1 ip4:203.0.113.1 -all",
        "text.example TXT hello",
    ])
    .await;
    for (domain, v4, v6) in [
        ("pass.example", Pass, Pass),
        ("a.example", Pass, Pass),
        ("mx.example", Pass, Pass),
        ("include.example", Pass, Pass),
        ("redirect.example", Pass, Pass),
        ("exists.example", Pass, Fail),
        ("soft.example", SoftFail, SoftFail),
        ("neutral.example", Neutral, Neutral),
        ("other.example", Fail, Fail),
        ("text.example", Nothing, Nothing),
        ("missing.example", Nothing, Nothing),
    ] {
        assert_eq!(spf(&dns, PEER, domain).await, v4, "{domain} from IPv4");
        assert_eq!(spf(&dns, "2001:db8::1", domain).await, v6, "{domain} from IPv6");
    }
}

#[tokio::test]
async fn spf_has_limits() {
    let dns = DnsServer::start(&[
        "twice.example TXT v=spf1 -all",
        "twice.example TXT v=spf1 +all",
        "syntax.example TXT v=spf1 ip4:nonsense -all",
        "loop.example TXT v=spf1 include:loop.example -all",
        "two-voids.example TXT v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all",
        "three-voids.example TXT v=spf1 a:v1.example a:v2.example mx:v3.example ip4:192.0.2.1 -all",
        "no-voids.example TXT v=spf1 exists:v1.example exists:v2.example exists:v3.example ip4:192.0.2.1 -all",
        "gone.example TXT v=spf1 include:nowhere.example -all",
        "broken.example TXT v=spf1 include:sick.example -all",
    ])
    .await;
    let many = |n: usize| (0..n).map(|n| format!("a:h{n}.example")).collect::<Vec<_>>().join(" ");
    for (name, n) in [("ten.example", 10), ("eleven.example", 11)] {
        dns.add(&[&format!("{name} TXT v=spf1 {} ip4:192.0.2.1 -all", many(n))]);
    }
    for n in 0..11 {
        dns.add(&[&format!("h{n}.example A 203.0.113.9")]);
    }
    dns.break_down("sick.example", Fault::ServFail);
    for (domain, expected) in [
        ("twice.example", PermError),
        ("syntax.example", PermError),
        ("loop.example", PermError),
        ("ten.example", Pass),
        ("eleven.example", PermError),
        ("two-voids.example", Pass),
        ("three-voids.example", PermError),
        ("no-voids.example", Pass),
        ("gone.example", PermError),
        ("broken.example", TempError),
    ] {
        assert_eq!(spf(&dns, PEER, domain).await, expected, "{domain}");
    }
    assert!(dns.questions().iter().filter(|asked| asked.starts_with("loop.example")).count() <= 2, "answers are kept");
}

#[tokio::test]
async fn the_name_in_helo_stands_for_an_empty_reverse_path() {
    let dns = DnsServer::start(&["mail.example.net TXT v=spf1 ip4:192.0.2.1 -all"]).await;
    let found = verdicts(&dns, PEER, "", MAIL).await;
    assert_eq!((found.spf.result, found.spf.domain.as_str()), (Pass, "mail.example.net"));
    assert_eq!(found.spf_helo, found.spf);
    let other = verdicts(&dns, "203.0.113.1", "", MAIL).await;
    assert_eq!(other.spf.result, Fail);
    let literal = Sender { helo: "[192.0.2.1]".into(), ..sender(PEER, "") };
    let found = judge(&dns, RawConfig::default()).judge(&literal, &Bytes::from_static(MAIL.as_bytes())).await;
    assert_eq!(found.spf_helo.result, Nothing);
}

#[tokio::test]
async fn signatures_of_both_kinds_and_all_canonicalizations_pass() {
    let (key, record) = ed25519();
    let dns = DnsServer::start(&[]).await;
    dns.add(&[&format!("rsa._domainkey.example.net TXT {}", rsa_record())]);
    dns.add(&[&format!("ed._domainkey.example.net TXT {record}")]);
    for (header, body) in [(Relaxed, Relaxed), (Relaxed, Simple), (Simple, Relaxed), (Simple, Simple)] {
        let signing = Signing { header, body, ..Signing::of("example.net", "rsa") };
        assert_eq!(dkim(&dns, &sign(MAIL, signing)).await, (Pass, SenderTrust::Pass), "{header:?}/{body:?}");
    }
    let signed = sign_with(key, MAIL, Signing::of("example.net", "ed"));
    let found = verdicts(&dns, PEER, "", &signed).await;
    assert_eq!((found.dkim[0].result, found.dkim[0].algorithm.as_str()), (Pass, "ed25519-sha256"));
    let both = verdicts(&dns, PEER, "", &sign(&signed, Signing::of("example.net", "rsa"))).await;
    assert_eq!(both.dkim.iter().map(|dkim| dkim.result).collect::<Vec<_>>(), [Pass, Pass]);
    assert_ne!(both.dkim[0].signature, both.dkim[1].signature);
}

#[tokio::test]
async fn what_was_changed_after_signing_fails_unless_the_canonicalization_allows_it() {
    let dns = DnsServer::start(&[]).await;
    dns.add(&[&format!("rsa._domainkey.example.net TXT {}", rsa_record())]);
    let relaxed = sign(MAIL, Signing::of("example.net", "rsa"));
    let simple = sign(MAIL, Signing { header: Simple, body: Simple, ..Signing::of("example.net", "rsa") });
    for (name, message, expected) in [
        ("another code", relaxed.replace("482913", "482914"), Fail),
        ("another subject", relaxed.replace("Subject: Your code", "Subject: Your prize"), Fail),
        ("a field that is not signed", relaxed.replace("To: ", "X-Note: hello\r\nTo: "), Pass),
        ("white space, relaxed", relaxed.replace("Your code is", "Your  code is"), Pass),
        ("white space, simple", simple.replace("Your code is", "Your  code is"), Fail),
        ("lines at the end", format!("{relaxed}\r\n\r\n"), Pass),
        ("case of a field, simple", simple.replace("\r\nSubject:", "\r\nSUBJECT:"), Fail),
        ("case of a field, relaxed", relaxed.replace("\r\nSubject:", "\r\nSUBJECT:"), Pass),
    ] {
        assert_eq!(dkim(&dns, &message).await.0, expected, "{name}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_is_told_apart_from_one_that_is_not_answered() {
    let dns =
        DnsServer::start(&["revoked._domainkey.example.net TXT v=DKIM1; p=", "junk._domainkey.example.net TXT v=DKIM1; p=???"])
            .await;
    dns.add(&[&format!("good._domainkey.example.net TXT {}", rsa_record())]);
    dns.break_down("sick._domainkey.example.net", Fault::ServFail);
    for (selector, expected) in
        [("missing", PermError), ("revoked", PermError), ("junk", PermError), ("sick", TempError), ("good", Pass)]
    {
        let (result, _) = dkim(&dns, &sign(MAIL, Signing::of("example.net", selector))).await;
        assert_eq!(result, expected, "{selector}");
    }
    let unreadable = format!("DKIM-Signature: v=1; a=nonsense; d=example.net\r\n{MAIL}");
    assert_ne!(dkim(&dns, &unreadable).await.0, Pass);
    let many = sign(MAIL, Signing::of("example.net", "good"));
    let foreign: String =
        (0..50).map(|n| sign("From: a@b.example\r\n\r\n", Signing::of(&format!("d{n}.example"), "x"))).collect();
    let foreign = foreign.replace("From: a@b.example\r\n\r\n", "");
    let found = verdicts(&dns, PEER, "", &(foreign + &many)).await;
    assert_eq!((found.dkim.len(), found.sender_trust), (8, SenderTrust::Pass), "the author's own is among those that are read");
}

#[tokio::test]
async fn alignment_is_relaxed_or_strict_and_subdomains_have_a_policy_of_their_own() {
    let dns = DnsServer::start(&[
        "_dmarc.relaxed.example TXT v=DMARC1; p=reject",
        "_dmarc.strict.example TXT v=DMARC1; p=reject; adkim=s; aspf=s",
        "_dmarc.sub.example TXT v=DMARC1; p=reject; sp=quarantine",
        "_dmarc.test.example TXT v=DMARC1; p=reject; t=y",
        // Part of the older standard; RFC 9989 has none of it.
        "_dmarc.pct.example TXT v=DMARC1; p=reject; pct=0",
        "_dmarc.none.example TXT v=DMARC1; p=none",
        "_dmarc.wrong.example TXT v=DMARC1; p=nonsense",
        "news.sub.example A 192.0.2.7",
        "mail.relaxed.example TXT v=spf1 ip4:192.0.2.1 -all",
        "mail.strict.example TXT v=spf1 ip4:192.0.2.1 -all",
    ])
    .await;
    for domain in ["relaxed.example", "mail.relaxed.example", "strict.example", "mail.strict.example", "evil.example"] {
        dns.add(&[&format!("k._domainkey.{domain} TXT {}", rsa_record())]);
    }
    let reject = DmarcPolicy::Reject;
    for (author, signer, envelope, expected, policy) in [
        ("relaxed.example", Some("relaxed.example"), "", Pass, reject),
        ("relaxed.example", Some("mail.relaxed.example"), "", Pass, reject),
        ("news.relaxed.example", Some("relaxed.example"), "", Pass, reject),
        ("relaxed.example", Some("evil.example"), "", Fail, reject),
        ("relaxed.example", None, "mail.relaxed.example", Pass, reject),
        ("relaxed.example", None, "", Fail, reject),
        ("strict.example", Some("strict.example"), "", Pass, reject),
        ("strict.example", Some("mail.strict.example"), "", Fail, reject),
        ("strict.example", None, "mail.strict.example", Fail, reject),
        ("news.sub.example", None, "", Fail, DmarcPolicy::Quarantine),
        ("test.example", None, "", Fail, DmarcPolicy::Quarantine),
        ("pct.example", None, "", Fail, reject),
        ("none.example", None, "", Fail, DmarcPolicy::None),
    ] {
        let message = MAIL.replace("sender@example.net", &format!("sender@{author}"));
        let message = signer.map_or_else(|| message.clone(), |domain| sign(&message, Signing::of(domain, "k")));
        let envelope = if envelope.is_empty() { String::new() } else { format!("bounce@{envelope}") };
        let found = verdicts(&dns, PEER, &envelope, &message).await;
        assert_eq!((found.dmarc.result, found.dmarc.policy), (expected, policy), "{author} {signer:?} {envelope}: {found:?}");
        let trust = if expected == Pass { SenderTrust::Pass } else { SenderTrust::Fail };
        assert_eq!(found.sender_trust, trust, "{author} {signer:?} {envelope}");
    }
}

#[tokio::test]
async fn without_dmarc_the_authors_own_domain_still_counts() {
    let dns = DnsServer::start(&["plain.example TXT v=spf1 ip4:192.0.2.1 -all", "evil.plain.example TXT v=spf1 +all"]).await;
    dns.add(&[&format!("k._domainkey.plain.example TXT {}", rsa_record())]);
    let mail = |author: &str| MAIL.replace("sender@example.net", &format!("sender@{author}"));
    for (author, address, envelope, expected) in [
        ("plain.example", PEER, "b@plain.example", SenderTrust::Pass),
        ("news.plain.example", PEER, "b@plain.example", SenderTrust::Pass),
        ("plain.example", "203.0.113.1", "b@plain.example", SenderTrust::Fail),
        ("plain.example", "203.0.113.1", "b@evil.plain.example", SenderTrust::None),
        ("unknown.example", PEER, "b@plain.example", SenderTrust::None),
    ] {
        let found = verdicts(&dns, address, envelope, &mail(author)).await;
        assert_eq!((found.dmarc.result, found.sender_trust), (Nothing, expected), "{author} by {envelope} from {address}");
    }
    let signed = sign(&mail("plain.example"), Signing::of("plain.example", "k"));
    let found = verdicts(&dns, "203.0.113.1", "b@plain.example", &signed).await;
    assert_eq!(found.sender_trust, SenderTrust::Pass, "a signature outlives forwarding");
    let two = mail("plain.example").replace("From: ", "From: other@evil.example, ");
    assert_eq!(verdicts(&dns, PEER, "b@plain.example", &two).await.sender_trust, SenderTrust::Fail, "several authors");
    let nobody = MAIL.replace("From: Sender <sender@example.net>\r\n", "");
    assert_eq!(verdicts(&dns, PEER, "b@plain.example", &nobody).await.sender_trust, SenderTrust::None);
    for odd in ["", "\r\n", "no header", ":\r\n\r\n", "From: \r\n\r\n", "From: <@>\r\n\r\nx"] {
        assert_ne!(verdicts(&dns, PEER, "b@plain.example", odd).await.sender_trust, SenderTrust::Pass, "{odd:?}");
    }
}

#[tokio::test]
async fn a_chain_of_seals_is_checked() {
    let dns = DnsServer::start(&["_dmarc.example.net TXT v=DMARC1; p=reject"]).await;
    dns.add(&[&format!("arc._domainkey.forwarder.example TXT {}", rsa_record())]);
    let sealed = seal(MAIL, "forwarder.example", "arc");
    let found = verdicts(&dns, PEER, "", &sealed).await;
    assert_eq!((found.arc.result, found.arc.instances), (Pass, 1), "{found:?}");
    assert_eq!(found.arc.sealer.as_deref(), Some("forwarder.example"));
    assert_eq!(found.sender_trust, SenderTrust::Fail, "a seal of somebody proves no author");
    assert_eq!(verdicts(&dns, PEER, "", &sealed.replace("482913", "482914")).await.arc.result, Fail);
    dns.break_down("forwarder.example", Fault::ServFail);
    assert_eq!(verdicts(&dns, PEER, "", &sealed).await.arc.result, TempError);
    assert_eq!(verdicts(&dns, PEER, "", MAIL).await.arc.result, Nothing);
}

#[tokio::test]
async fn reverse_names_have_to_lead_back() {
    let dns = DnsServer::start(&[
        "1.2.0.192.in-addr.arpa PTR mail.example.net.",
        "mail.example.net A 192.0.2.1",
        "2.2.0.192.in-addr.arpa PTR mail.example.net.",
    ])
    .await;
    for (address, expected, names) in
        [(PEER, Pass, &["mail.example.net"][..]), ("192.0.2.2", Fail, &["mail.example.net"]), ("192.0.2.3", PermError, &[])]
    {
        let found = verdicts(&dns, address, "", MAIL).await.iprev;
        assert_eq!(
            (found.result, found.names.as_slice()),
            (expected, names.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice())
        );
    }
}

#[tokio::test]
async fn lists_are_asked_where_the_operator_names_them() {
    let dns = DnsServer::start(&[
        "1.2.0.192.bad.example A 127.0.0.2",
        "1.2.0.192.bad.example TXT known for spam",
        "1.2.0.192.refusing.example A 127.255.255.254",
    ])
    .await;
    let settings = || RawConfig { dnsbl_zones: Some("bad.example:reject, refusing.example".into()), ..RawConfig::default() };
    let content = Bytes::from_static(MAIL.as_bytes());
    let found = judge(&dns, settings()).judge(&sender(PEER, ""), &content).await.dns_lists;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].zone.as_str(), found[0].reason.as_deref(), found[0].rejects),
        ("bad.example", Some("known for spam"), true)
    );
    assert!(judge(&dns, settings()).judge(&sender("192.0.2.2", ""), &content).await.dns_lists.is_empty());
    dns.break_down("bad.example", Fault::ServFail);
    assert!(judge(&dns, settings()).judge(&sender(PEER, ""), &content).await.dns_lists.is_empty(), "silence names nobody");
}

#[tokio::test]
async fn dead_dns_is_a_temporary_error_in_bounded_time() {
    let dns = DnsServer::start(&[]).await;
    let signed = sign(MAIL, Signing::of("example.net", "k"));
    for fault in [Fault::Silent, Fault::ServFail] {
        dns.break_down(".", fault);
        let settings = RawConfig { auth_timeout_seconds: Some(2.into()), ..RawConfig::default() };
        let asked = Instant::now();
        let content = Bytes::from(signed.clone());
        let found = judge(&dns, settings).judge(&sender(PEER, "bounce@example.net"), &content).await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{fault:?}: {:?}", asked.elapsed());
        let outcomes = [found.spf.result, found.spf_helo.result, found.dkim[0].result, found.dmarc.result, found.iprev.result];
        assert_eq!(outcomes, [TempError; 5], "{fault:?}: {found:?}");
        assert_eq!(found.sender_trust, SenderTrust::TempError);
    }
}

#[tokio::test]
async fn trusted_networks_are_not_judged_and_nothing_is_asked() {
    let dns = DnsServer::start(&[]).await;
    for address in ["127.0.0.1", "10.1.2.3", "::1", "::ffff:192.168.0.1"] {
        let found = verdicts(&dns, address, "bounce@example.net", MAIL).await;
        assert!(!found.checked && found.sender_trust == SenderTrust::None, "{address}");
    }
    assert!(dns.questions().is_empty());
    let settings = RawConfig { auth_trusted_networks: Some("none".into()), ..RawConfig::default() };
    let content = Bytes::from_static(MAIL.as_bytes());
    assert!(judge(&dns, settings).judge(&sender("127.0.0.1", ""), &content).await.checked);
}

#[tokio::test]
async fn a_large_message_is_judged_like_a_small_one() {
    let dns = DnsServer::start(&[]).await;
    dns.add(&[&format!("k._domainkey.example.net TXT {}", rsa_record())]);
    let large = MAIL.to_owned() + &"A line of a large message.\r\n".repeat(40_000);
    assert_eq!(dkim(&dns, &sign(&large, Signing::of("example.net", "k"))).await, (Pass, SenderTrust::Pass));
}
