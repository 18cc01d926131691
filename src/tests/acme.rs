//! Certificates of an authority: ordered, proved, presented by all nodes; and what is said when there is none.

use std::time::{Duration, Instant};

use pillarbox::config::RawConfig;

use crate::harness::acme::Authority;
use crate::harness::server::Server;
use crate::harness::smtp_client::SmtpClient;

fn settings(authority: &Authority) -> RawConfig {
    RawConfig {
        acme_directory: Some(authority.directory()),
        acme_ca_file: Some(authority.root_file()),
        acme_contact: Some("admin@example.org".to_owned()),
        acme_names: Some("mail.example.org".to_owned()),
        ..RawConfig::default()
    }
}

/// Looks until it is so.
async fn until<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let patience = Instant::now() + Duration::from_mins(1);
    while !so().await {
        assert!(Instant::now() < patience, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_certificate_is_ordered_proved_and_presented() {
    let authority = Authority::start().await;
    let server = Server::start_with(settings(&authority)).await;
    authority.lead_to(server.http);
    let count =
        || async { sqlx::query_scalar::<_, i64>("select count(*) from certificates").fetch_one(&server.db).await.unwrap() };
    until("no certificate came", || async { count().await == 1 }).await;
    assert_eq!(authority.refusals(), Vec::<String>::new());
    assert_eq!(authority.orders(), [["mx.example.org", "mail.example.org"]]);
    let tls = async |server: &Server| {
        let client = SmtpClient::hello(server.smtp).await;
        // Only who has a certificate of the authority is trusted.
        let mut client = client.start_tls(authority.root_pem.as_bytes(), "mail.example.org").await;
        client.dialogue(&[("EHLO peer.example.net", "250-"), ("QUIT", "221 ")]).await;
    };
    until("it is not presented", || async { server.certificate_names().contains(&"mail.example.org".to_owned()) }).await;
    tls(&server).await;
    // The key is sealed, the account too, and no proof is left.
    let (sealed, account): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("select sealed_key, sealed_account from certificates, acme_authorities")
            .fetch_one(&server.db)
            .await
            .unwrap();
    for secret in [sealed, account] {
        let text = String::from_utf8_lossy(&secret).into_owned();
        assert!(!text.contains("PRIVATE KEY") && !text.contains("key_pkcs8"), "{text}");
    }
    let proofs: i64 = sqlx::query_scalar("select count(*) from acme_challenges").fetch_one(&server.db).await.unwrap();
    assert_eq!(proofs, 0);
}

#[tokio::test]
async fn a_refusal_is_written_down_and_the_old_certificate_stays() {
    let authority = Authority::start().await;
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    authority.lead_to(elsewhere.local_addr().unwrap());
    drop(elsewhere);
    let server = Server::start_with(settings(&authority)).await;
    let error = || async {
        let found: Option<Option<String>> =
            sqlx::query_scalar("select last_error from acme_authorities").fetch_optional(&server.db).await.unwrap();
        found.flatten()
    };
    until("nothing was written down", || async { error().await.is_some() }).await;
    let text = error().await.unwrap();
    assert!(text.contains("mx.example.org") && text.contains("port 80"), "{text}");
    let later: bool =
        sqlx::query_scalar("select next_attempt_at > now() + interval '30 s' and failures_in_a_row = 1 from acme_authorities")
            .fetch_one(&server.db)
            .await
            .unwrap();
    assert!(later, "it waits before it asks again");
    let pem = std::fs::read(server.data_dir.path().join("tls/cert.pem")).unwrap();
    SmtpClient::hello(server.smtp).await.start_tls(&pem, "mx.example.org").await;
}

#[tokio::test]
async fn nobody_finds_a_proof_that_was_not_put_up() {
    let server = Server::start().await;
    for token in ["unknown", "a%00b", "..%2f..%2fetc", &"a".repeat(5000)] {
        let answer = server.stranger().send("GET", &format!("/.well-known/acme-challenge/{token}"), None).await;
        assert_eq!(answer.status, 404, "{token}: {answer}");
    }
}
