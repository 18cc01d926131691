//! Random tokens and their digests.

use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A random text over an alphabet, from the operating system's generator.
pub fn random_text(alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).filter_map(|_| alphabet.get(rng.random_range(0..alphabet.len()))).map(|b| char::from(*b)).collect()
}

/// A token of 256 bits for links and sessions, letters and digits only.
pub fn random_token() -> String {
    // 43 characters of 62 hold 256 bits.
    random_text(ALPHANUMERIC, 43)
}

/// The digest under which a token of 128 bits or more is stored; such a token needs no salt.
pub fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// An API key as its holder has it: `sk_live_`, 8 characters, a dot, 32 characters.
#[derive(Debug, Clone)]
pub struct ApiKeyText {
    /// The eight characters by which the key is found; shown in lists.
    pub prefix: String,
    secret: SecretString,
}

impl ApiKeyText {
    const LABEL: &str = "sk_live_";

    /// A new key.
    pub fn generate() -> Self {
        Self { prefix: random_text(ALPHANUMERIC, 8), secret: random_text(ALPHANUMERIC, 32).into() }
    }

    /// Takes a key apart. `None` where the text is not of a key's form.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, secret) = text.strip_prefix(Self::LABEL)?.split_once('.')?;
        let valid =
            |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        (valid(prefix, 8) && valid(secret, 32)).then(|| Self { prefix: prefix.to_owned(), secret: secret.into() })
    }

    /// The whole key, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{}{}.{}", Self::LABEL, self.prefix, self.secret.expose_secret())
    }

    /// The digest that is stored, with the salt that belongs to it.
    pub fn salted_digest(&self, salt: &[u8]) -> Vec<u8> {
        Sha256::new().chain_update(salt).chain_update(self.secret.expose_secret().as_bytes()).finalize().to_vec()
    }

    /// Whether this is the key of a stored digest; takes the same time for every wrong one.
    pub fn matches(&self, salt: &[u8], stored: &[u8]) -> bool {
        self.salted_digest(salt).ct_eq(stored).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_matches_only_its_own_digest() {
        let key = ApiKeyText::generate();
        let text = key.reveal();
        assert_eq!(text.len(), "sk_live_".len() + 8 + 1 + 32);
        let again = ApiKeyText::parse(&text).expect("own form");
        let stored = key.salted_digest(b"salt");
        assert!(again.matches(b"salt", &stored));
        assert!(!again.matches(b"tlas", &stored));
        assert!(!ApiKeyText::generate().matches(b"salt", &stored));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = ApiKeyText::generate().reveal();
        for text in [
            "",
            "sk_live_",
            "sk_test_aaaaaaaa.b",
            &key[..key.len() - 1],
            &format!("{key}x"),
            &format!(" {key}"),
            &key.replace('.', ""),
        ] {
            assert!(ApiKeyText::parse(text).is_none(), "{text:?}");
        }
    }
}
