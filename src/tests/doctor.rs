//! `pillarbox doctor`: what it finds on a machine, and how it ends.

use serde_json::Value;

use crate::harness::database::database;
use crate::harness::dns::DnsServer;
use crate::harness::process::{pillarbox, stdout};
use crate::harness::scratch::Scratch;

async fn examine(dns: &DnsServer, dir: &Scratch, more: &[(&str, &str)]) -> (bool, Value) {
    let db = database().await;
    let mut command = pillarbox(dir.path());
    command.args(["doctor", "--json"]).env("PILLARBOX_DATABASE_URL", sqlx::ConnectOptions::to_url_lossy(&db.options()).as_str());
    command.env("PILLARBOX_DNS_SERVERS", dns.setting()).env("PILLARBOX_HOSTNAME", "mx.example.org");
    command.env("PILLARBOX_SMTP_LISTEN", "127.0.0.1:0").env("PILLARBOX_HTTP_LISTEN", "127.0.0.1:0");
    command.env("PILLARBOX_SMTP_MAX_SESSIONS", "10");
    for (name, value) in more {
        command.env(name, value);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let json = serde_json::from_str(&stdout(&output)).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.success(), json)
}

fn find<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{report}: no {id}"))
}

#[tokio::test]
async fn each_thing_is_looked_at_and_a_failure_says_what_to_do() {
    let dns = DnsServer::start(&["mx.example.org A 127.0.0.1", "1.0.0.127.in-addr.arpa PTR mx.example.org."]).await;
    let dir = Scratch::new(0o755);
    let (_, report) = examine(&dns, &dir, &[]).await;
    for (id, verdict) in [
        ("smtp_port", "ok"),
        ("port_25", "warning"),
        ("hostname", "ok"),
        // No resolver asks for the name of 127.0.0.1, which is localhost (RFC 6761 section 6.3).
        ("reverse_name", "warning"),
        ("resolver", "ok"),
        ("database", "ok"),
        ("clock", "ok"),
        ("file_descriptors", "ok"),
        ("certificate", "warning"),
    ] {
        assert_eq!(find(&report, id)["verdict"], verdict, "{report}");
    }
    // The tests' database gives up durability for speed, which is just what is to be found.
    let durability = find(&report, "durability");
    assert_eq!((&durability["verdict"], report["ok"].as_bool()), (&Value::from("failed"), Some(false)), "{report}");
    for check in report["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"] == "ok", check["fix"] == "", "{check}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_and_a_name_that_is_none_fail() {
    let dns = DnsServer::start(&["example.org A 192.0.2.1"]).await;
    let dir = Scratch::new(0o755);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        taken.accept().map(|(stream, _)| std::io::Write::write_all(&mut &stream, b"220 other.example\r\n"))
    });
    let (ok, report) = examine(&dns, &dir, &[("PILLARBOX_SMTP_LISTEN", &address)]).await;
    assert!(!ok);
    assert_eq!(find(&report, "smtp_port")["verdict"], "failed", "{report}");
    assert_eq!(find(&report, "hostname")["verdict"], "failed", "{report}");
    let (ok, report) =
        examine(&dns, &dir, &[("PILLARBOX_TLS_CERT", "/nowhere.pem"), ("PILLARBOX_TLS_KEY", "/nowhere.pem")]).await;
    assert!(!ok);
    assert_eq!(find(&report, "certificate")["verdict"], "failed", "{report}");
}
