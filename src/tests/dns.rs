//! Questions to DNS: what is found, what "nothing" means, and how long it takes when a server is in trouble.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pillarbox::config;
use pillarbox::config::RawConfig;
use pillarbox::dns::{Dns, Nothing};

use crate::harness::dns::{DnsServer, Fault};

const TIMEOUT: Duration = Duration::from_secs(1);

fn resolver(servers: &[SocketAddr]) -> Dns {
    Dns::new(&config::Dns { servers: servers.to_vec(), timeout: TIMEOUT, cache_answers: 100 }).unwrap()
}

#[tokio::test]
async fn records_of_each_kind_are_found() {
    let long = "v=DKIM1; p=".to_owned() + &"A".repeat(400);
    let server = DnsServer::start(&[
        "example.net MX 20 Backup.Example.NET.",
        "example.net MX 10 mx.example.net.",
        "example.net TXT v=spf1 -all",
        "example.net NS ns1.example.net.",
        "mx.example.net A 192.0.2.1",
        "mx.example.net AAAA 2001:db8::1",
        "alias.example.net CNAME mx.example.net.",
        "*.wild.example.net A 192.0.2.7",
        "_25._tcp.mx.example.net TLSA 3 1 1 00ff",
        "1.2.0.192.in-addr.arpa PTR mx.example.net.",
    ])
    .await;
    server.add(&[&format!("key._domainkey.example.net TXT {long}")]);
    let settings = RawConfig { dns_servers: Some(server.setting()), ..RawConfig::default() };
    let dns = Dns::new(&settings.check().unwrap().dns).unwrap();
    let mx = dns.mx("EXAMPLE.net").await.unwrap().records;
    assert_eq!(mx.iter().map(|mx| mx.host.as_str()).collect::<Vec<_>>(), ["mx.example.net", "backup.example.net"]);
    assert_eq!(dns.txt("example.net.").await.unwrap().records, ["v=spf1 -all"]);
    assert_eq!(dns.txt("key._domainkey.example.net").await.unwrap().records, [long], "pieces are joined");
    assert_eq!(dns.ns("example.net").await.unwrap().records, ["ns1.example.net"]);
    assert_eq!(dns.addresses("mx.example.net").await.unwrap().records.len(), 2);
    assert_eq!(dns.addresses("alias.example.net").await.unwrap().records.len(), 2, "an alias is followed");
    assert_eq!(dns.addresses("any.wild.example.net").await.unwrap().records, ["192.0.2.7".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(dns.tlsa("_25._tcp.mx.example.net").await.unwrap().records[0].to_string(), "3 1 1 00ff");
    assert_eq!(dns.names_of("192.0.2.1".parse().unwrap()).await.unwrap().records, ["mx.example.net"]);
}

#[tokio::test]
async fn nothing_is_told_apart_from_no_answer() {
    let server = DnsServer::start(&["example.net TXT x", "below.there.example.net A 192.0.2.1"]).await;
    let dns = resolver(&[server.address]);
    assert_eq!(dns.mx("missing.example").await, Err(Nothing::NoSuchName));
    assert_eq!(dns.mx("example.net").await, Err(Nothing::NoRecords));
    assert_eq!(dns.mx("there.example.net").await, Err(Nothing::NoRecords), "it has names below it");
    assert_eq!(dns.mx(&"a".repeat(64)).await, Err(Nothing::NoSuchName), "no name can be that long");
    server.break_down("broken.example", Fault::ServFail);
    let nothing = dns.mx("broken.example").await.unwrap_err();
    assert!(nothing.is_temporary(), "{nothing}");
}

#[tokio::test]
async fn a_question_ends_in_time_and_is_answered_after_the_trouble() {
    let server = DnsServer::start(&["example.net TXT x"]).await;
    let dns = resolver(&[server.address]);
    server.break_down(".", Fault::Silent);
    let asked = Instant::now();
    assert!(dns.txt("example.net").await.unwrap_err().is_temporary());
    assert!(asked.elapsed() < TIMEOUT + Duration::from_secs(2), "{:?}", asked.elapsed());
    server.recover();
    assert_eq!(dns.txt("example.net").await.unwrap().records, ["x"], "trouble is not kept");
    let nobody = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(resolver(&[nobody]).txt("example.net").await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn an_answer_too_long_for_udp_comes_over_tcp() {
    let server = DnsServer::start(&["example.net TXT short"]).await;
    let long = "x".repeat(5000);
    server.add(&[&format!("long.example.net TXT {long}")]);
    server.break_down("example.net", Fault::Truncated);
    let dns = resolver(&[server.address]);
    assert_eq!(dns.txt("example.net").await.unwrap().records, ["short"]);
    server.recover();
    assert_eq!(dns.txt("long.example.net").await.unwrap().records, [long]);
}

#[tokio::test]
async fn answers_are_kept_unless_chosen_servers_are_asked() {
    let server = DnsServer::start(&["example.net TXT old"]).await;
    let dns = resolver(&[server.address]);
    for _ in 0..3 {
        assert_eq!(dns.txt("example.net").await.unwrap().records, ["old"]);
        assert_eq!(dns.txt("none.example.net").await, Err(Nothing::NoSuchName));
    }
    assert_eq!(server.questions(), ["example.net TXT", "none.example.net TXT"], "nothing is kept as well");
    server.remove("example.net");
    server.add(&["example.net TXT new"]);
    let fresh = Dns::asking(&[server.address], TIMEOUT).unwrap();
    assert_eq!(fresh.txt("example.net").await.unwrap().records, ["new"]);
    server.add(&["example.net TXT newer"]);
    assert_eq!(fresh.txt("example.net").await.unwrap().records, ["new", "newer"]);
    assert_eq!(dns.txt("example.net").await.unwrap().records, ["old"]);
    dns.forget();
    assert_eq!(dns.txt("example.net").await.unwrap().records, ["new", "newer"]);
}

#[tokio::test]
async fn many_questions_at_once_are_all_answered() {
    let server = DnsServer::start(&["*.example.net TXT x"]).await;
    server.break_down(".", Fault::Slow(Duration::from_millis(50)));
    // The machine may be busy.
    let dns = Dns::asking(&[server.address], Duration::from_mins(1)).unwrap();
    let asking = (0..500).map(|n| {
        let dns = dns.clone();
        tokio::spawn(async move { dns.txt(&format!("n{n}.example.net")).await.map(|found| found.records) })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), Ok(vec!["x".to_owned()]));
    }
}
