//! What a certificate says of itself.

use anyhow::{Context as _, Result};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::types::Timestamp;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The names that it is for, perhaps with a wildcard as the first label.
    pub names: Vec<String>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// Whether nobody but itself vouches for it.
    pub is_self_signed: bool,
    /// Whether the key is that of the certificate.
    pub key_fits: bool,
}

impl Facts {
    pub(super) fn of_key(key: &CertifiedKey) -> Result<Self> {
        let certificate = key.cert.first().context("there is no certificate")?;
        Ok(Self { key_fits: key.keys_match().is_ok(), ..Self::of_certificate(certificate)? })
    }

    /// Of a certificate alone; its key counts as fitting.
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).context("the certificate cannot be read")?;
        let extension = parsed.subject_alternative_name().ok().flatten();
        let names = extension.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        Ok(Self {
            names: names.collect(),
            not_before: time(parsed.validity().not_before.timestamp())?,
            not_after: time(parsed.validity().not_after.timestamp())?,
            is_self_signed: parsed.subject() == parsed.issuer(),
            key_fits: true,
        })
    }

    /// Whether it is for this name: the name itself, or a wildcard for its first label (RFC 6125 section 6.4.3).
    pub fn covers(&self, name: &str) -> bool {
        let above = name.split_once('.').map(|(_, above)| above);
        self.names.iter().any(|own| own == name || (own.strip_prefix("*.").is_some() && own.strip_prefix("*.") == above))
    }
}

fn time(seconds: i64) -> Result<Timestamp> {
    chrono::DateTime::from_timestamp(seconds, 0).map(Timestamp).context("the certificate has a time that is none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_label() {
        let now = Timestamp::now();
        let names = vec!["mx.example.org".to_owned(), "*.example.net".to_owned()];
        let facts = Facts { names, not_before: now, not_after: now, is_self_signed: false, key_fits: true };
        for (name, covered) in [
            ("mx.example.org", true),
            ("example.org", false),
            ("a.example.net", true),
            ("example.net", false),
            ("a.b.example.net", false),
        ] {
            assert_eq!(facts.covers(name), covered, "{name}");
        }
    }
}
