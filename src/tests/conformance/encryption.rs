//! STARTTLS (RFC 3207), versions (RFC 8996), REQUIRETLS (RFC 8689).

use std::process::Stdio;

use super::*;

fn certificate(examined: &Examined) -> Vec<u8> {
    std::fs::read(examined.server.data_dir().join("tls/cert.pem")).unwrap()
}

#[tokio::test]
async fn what_was_said_before_the_handshake_is_forgotten_and_what_follows_it_in_plain_text_is_never_run() {
    let mut examined = Examined::new().await;
    let certificate = certificate(&examined);
    let mut peer = examined.hello().await;
    peer.dialogue(&[MAIL, RCPT]).await;
    // CVE-2011-0411: this stands in the buffer when the handshake begins.
    peer.send("STARTTLS\r\nRSET\r\nMAIL FROM:<injected@example.net>\r\nRCPT TO:<alice@example.org>\r\n").await;
    peer.expect("220 2.0.0 ").await;
    let mut peer = peer.shake_hands(&certificate, "mx.example.org").await;
    peer.dialogue(&[
        // RFC 3207 section 4.2: all is forgotten, EHLO too.
        ("DATA", "503 5.5.1 "),
        ("RCPT TO:<alice@example.org>", "503 5.5.1 "),
        ("MAIL FROM:<a@example.net>", "503 5.5.1 "),
    ])
    .await;
    peer.send("EHLO peer.example.net\r\n").await;
    let hello = peer.reply().await;
    if hello.contains("STARTTLS") || !hello.contains("|250-REQUIRETLS|") {
        examined.fault("3207 4.2, 8689 2", b"EHLO", &hello);
    }
    peer.dialogue(&[
        ("STARTTLS", "503 5.5.1 "),
        ("MAIL FROM:<a@example.net> REQUIRETLS=yes", "501 5.5.4 "),
        ("MAIL FROM:<a@example.net> REQUIRETLS", "250 "),
        RCPT,
        ("BDAT 5 LAST\r\nabc", "250 2.0.0 Stored"),
        MAIL,
        RCPT,
        DATA,
        ("plain\r\n.", "250 2.0.0 Stored"),
    ])
    .await;
    let stored = examined.stored().await;
    assert_eq!(stored.len(), 2);
    assert!(stored[0].1.contains("with ESMTPS (TLSv1.3 TLS_"), "RFC 3848: {}", stored[0].1);
    let query = "select envelope->>'require_tls' from contents order by content_id";
    let asked: Vec<Option<String>> = sqlx::query_scalar(query).fetch_all(&examined.server.db).await.unwrap();
    assert_eq!(asked, [Some("true".to_owned()), None], "RFC 8689 4.1: the wish stays with the message");
    examined.passed();
}

#[tokio::test]
async fn plain_text_in_place_of_a_handshake_ends_the_session() {
    let examined = Examined::new().await;
    let mut peer = examined.hello().await;
    peer.dialogue(&[("STARTTLS", "220 2.0.0 ")]).await;
    peer.send("EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n").await;
    let rest = peer.rest_octets().await;
    assert!(!rest.windows(4).any(|four| four == b"250 "), "{}", rest.escape_ascii());
    assert!(examined.stored().await.is_empty());
}

#[tokio::test]
async fn old_versions_and_weak_suites_are_refused() {
    let mut examined = Examined::new().await;
    let cases: [(&str, &[&str], bool); 8] = [
        ("8446", &["-tls1_3"], true),
        ("5246", &["-tls1_2"], true),
        ("8996", &["-tls1_1"], false),
        ("8996", &["-tls1"], false),
        ("9325 4.1", &["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"], false),
        ("9325 4.1", &["-tls1_2", "-cipher", "RC4:3DES:@SECLEVEL=0"], false),
        ("9325 4.1, no CBC", &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"], false),
        ("9325 4.1, no key transport", &["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0"], false),
    ];
    for (rule, options, works) in cases {
        let mut client = tokio::process::Command::new("openssl");
        client.args(["s_client", "-starttls", "smtp", "-connect", &examined.server.smtp.to_string(), "-brief"]);
        client.args(options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = client.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("CONNECTION ESTABLISHED") != works {
            examined.fault(rule, options.join(" ").as_bytes(), &said);
        }
    }
    examined.passed();
}
