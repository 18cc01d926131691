//! Signs mail as a sender does: DKIM and ARC, with real keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use mail_auth::{ArcOutput, AuthenticatedMessage, AuthenticationResults};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// How a signature is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signing<'a> {
    pub(crate) domain: &'a str,
    pub(crate) selector: &'a str,
    pub(crate) header: Canonicalization,
    pub(crate) body: Canonicalization,
    pub(crate) expires_in: Option<u64>,
}

impl<'a> Signing<'a> {
    /// With relaxed canonicalization.
    pub(crate) fn of(domain: &'a str, selector: &'a str) -> Self {
        Self { domain, selector, header: Canonicalization::Relaxed, body: Canonicalization::Relaxed, expires_in: None }
    }
}

const SIGNED: [&str; 3] = ["From", "To", "Subject"];

pub(crate) fn rsa() -> RsaKey<Sha256> {
    let pem = include_bytes!("../data/dkim-rsa.pem");
    RsaKey::from_key_der(PrivateKeyDer::from_pem_slice(pem).unwrap()).unwrap()
}

/// The record of the RSA key.
pub(crate) fn rsa_record() -> String {
    format!("v=DKIM1; k=rsa; p={}", include_str!("../data/dkim-rsa.pub"))
}

/// A new key, and its record.
pub(crate) fn ed25519() -> (Ed25519Key, String) {
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key()));
    (key, record)
}

/// The message with a signature of the RSA key on top.
pub(crate) fn sign(message: &str, signing: Signing<'_>) -> String {
    sign_with(rsa(), message, signing)
}

pub(crate) fn sign_with<K>(key: K, message: &str, signing: Signing<'_>) -> String
where
    K: mail_auth::common::crypto::SigningKey<Hasher = Sha256>,
{
    let mut signer = DkimSigner::from_key(key)
        .domain(signing.domain)
        .selector(signing.selector)
        .headers(SIGNED)
        .header_canonicalization(signing.header)
        .body_canonicalization(signing.body);
    if let Some(seconds) = signing.expires_in {
        signer = signer.expiration(seconds);
    }
    signer.sign(message.as_bytes()).unwrap().to_header() + message
}

/// The message with the first ARC set on top: sealed by a forwarder that found these results.
pub(crate) fn seal(message: &str, domain: &str, selector: &str) -> String {
    let parsed = AuthenticatedMessage::parse(message.as_bytes()).unwrap();
    let results = AuthenticationResults::new(domain);
    let sealer = ArcSealer::from_key(rsa()).domain(domain).selector(selector).headers(SIGNED);
    let set = sealer.seal(&parsed, &results, &ArcOutput::default()).unwrap();
    set.to_header() + message
}
