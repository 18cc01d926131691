//! The certificate that every listener presents, which may change while they run: its files are read anew, or another is put in
//! its place. Versions and suites are decided here.

mod facts;
mod files;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::crypto::hex;

pub use facts::Facts;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// A certificate with its key, read from two PEM files until another is put in its place.
#[derive(Debug)]
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Seen>,
    /// Whether another took the place of the files'.
    is_replaced: AtomicBool,
}

/// When the two files were last changed.
type Seen = [Option<SystemTime>; 2];

impl Certificate {
    /// Reads the certificate of the settings, or the self-signed one under the data directory, which is made where there is
    /// none. Fails with a sentence that names the file.
    pub fn open(configured: Option<&(PathBuf, PathBuf)>, data_dir: &Path, hostname: &str) -> Result<Arc<Self>> {
        let (chain_file, key_file) = match configured {
            Some(files) => files.clone(),
            None => files::self_signed(&data_dir.join("tls"), hostname)?,
        };
        let seen = Mutex::new(files::changes(&chain_file, &key_file));
        let current = RwLock::new(Arc::new(files::read(&chain_file, &key_file)?));
        Ok(Arc::new(Self { chain_file, key_file, current, seen, is_replaced: AtomicBool::new(false) }))
    }

    /// Settings for a server that presents this certificate: TLS 1.2 and 1.3 only (RFC 8996), on the `ring` provider, whose
    /// suites all have forward secrecy and authenticated encryption.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>> {
        Ok(Arc::new(self.config()?))
    }

    /// The same for HTTPS, with HTTP/2 and HTTP/1.1.
    pub fn https_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>> {
        let mut config = self.config()?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn config(self: &Arc<Self>) -> Result<ServerConfig> {
        Ok(ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .context("TLS could not be set up")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self)))
    }

    /// Reads the files again where they changed. A certificate that cannot be used is warned of, and the old one stays.
    pub fn reload_if_changed(&self) {
        let now = files::changes(&self.chain_file, &self.key_file);
        let before = std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), now);
        if before != now {
            self.reload();
        }
    }

    /// Reads the files again, whether they changed or not; unless another certificate took their place.
    pub fn reload(&self) {
        if self.is_replaced.load(Ordering::Acquire) {
            return;
        }
        match files::read(&self.chain_file, &self.key_file) {
            Ok(new) => {
                self.put(new);
                tracing::info!(file = %self.chain_file.display(), "the certificate was read anew");
            }
            Err(error) => tracing::warn!(error = format!("{error:#}"), "the new certificate cannot be used; the old one stays"),
        }
    }

    /// Puts another certificate in place of the present one, as PEM. Fails where the two do not fit, and the old one stays.
    pub fn replace(&self, chain_pem: &str, key_pem: &str) -> Result<()> {
        let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .context("the new certificate cannot be read")?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).context("the key of the new certificate cannot be read")?;
        let new = CertifiedKey::from_der(chain, key, &provider()).context("the key does not fit the new certificate")?;
        self.is_replaced.store(true, Ordering::Release);
        self.put(new);
        Ok(())
    }

    /// Looks at the files from time to time until the server stops.
    pub async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        while tokio::time::timeout(LOOK_EVERY, shutdown.cancelled()).await.is_err() {
            self.reload_if_changed();
        }
    }

    /// What the certificate says: whom it is for, and how long.
    pub fn facts(&self) -> Result<Facts> {
        Facts::of_key(&self.current())
    }

    /// The record with which senders are bound to the present key: the digest of the key itself (RFC 7671 section 5.1).
    pub fn tlsa(&self) -> Option<String> {
        let current = self.current();
        let key = current.key.public_key()?;
        Some(format!("3 1 1 {}", hex(&Sha256::digest(&*key))))
    }

    fn put(&self, new: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
