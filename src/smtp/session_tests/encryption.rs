//! STARTTLS.

use super::*;

/// The server's TLS settings and a client's that trusts its certificate.
fn tls() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let dir = std::env::temp_dir().join(format!("pillarbox-session-{}", uuid::Uuid::now_v7()));
    let certificate = Certificate::open(None, &dir, "mx.example.org").expect("made");
    let pem = std::fs::read(dir.join("tls/cert.pem")).expect("there");
    let _ = std::fs::remove_dir_all(&dir);
    let mut roots = rustls::RootCertStore::empty();
    let der = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(&pem);
    roots.add(der.expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (certificate.server_config().expect("set up"), Arc::new(client))
}

#[tokio::test]
async fn starttls_encrypts_and_forgets_what_was_said_before() {
    let (server, client) = tls();
    let mut peer = connect_with(settings(), Some(server));
    peer.reply().await;
    assert!(peer.say("EHLO plain.example").await.contains("|250-STARTTLS|"));
    peer.dialogue(&[MAIL, RCPT, ("STARTTLS now", "501 5.5.4")]).await;
    // Whatever follows in plain text must never be run (CVE-2011-0411).
    peer.send("STARTTLS\r\nMAIL FROM:<injected@example.net>\r\n").await;
    assert!(peer.reply().await.starts_with("220 2.0.0"));
    let name = ServerName::try_from("mx.example.org").expect("a name");
    let stream = tokio_rustls::TlsConnector::from(client).connect(name, peer.stream).await.expect("a handshake");
    let mut peer = Peer { stream, kept: peer.kept, session: peer.session, shutdown: peer.shutdown };
    peer.dialogue(&[("MAIL FROM:<a@example.net>", "503 5.5.1"), ("RCPT TO:<alice@example.org>", "503 5.5.1")]).await;
    assert!(!peer.say("EHLO secret.example").await.contains("STARTTLS"), "not offered twice");
    peer.dialogue(&[("STARTTLS", "503 5.5.1"), MAIL, RCPT, DATA, ("x\r\n.", "250"), ("QUIT", "221")]).await;
    let messages = peer.kept.messages.lock().expect("sound");
    let message = messages.first().expect("kept");
    assert_eq!((message.envelope.protocol, message.envelope.helo.as_str()), ("ESMTPS", "secret.example"));
    assert!(message.envelope.tls.as_deref().is_some_and(|tls| tls.starts_with("TLSv1.3 TLS_")), "{:?}", message.envelope.tls);
    assert!(message.trace.contains("with ESMTPS (TLSv1.3 TLS_"), "{}", message.trace);
    assert!(message.trace.contains("for <alice@example.org>;"), "{}", message.trace);
}

#[tokio::test]
async fn rubbish_in_place_of_a_handshake_ends_the_session() {
    let (server, _) = tls();
    let mut peer = connect_with(settings(), Some(server));
    peer.reply().await;
    peer.dialogue(&[HELLO, ("STARTTLS", "220 2.0.0")]).await;
    peer.send("EHLO again\r\nMAIL FROM:<a@example.net>\r\n").await;
    let rest = peer.rest().await;
    assert!(!rest.contains("250"), "{rest}");
}
