//! A domain's DNS: what is wanted beside what its servers say.

use pillarbox::config::RawConfig;
use serde_json::{Value, json};

use crate::harness::dns::{DnsServer, Fault};
use crate::harness::server::Server;

/// As they should be, for the server mx.example.org at 203.0.113.5.
const RIGHT: &[&str] = &[
    "example.org NS ns1.example.org.",
    "ns1.example.org A 127.0.0.1",
    "example.org MX 10 mx.example.org.",
    "mx.example.org A 203.0.113.5",
    "example.org TXT v=spf1 -all",
    "_smtp._tls.example.org TXT v=TLSRPTv1; rua=mailto:tls-reports@example.org",
];

/// A server that asks this one, both as its resolver and as the zone's own.
async fn server(dns: &DnsServer) -> Server {
    let settings = RawConfig {
        dns_servers: Some(dns.setting()),
        dns_authority_port: Some(u64::from(dns.address.port()).into()),
        dns_timeout_seconds: Some(1.into()),
        public_addresses: Some("203.0.113.5".to_owned()),
        ..RawConfig::default()
    };
    Server::start_with(settings).await
}

async fn check(server: &Server) -> Value {
    server.rest.get("/domains/example.org/check").await.data()
}

fn record<'a>(check: &'a Value, id: &str) -> &'a Value {
    check["records"].as_array().unwrap().iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("{check}: no {id}"))
}

fn verdict<'a>(check: &'a Value, id: &str) -> &'a str {
    record(check, id)["verdict"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_right_is_said_to_be_and_what_is_not_needed_is_not_missed() {
    let dns = DnsServer::start(RIGHT).await;
    let server = server(&dns).await;
    let check = check(&server).await;
    assert_eq!(check["state"], "ready", "{check}");
    for (id, expected) in [
        ("mx", "right"),
        ("address", "right"),
        ("ipv6", "not_needed"),
        ("mta_sts", "not_needed"),
        ("tls_rpt", "right"),
        ("tlsa", "not_needed"),
        ("spf", "right"),
    ] {
        assert_eq!(verdict(&check, id), expected, "{check}");
    }
    let zone = check["zone_file"].as_str().unwrap();
    for line in ["example.org. 3600 IN MX 10 mx.example.org.", "mx.example.org. 3600 IN A 203.0.113.5"] {
        assert!(zone.lines().any(|found| found == line), "{zone}");
    }
    let tlsa = record(&check, "tlsa")["wanted"][0].as_str().unwrap().to_owned();
    assert!(tlsa.starts_with("3 1 1 ") && tlsa.len() == 6 + 64, "{tlsa}");
    server.rest.get("/domains/example.net/check").await.problem(404, "domain_not_found");
}

#[tokio::test]
async fn what_is_wrong_or_missing_is_told_with_what_to_do() {
    let dns = DnsServer::start(RIGHT).await;
    let server = server(&dns).await;
    let cases: &[(&str, &[&str], &str, &str, &str)] = &[
        ("example.org", &["example.org MX 10 other.example.net.", "example.org NS ns1.example.org."], "mx", "wrong", "broken"),
        ("example.org", &["example.org MX 0 .", "example.org NS ns1.example.org."], "mx", "wrong", "broken"),
        ("example.org", &["example.org NS ns1.example.org."], "mx", "missing", "broken"),
        (
            "example.org",
            &["example.org MX 5 other.example.net.", "example.org MX 10 mx.example.org.", "example.org NS ns1.example.org."],
            "mx",
            "wrong",
            "broken",
        ),
        (
            "example.org",
            &["example.org MX 10 MX.Example.org.", "example.org MX 20 other.example.net.", "example.org NS ns1.example.org."],
            "mx",
            "right",
            "ready",
        ),
        ("mx.example.org", &["mx.example.org A 198.51.100.9"], "address", "wrong", "broken"),
        ("mx.example.org", &[], "address", "missing", "broken"),
        ("mx.example.org", &["mx.example.org CNAME host.example.net."], "address", "wrong", "broken"),
        ("mx.example.org", &["mx.example.org A 203.0.113.5", "mx.example.org AAAA 2001:db8::1"], "ipv6", "wrong", "attention"),
        ("mx.example.org", &["mx.example.org A 203.0.113.5"], "address", "right", "ready"),
        (
            "_25._tcp.mx.example.org",
            &["_25._tcp.mx.example.org TLSA 3 1 1 00000000000000000000000000000000000000000000000000000000000000ff"],
            "tlsa",
            "wrong",
            "attention",
        ),
    ];
    for (name, records, id, expected, state) in cases {
        dns.remove(name);
        dns.add(records);
        let check = check(&server).await;
        assert_eq!((verdict(&check, id), check["state"].as_str().unwrap()), (*expected, *state), "{records:?}: {check}");
        let record = record(&check, id);
        assert_eq!(record["advice"].as_str().unwrap().is_empty(), *expected == "right", "{record}");
    }
}

#[tokio::test]
async fn subdomains_and_a_policy_need_records_of_their_own() {
    let dns = DnsServer::start(RIGHT).await;
    let server = server(&dns).await;
    let body = json!({ "takes_subdomains": true, "mta_sts": "testing" });
    assert_eq!(server.rest.patch("/domains/example.org", body).await.data()["mta_sts"], "testing");
    let before = check(&server).await;
    for id in ["subdomains", "mta_sts", "mta_sts_host"] {
        assert_eq!(verdict(&before, id), "missing", "{before}");
    }
    assert_eq!(before["state"], "broken");
    let policy = record(&before, "mta_sts")["wanted"][0].as_str().unwrap();
    dns.add(&["*.example.org MX 10 mx.example.org.", "mta-sts.example.org CNAME mx.example.org."]);
    dns.add(&[&format!("_mta-sts.example.org TXT {policy}")]);
    let after = check(&server).await;
    assert_eq!(after["state"], "ready", "{after}");
    // Another mode is another policy, which the record has to tell of.
    server.rest.patch("/domains/example.org", json!({ "mta_sts": "enforce" })).await.data();
    assert_eq!(verdict(&check(&server).await, "mta_sts"), "wrong");
}

#[tokio::test]
async fn no_answer_is_not_taken_for_nothing() {
    let dns = DnsServer::start(RIGHT).await;
    let server = server(&dns).await;
    dns.break_down(".", Fault::ServFail);
    let check = check(&server).await;
    assert_eq!((check["state"].as_str(), verdict(&check, "mx")), (Some("unanswered"), "unanswered"), "{check}");
}

#[tokio::test]
async fn a_change_is_an_event_and_the_last_check_is_kept() {
    let dns = DnsServer::start(RIGHT).await;
    let server = server(&dns).await;
    let events = async || -> Vec<Value> {
        sqlx::query_scalar(
            "select payload from events where kind = 'domain.changed' and domain = 'example.org' order by sequence",
        )
        .fetch_all(&server.db)
        .await
        .unwrap()
    };
    let first = check(&server).await;
    check(&server).await;
    assert!(events().await.is_empty(), "nothing changed");
    dns.remove("example.org");
    let last = server.rest.get("/domains/example.org/check?last=true").await.data();
    assert_eq!((&last["state"], &last["records"]), (&first["state"], &first["records"]), "nobody was asked");
    check(&server).await;
    let events = events().await;
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["state_before"], &events[0]["state"]), (&json!("ready"), &json!("broken")));
}
