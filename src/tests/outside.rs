//! What other servers ask for and bring: encryption, the policy for senders, and their reports.

use std::io::Write as _;
use std::sync::Arc;

use pillarbox::config::RawConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::process::{Serving, signal};
use crate::harness::scratch::Scratch;
use crate::harness::server::Server;
use crate::harness::smtp_client::SmtpClient;

const REPORT: &str = r#"{"organization-name":"Sender","date-range":{"start-datetime":"2026-11-26T00:00:00Z",
    "end-datetime":"2026-11-26T23:59:59Z"},"contact-info":"tls@sender.example","report-id":"r-1","policies":[
    {"policy":{"policy-type":"sts","policy-domain":"example.org"},
     "summary":{"total-successful-session-count":40,"total-failure-session-count":3},
     "failure-details":[{"result-type":"certificate-expired","failed-session-count":3}]},
    {"policy":{"policy-type":"sts","policy-domain":"example.net"},"summary":{"total-failure-session-count":1}}]}"#;

fn packed(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn the_policy_is_served_to_those_who_ask_by_its_name() {
    let server = Server::start().await;
    let ask = async |host: &str| {
        let mut stream = tokio::net::TcpStream::connect(server.http).await.unwrap();
        let request = format!("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(ask("mta-sts.example.org").await.starts_with("HTTP/1.1 404 "), "there is none yet");
    server.rest.patch("/domains/example.org", json!({ "mta_sts": "enforce" })).await.data();
    let answer = ask("MTA-STS.example.org:443").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("content-type: text/plain"), "{answer}");
    assert!(answer.ends_with("version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 604800\r\n"), "{answer}");
    for host in ["example.org", "mta-sts.example.net", "mta-sts.mta-sts.example.org", "mta-sts."] {
        assert!(ask(host).await.starts_with("HTTP/1.1 404 "), "{host}");
    }
}

#[tokio::test]
async fn reports_come_by_mail_and_by_post_and_are_kept_once() {
    let server = Server::start().await;
    server.mailbox("tls-reports@example.org").await;
    let post =
        async |body: Vec<u8>| server.stranger().send("POST", "/tls-reports", Some(("application/tlsrpt+gzip", body))).await;
    let answer = post(packed(REPORT)).await;
    assert_eq!((answer.status, answer.json()["kept"].as_u64()), (201, Some(1)), "one of the two domains is ours");
    let other = REPORT.replace("r-1", "r-2");
    let mail = format!(
        "From: tls@sender.example\r\nSubject: Report Domain: example.org\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=b\r\n\r\n--b\r\n\r\nA report.\r\n--b\r\n\
         Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"r.json.gz\"\r\n\r\n{}\r\n--b--\r\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, packed(&other))
    );
    server.mail(&["tls-reports@example.org"], &mail).await;
    server.mail(&["tls-reports@example.org"], &mail).await;
    let reports = server.rest.all("/tls-reports?domain=example.org", 1).await;
    let seen: Vec<_> = reports.iter().map(|r| (r["report_name"].as_str().unwrap(), r["came_by"].as_str().unwrap())).collect();
    assert_eq!(seen, [("r-2", "mail"), ("r-1", "https")]);
    assert_eq!((&reports[0]["failed_sessions"], &reports[0]["organization"]), (&json!(3), &json!("Sender")));
    assert_eq!(reports[0]["detail"]["failures"][0]["result"], "certificate-expired");
    assert_eq!(server.subjects("tls-reports@example.org").await.len(), 2, "the mail itself is there as any other");
    for body in [b"{}".to_vec(), packed("no"), b"\x1f\x8b".to_vec()] {
        post(body).await.problem(400, "invalid_input");
    }
}

/// A client that trusts this certificate only.
async fn over_tls(address: std::net::SocketAddr, pem: &[u8], request: &str) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let stream = tokio::net::TcpStream::connect(address).await?;
    let mut stream = connector.connect(ServerName::try_from("mx.example.org").unwrap(), stream).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Some close without saying so.
    let _ = stream.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn https_serves_the_same_with_the_certificate_of_smtp() {
    let settings = RawConfig { https_listen: Some("127.0.0.1:0".to_owned()), ..RawConfig::default() };
    let server = Server::start_with(settings).await;
    let address = server.https.unwrap();
    // Somebody who says nothing holds up nobody.
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let pem = std::fs::read(server.data_dir.path().join("tls/cert.pem")).unwrap();
    let request = format!(
        "GET /api/v1/domains HTTP/1.1\r\nHost: mx.example.org\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        server.key
    );
    let answer = over_tls(address, &pem, &request).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("example.org"), "{answer}");
}

#[test]
fn a_certificate_is_read_anew_on_sighup() {
    let dir = Scratch::new(0o755);
    let serving = Serving::start(dir.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let new = rcgen::generate_simple_self_signed(vec!["mx.example.org".to_owned()]).unwrap();
    std::fs::write(dir.path().join("tls/key.pem"), new.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.path().join("tls/cert.pem"), new.cert.pem()).unwrap();
    signal(serving.id(), rustix::process::Signal::HUP);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !serving.log().contains("the certificate was read anew") {
        assert!(std::time::Instant::now() < until, "it did not hear: {}", serving.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    runtime.block_on(async {
        let client = SmtpClient::hello(serving.smtp).await;
        // Trusts the new one only.
        let mut client = client.start_tls(new.cert.pem().as_bytes(), "mx.example.org").await;
        client.dialogue(&[("EHLO peer.example.net", "250-"), ("QUIT", "221 ")]).await;
    });
}
