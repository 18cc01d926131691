//! The ledger of SMTP sessions, the limits for peers, and the PROXY protocol.

use std::time::Duration;

use pillarbox::config::RawConfig;
use serde_json::{Value, json};

use crate::harness::server::{Server, note};
use crate::harness::smtp_client::SmtpClient;

/// Asks until the answer is as expected. A row is there within a second of the session's end; the rest is for a slow machine.
async fn eventually(server: &Server, path: &str, is_there: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let found = async {
        loop {
            let answer = server.rest.get(path).await;
            if answer.status == 200 {
                let (rows, _) = answer.page();
                if is_there(&rows) {
                    return rows;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("{path} does not come to be so"))
}

pub(crate) async fn one(server: &Server, path: &str) -> Value {
    eventually(server, path, |rows| rows.len() == 1).await.remove(0)
}

/// A server that believes in the PROXY protocol from loopback, and trusts nobody.
fn behind_a_proxy() -> RawConfig {
    RawConfig {
        smtp_proxy_networks: Some("127.0.0.1".to_owned()),
        smtp_trusted_networks: Some("none".to_owned()),
        // Nobody is asked for the names of addresses.
        dns_servers: Some("127.0.0.1:9".to_owned()),
        ..RawConfig::default()
    }
}

/// A peer at this address, as a proxy tells of it.
async fn from(server: &Server, address: &str) -> SmtpClient {
    let mut client = SmtpClient::connect(server.smtp).await;
    let family = if address.contains(':') { "TCP6" } else { "TCP4" };
    let own = if address.contains(':') { "2001:db8::25" } else { "198.51.100.25" };
    client.send(format!("PROXY {family} {address} {own} 40000 25\r\n")).await;
    client
}

#[tokio::test]
async fn a_session_is_a_row_with_all_that_was_said_and_leads_to_what_was_stored() {
    let server = Server::start().await;
    server.mailbox("alice@example.org").await;
    let mut client = SmtpClient::hello(server.smtp).await;
    client
        .dialogue(&[
            ("MAIL FROM:<Sender@Example.net>", "250 "),
            ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
            ("RCPT TO:<Alice@example.org>", "250 "),
            ("DATA", "354 "),
        ])
        .await;
    client.send(format!("{}.\r\n", note("ledger", "x"))).await;
    assert!(client.reply().await.starts_with("250 2.0.0"));
    client.dialogue(&[("BOGUS", "500 "), ("QUIT", "221 ")]).await;
    let row = one(&server, "/smtp-sessions?recipient=ALICE@example.org").await;
    for (field, expected) in [
        ("address", json!("127.0.0.1")),
        ("helo", json!("peer.example.net")),
        ("tls", json!(null)),
        ("stage", json!("stored")),
        ("outcome", json!("accepted")),
        ("reason", json!("quit")),
        ("reply_code", json!(250)),
        ("messages", json!(1)),
        ("errors", json!(1)),
        ("recipients_named", json!(2)),
        ("senders", json!(["sender@example.net"])),
        ("recipients", json!(["nobody@example.org", "alice@example.org"])),
    ] {
        assert_eq!(row[field], expected, "{field}");
    }
    assert!(row["octets_in"].as_i64().unwrap() > 150 && row["octets_out"].as_i64().unwrap() > 150, "{row}");
    let id = row["id"].as_str().unwrap();
    let detail = server.rest.get(&format!("/smtp-sessions/{id}")).await.data();
    let transaction = &detail["transactions"][0];
    assert_eq!(transaction["sender"], "Sender@Example.net");
    assert_eq!((&transaction["recipients"][0]["code"], &transaction["recipients"][1]["code"]), (&json!(550), &json!(250)));
    assert!(transaction["recipients"][0]["text"].as_str().unwrap().starts_with("5.1.1 "), "{transaction}");
    assert_eq!(transaction["code"], 250);
    let message = server.newest("alice@example.org").await;
    assert_eq!(detail["stored"][0]["message_id"], message["id"]);
    assert_eq!(detail["stored"][0]["content_id"], transaction["content_id"]);
    let message = server.rest.get(&format!("/messages/{}", message["id"].as_str().unwrap())).await.data();
    assert_eq!(message["envelope"]["session"], id, "and back");
    for (query, count) in [
        ("address=127.0.0.0/8", 1),
        ("address=127.0.0.2", 0),
        ("sender=sender@example.net", 1),
        ("reply_code=550", 1),
        ("reply_code=451", 0),
        ("outcome=accepted", 1),
        ("outcome=refused", 0),
        ("start_time=4000000000", 0),
        ("end_time=4000000000", 1),
    ] {
        let (rows, _) = server.rest.get(&format!("/smtp-sessions?{query}")).await.page();
        assert_eq!(rows.len(), count, "{query}");
    }
}

#[tokio::test]
async fn sessions_that_came_to_nothing_say_why() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.smtp).await;
    client.dialogue(&[("MAIL FROM:<>", "250 "), ("RCPT TO:<nobody@example.org>", "550 "), ("QUIT", "221 ")]).await;
    let row = one(&server, "/smtp-sessions?outcome=refused").await;
    assert_eq!((&row["reason"], &row["stage"], &row["senders"]), (&json!("quit"), &json!("mail"), &json!([])));
    assert_eq!(row["reply_code"], 550, "what was refused, not the goodbye");
    drop(SmtpClient::connect(server.smtp).await);
    let row = one(&server, "/smtp-sessions?outcome=aborted").await;
    assert!(["closed", "broken"].contains(&row["reason"].as_str().unwrap()) && row["stage"] == "greeting", "{row}");
    let mut client = SmtpClient::hello(server.smtp).await;
    client.dialogue(&[("STARTTLS", "220 ")]).await;
    client.send("no handshake, this\r\n").await;
    client.finish_sending().await;
    let row = one(&server, "/smtp-sessions?outcome=tls_failed").await;
    assert_eq!((&row["reason"], &row["stage"]), (&json!("tls_failed"), &json!("starttls")));
    let mut client = SmtpClient::connect(server.smtp).await;
    client.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await;
    assert!(client.rest().await.contains("421 4.7.0 TLS begins with STARTTLS"));
    let mut client = SmtpClient::connect(server.smtp).await;
    client.send("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\n").await;
    assert!(client.rest().await.contains("421 4.7.0 The PROXY protocol"));
    let rows = eventually(&server, "/smtp-sessions?reply_code=421", |rows| rows.len() == 2).await;
    let reasons: Vec<&str> = rows.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["proxy", "tls_failed"], "newest first");
    assert_eq!(rows[0]["address"], "127.0.0.1", "nobody is believed to be somebody else");
}

#[tokio::test]
async fn who_speaks_through_a_proxy_is_known_by_its_own_address() {
    let server = Server::start_with(behind_a_proxy()).await;
    server.mailbox("alice@example.org").await;
    for (address, shown) in [("192.0.2.77", "[192.0.2.77]"), ("2001:db8::77", "[IPv6:2001:db8::77]")] {
        let mut client = from(&server, address).await;
        client.expect("220 ").await;
        client.dialogue(&[("EHLO peer.example.net", "250-")]).await;
        assert!(client.deliver(&["alice@example.org"], note(shown, "x").as_bytes()).await.starts_with("250 2.0.0"));
        client.dialogue(&[("QUIT", "221 ")]).await;
        let row = one(&server, &format!("/smtp-sessions?address={address}")).await;
        assert_eq!(row["proxy"], "127.0.0.1");
        let id = server.newest("alice@example.org").await["id"].as_str().unwrap().to_owned();
        let message = server.rest.get(&format!("/messages/{id}")).await.data();
        assert!(message["trace"].as_str().unwrap().contains(&format!("from peer.example.net ({shown})")), "{message}");
        assert_eq!(message["envelope"]["remote"], address);
    }
    let mut silent = SmtpClient::connect(server.smtp).await;
    silent.send("EHLO peer.example.net\r\n").await;
    assert!(silent.rest_octets().await.is_empty(), "from a proxy the protocol must come");
}

#[tokio::test]
async fn who_harvests_addresses_is_banned_until_somebody_lifts_it() {
    let settings = RawConfig { smtp_unknown_recipients_per_hour: Some(3.into()), ..behind_a_proxy() };
    let server = Server::start_with(settings).await;
    let mut client = from(&server, "192.0.2.66").await;
    client.expect("220 ").await;
    client.dialogue(&[("EHLO peer.example.net", "250-"), ("MAIL FROM:<>", "250 ")]).await;
    for name in ["a", "b", "c", "d"] {
        client.dialogue(&[(format!("RCPT TO:<{name}@example.org>").as_str(), "550 5.1.1")]).await;
    }
    assert!(client.rest().await.starts_with("421 4.7.0 Too many recipients that do not exist here"));
    let rest = from(&server, "192.0.2.66").await.rest().await;
    assert!(rest.starts_with("421 4.7.0 mx.example.org Your address is turned away for too many recipients"), "{rest}");
    from(&server, "192.0.2.67").await.expect("220 ").await;
    let row = one(&server, "/smtp-sessions?outcome=turned_away").await;
    assert_eq!((&row["reason"], &row["address"], &row["stage"]), (&json!("banned"), &json!("192.0.2.66"), &json!("connect")));
    let row = one(&server, "/smtp-sessions?outcome=refused").await;
    assert_eq!((&row["reason"], &row["reply_code"]), (&json!("unknown_recipients"), &json!(421)));
    let ban = one(&server, "/smtp-bans").await;
    assert_eq!((&ban["network"], &ban["reason"]), (&json!("192.0.2.66"), &json!("unknown_recipients")));
    assert_eq!(
        server.caller(&["audit:read"]).await.delete(&format!("/smtp-bans/{}", ban["id"].as_str().unwrap())).await.status,
        403
    );
    let lifted = server.rest.delete(&format!("/smtp-bans/{}", ban["id"].as_str().unwrap())).await.data();
    assert_eq!(lifted["network"], "192.0.2.66");
    from(&server, "192.0.2.66").await.expect("220 ").await;
    let (bans, _) = server.rest.get("/smtp-bans").await.page();
    assert!(bans.is_empty());
}

#[tokio::test]
async fn a_ban_holds_on_every_node_and_after_a_restart() {
    let server = Server::start().await;
    let mut db = server.db.acquire().await.unwrap();
    let until = pillarbox::types::Timestamp(chrono::Utc::now() + chrono::TimeDelta::hours(1));
    let ban = pillarbox::types::SmtpBan {
        id: pillarbox::types::SmtpBanId::generate(),
        network: "192.0.2.0/24".to_owned(),
        reason: "errors".to_owned(),
        created_at: pillarbox::types::Timestamp::now(),
        expires_at: until,
    };
    pillarbox::store::smtp_bans::upsert(&mut db, &ban).await.unwrap();
    let node = server.another_node_with(behind_a_proxy()).await;
    let turned_away =
        async { while !from(&node, "192.0.2.9").await.reply().await.starts_with("421 4.7.0 mx.example.org Your address") {} };
    tokio::time::timeout(Duration::from_secs(20), turned_away).await.expect("the ban is known");
}

#[tokio::test]
async fn limits_end_what_takes_too_much() {
    let settings = RawConfig {
        smtp_connections_per_minute: Some(5.into()),
        smtp_errors_per_hour: Some(4.into()),
        smtp_messages_per_minute: Some(1.into()),
        smtp_max_junk_commands: Some(10.into()),
        ..behind_a_proxy()
    };
    let server = Server::start_with(settings).await;
    server.mailbox("alice@example.org").await;
    for _ in 0..5 {
        from(&server, "192.0.2.1").await.expect("220 ").await;
    }
    assert!(from(&server, "192.0.2.1").await.rest().await.starts_with("421 4.7.0 "), "too many connections in a minute");
    let mut client = from(&server, "198.51.100.1").await;
    client.expect("220 ").await;
    for _ in 0..10 {
        client.dialogue(&[("NOOP", "250 ")]).await;
    }
    client.dialogue(&[("NOOP", "250 ")]).await;
    assert!(client.rest().await.starts_with("421 4.7.0 Too many commands without a message"));
    let mut client = from(&server, "203.0.113.1").await;
    client.expect("220 ").await;
    client.dialogue(&[("EHLO peer.example.net", "250-")]).await;
    assert!(client.deliver(&["alice@example.org"], b"x\r\n").await.starts_with("250 "));
    client.dialogue(&[("MAIL FROM:<>", "450 4.7.1 ")]).await;
    drop(client);
    let mut client = from(&server, "203.0.113.200").await;
    client.expect("220 ").await;
    client.send("X\r\nX\r\nX\r\nX\r\nX\r\nX\r\n").await;
    assert!(client.rest().await.contains("421 4.7.0 Too many errors; closing, for a while"));
    let rows = eventually(&server, "/smtp-sessions?outcome=turned_away", |rows| !rows.is_empty()).await;
    assert_eq!(rows[0]["reason"], "connection_rate");
    let deferred = one(&server, "/smtp-sessions?reply_code=450").await;
    assert_eq!(deferred["outcome"], "accepted", "a message was stored before");
}

#[tokio::test]
async fn old_sessions_are_removed_and_the_others_stay() {
    let server = Server::start().await;
    let mut client = SmtpClient::hello(server.smtp).await;
    client.dialogue(&[("QUIT", "221 ")]).await;
    one(&server, "/smtp-sessions?outcome=no_mail").await;
    let mut db = server.db.acquire().await.unwrap();
    let hour = |hours| pillarbox::types::Timestamp(chrono::Utc::now() + chrono::TimeDelta::hours(hours));
    assert_eq!(pillarbox::store::smtp_sessions::delete_before(&mut db, hour(-1), 1000).await.unwrap(), 0);
    assert_eq!(pillarbox::store::smtp_sessions::delete_before(&mut db, hour(1), 1000).await.unwrap(), 1);
}

#[tokio::test]
async fn the_ledger_catches_up_when_the_database_was_away() {
    let server = Server::behind_a_cable().await;
    server.cable().cut();
    let mut client = SmtpClient::hello(server.smtp).await;
    client.dialogue(&[("MAIL FROM:<>", "250 "), ("RCPT TO:<alice@example.org>", "451 "), ("QUIT", "221 ")]).await;
    server.cable().mend();
    let row = one(&server, "/smtp-sessions?outcome=deferred").await;
    assert_eq!(row["recipients"], json!(["alice@example.org"]));
}
