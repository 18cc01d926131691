//! Sealing: secrets that must be readable again, under an authenticated cipher (XChaCha20-Poly1305).

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::config::SecretKeySource;

const NONCE_OCTETS: usize = 24;
const KEY_ID_OCTETS: usize = 4;

/// Seals and opens secrets with the installation's key.
///
/// A sealed secret is: key id (4 octets), nonce (24), cipher text with tag. `purpose` and `owner` are bound in, so that a
/// sealed secret cannot be moved to another row.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID_OCTETS],
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Sealer {
    /// Reads the key, or generates it once in the data directory.
    pub fn from_source(source: &SecretKeySource, data_dir: &Path) -> Result<Self> {
        match source {
            SecretKeySource::Given(text) => Self::from_text(text.expose_secret()).context("PILLARBOX_SECRET_KEY is not right"),
            SecretKeySource::File(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("PILLARBOX_SECRET_KEY_FILE {} cannot be read", path.display()))?;
                Self::from_text(&text).context("PILLARBOX_SECRET_KEY_FILE is not right")
            }
            SecretKeySource::Generated => Self::from_text(&generated(&data_dir.join("secret.key"))?),
        }
    }

    /// From 32 octets in base64.
    pub fn from_text(text: &str) -> Result<Self> {
        let key = STANDARD
            .decode(text.trim())
            .ok()
            .filter(|k| k.len() == 32)
            .context("a key is 32 octets in base64: openssl rand -base64 32")?;
        let mut key_id = [0; KEY_ID_OCTETS];
        key_id.iter_mut().zip(Sha256::digest(&key)).for_each(|(to, from)| *to = from);
        Ok(Self { cipher: XChaCha20Poly1305::new(key.as_slice().into()), key_id })
    }

    /// Seals a secret of `owner`, to be opened with the same words.
    pub fn seal(&self, purpose: &str, owner: &str, secret: &str) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_OCTETS] = rand::random();
        let aad = format!("{purpose}\0{owner}");
        let payload = Payload { msg: secret.as_bytes(), aad: aad.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| anyhow::anyhow!("a secret could not be sealed"))?;
        Ok([&self.key_id[..], &nonce, &sealed].concat())
    }

    /// Opens what was sealed with the same words and key.
    pub fn open(&self, purpose: &str, owner: &str, sealed: &[u8]) -> Result<String> {
        let Some((key_id, rest)) = sealed.split_at_checked(KEY_ID_OCTETS) else { bail!("a sealed secret is cut short") };
        let Some((nonce, text)) = rest.split_at_checked(NONCE_OCTETS) else { bail!("a sealed secret is cut short") };
        if key_id != self.key_id {
            bail!("a secret was sealed with another key; give the server the key that it had then");
        }
        let aad = format!("{purpose}\0{owner}");
        let payload = Payload { msg: text, aad: aad.as_bytes() };
        let secret = self
            .cipher
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| anyhow::anyhow!("a sealed secret was altered"))?;
        Ok(String::from_utf8(secret)?)
    }
}

/// Reads the key file, or writes a new one that only its owner can read.
fn generated(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("the secret key {} cannot be read", path.display())),
    }
    let key: [u8; 32] = rand::random();
    let text = STANDARD.encode(key);
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Ok(mut file) => {
            writeln!(file, "{text}")
                .and_then(|()| file.sync_all())
                .with_context(|| format!("the secret key {} cannot be written", path.display()))?;
            Ok(text)
        }
        // Another command made it just now.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(std::fs::read_to_string(path)?),
        Err(error) => Err(error).with_context(|| format!("the secret key {} cannot be written", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_key_purpose_and_owner() {
        let sealer = Sealer::from_text(&STANDARD.encode([7; 32])).expect("key");
        let sealed = sealer.seal("mailbox", "a@example.org", "hunter2").expect("seal");
        assert_eq!(sealer.open("mailbox", "a@example.org", &sealed).expect("open"), "hunter2");
        assert!(sealer.open("mailbox", "b@example.org", &sealed).is_err());
        assert!(sealer.open("account", "a@example.org", &sealed).is_err());
        let other = Sealer::from_text(&STANDARD.encode([8; 32])).expect("key");
        assert!(other.open("mailbox", "a@example.org", &sealed).is_err());
        let mut altered = sealed.clone();
        *altered.last_mut().expect("not empty") ^= 1;
        assert!(sealer.open("mailbox", "a@example.org", &altered).is_err());
        assert!(sealer.open("mailbox", "a@example.org", &sealed[..10]).is_err());
    }
}
