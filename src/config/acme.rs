//! Certificates of an authority.

use std::path::PathBuf;

use anyhow::{Result, bail};
use url::Url;

use super::RawConfig;
use super::raw::list;

/// Whom to ask for certificates (ACME, RFC 8555), and for what.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The authority's directory. To name one is to agree to its terms.
    pub directory: Url,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// What vouches for the authority's own server, where the system's roots do not.
    pub ca_file: Option<PathBuf>,
    /// More names for the certificate, besides those that are needed.
    pub names: Vec<String>,
}

impl RawConfig {
    pub(super) fn acme(&self) -> Result<Option<Acme>> {
        let Some(directory) = self.acme_directory.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let Some(directory) = Url::parse(directory).ok().filter(|url| url.scheme() == "https" && url.host().is_some()) else {
            bail!("PILLARBOX_ACME_DIRECTORY is not an https URL; it is the directory URL that the authority's manual names");
        };
        if self.tls_cert.is_some() {
            bail!("PILLARBOX_ACME_DIRECTORY and PILLARBOX_TLS_CERT are both set; keep one");
        }
        Ok(Some(Acme {
            directory,
            contact: self.acme_contact.clone().filter(|text| text.contains('@')),
            ca_file: self.acme_ca_file.clone(),
            names: list("PILLARBOX_ACME_NAMES", self.acme_names.as_deref(), |text| {
                url::Host::parse(text).ok().map(|host| host.to_string()).filter(|name| name.contains('.'))
            })?,
        }))
    }
}
