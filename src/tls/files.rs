//! The files that a certificate is read from.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

pub(super) fn changes(chain_file: &Path, key_file: &Path) -> super::Seen {
    [chain_file, key_file].map(|file| fs::metadata(file).and_then(|data| data.modified()).ok())
}

pub(super) fn read(chain_file: &Path, key_file: &Path) -> Result<CertifiedKey> {
    let chain = CertificateDer::pem_file_iter(chain_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("PILLARBOX_TLS_CERT: the certificate {} cannot be read", chain_file.display()))?;
    if chain.is_empty() {
        bail!("PILLARBOX_TLS_CERT: {} holds no certificate in PEM form", chain_file.display());
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .with_context(|| format!("PILLARBOX_TLS_KEY: the key {} cannot be read", key_file.display()))?;
    CertifiedKey::from_der(chain, key, &super::provider())
        .with_context(|| format!("the key {} does not fit the certificate {}", key_file.display(), chain_file.display()))
}

/// The files of the self-signed certificate, made where one is missing.
pub(super) fn self_signed(dir: &Path, hostname: &str) -> Result<(PathBuf, PathBuf)> {
    let (chain_file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
    if !chain_file.exists() || !key_file.exists() {
        let made = rcgen::generate_simple_self_signed(vec![hostname.to_owned()])
            .with_context(|| format!("no certificate can be made for the name {hostname}; set PILLARBOX_HOSTNAME"))?;
        fs::create_dir_all(dir).with_context(|| format!("the directory {} cannot be made", dir.display()))?;
        // The key first: a certificate that is there has its key.
        write(&key_file, &made.signing_key.serialize_pem(), 0o600)?;
        write(&chain_file, &made.cert.pem(), 0o644)?;
        tracing::info!(file = %chain_file.display(), hostname, "a self-signed certificate was made");
    }
    Ok((chain_file, key_file))
}

/// Writes a file so that it is there as a whole or not at all.
fn write(file: &Path, text: &str, mode: u32) -> Result<()> {
    let unfinished = file.with_extension(format!("{}.new", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&unfinished)
        .and_then(|mut new| new.write_all(text.as_bytes()).and_then(|()| new.sync_all()))
        .and_then(|()| fs::rename(&unfinished, file));
    written.with_context(|| format!("the file {} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::tls::Certificate;

    /// A directory of its own, removed at the end.
    struct Dir(PathBuf);
    impl Dir {
        fn new() -> Self {
            let dir = std::env::temp_dir().join(format!("pillarbox-tls-{}", uuid::Uuid::now_v7()));
            fs::create_dir_all(&dir).expect("a directory");
            Self(dir)
        }
    }
    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_certificate_is_made_once_with_a_private_key() {
        let dir = Dir::new();
        let first = Certificate::open(None, &dir.0, "mail.example.org").expect("made").current();
        let second = Certificate::open(None, &dir.0, "mail.example.org").expect("read").current();
        assert_eq!(first.cert, second.cert);
        let mode = fs::metadata(dir.0.join("tls/key.pem")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.0.join("tls")).expect("there").count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn changed_files_are_read_and_bad_ones_are_not_taken() {
        let dir = Dir::new();
        let certificate = Certificate::open(None, &dir.0, "mail.example.org").expect("made");
        let first = certificate.current();
        let (chain, key) = (dir.0.join("tls/cert.pem"), dir.0.join("tls/key.pem"));
        let touch = |file: &Path, text: &str, seconds: u64| {
            fs::write(file, text).expect("written");
            let time = SystemTime::now() + Duration::from_secs(seconds);
            fs::File::options().write(true).open(file).and_then(|file| file.set_modified(time)).expect("a time");
        };
        touch(&chain, "rubbish", 10);
        certificate.reload_if_changed();
        assert_eq!(certificate.current().cert, first.cert, "the old one stays");
        let new = rcgen::generate_simple_self_signed(vec!["new.example.org".to_owned()]).expect("made");
        touch(&key, &new.signing_key.serialize_pem(), 20);
        certificate.reload_if_changed();
        assert_eq!(certificate.current().cert, first.cert, "half a change is none");
        touch(&chain, &new.cert.pem(), 20);
        certificate.reload_if_changed();
        assert_eq!(certificate.current().cert, vec![new.cert.der().clone()]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = Dir::new();
        let files = (dir.0.join("no-cert.pem"), dir.0.join("no-key.pem"));
        let error = Certificate::open(Some(&files), &dir.0, "mail.example.org").expect_err("missing");
        let text = format!("{error:#}");
        assert!(text.contains("PILLARBOX_TLS_CERT") && text.contains("no-cert.pem"), "{text}");
    }
}
