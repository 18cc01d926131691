//! Passwords: argon2id for those that people choose, a salted digest for those that were drawn at random.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Each hash takes 19 MiB for some milliseconds; two at once keep that in bounds.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// What an unknown user's password is compared with, so that it takes as long as a known one's.
static DUMMY: LazyLock<String> = LazyLock::new(|| hash_now("a password that nobody has").unwrap_or_default());

const GENERATED: &str = "$sha256$";

/// A password as its owner typed it.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes it as it is; the rules for new ones stand with the operations.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// How many characters it has.
    pub fn characters(&self) -> usize {
        self.0.expose_secret().chars().count()
    }

    /// The argon2id hash in PHC form.
    pub async fn hash(&self) -> Result<String> {
        let password = self.clone();
        off_the_runtime(move || hash_now(password.0.expose_secret())).await?
    }

    /// Whether this is the password of a stored hash.
    pub async fn verify(&self, stored: &str) -> Result<bool> {
        if let Some(rest) = stored.strip_prefix(GENERATED) {
            return Ok(matches_generated(self.0.expose_secret(), rest));
        }
        let (password, stored) = (self.clone(), stored.to_owned());
        off_the_runtime(move || {
            PasswordHash::new(&stored)
                .is_ok_and(|hash| Argon2::default().verify_password(password.0.expose_secret().as_bytes(), &hash).is_ok())
        })
        .await
    }
}

/// Takes as long as a wrong password of a known user.
pub async fn verify_dummy(password: &Password) -> Result<()> {
    let dummy = tokio::task::spawn_blocking(|| DUMMY.clone()).await.map_err(|e| Error::Internal(e.into()))?;
    password.verify(&dummy).await.map(drop)
}

/// The stored form of a password that was drawn at random: with 69 bits in it, guessing is hopeless without a slow hash too,
/// and a thousand mailboxes can be made at once.
pub fn hash_generated(password: &str) -> String {
    let salt: [u8; 16] = rand::random();
    let digest = Sha256::new().chain_update(salt).chain_update(password.as_bytes()).finalize();
    format!("{GENERATED}{}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest))
}

fn matches_generated(password: &str, stored: &str) -> bool {
    let Some((salt, digest)) = stored.split_once('$') else { return false };
    let (Ok(salt), Ok(digest)) = (STANDARD_NO_PAD.decode(salt), STANDARD_NO_PAD.decode(digest)) else { return false };
    Sha256::new().chain_update(salt).chain_update(password.as_bytes()).finalize().as_slice().ct_eq(&digest).into()
}

fn hash_now(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|cause| Error::Internal(anyhow::anyhow!("hashing a password: {cause}")))
}

async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = AT_ONCE.acquire().await.map_err(|e| Error::Internal(e.into()))?;
    tokio::task::spawn_blocking(work).await.map_err(|cause| Error::Internal(cause.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_either_form() {
        let chosen = Password::new("correct horse").hash().await.expect("hash");
        assert!(chosen.starts_with("$argon2id$"), "{chosen}");
        for stored in [chosen, hash_generated("correct horse")] {
            assert!(Password::new("correct horse").verify(&stored).await.expect("verify"));
            assert!(!Password::new("correct horsE").verify(&stored).await.expect("verify"));
        }
        assert!(!Password::new("x").verify("no hash at all").await.expect("verify"));
    }
}
