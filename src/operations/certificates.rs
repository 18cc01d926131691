//! What an authority fetches to see that this server has the names of a certificate.

use crate::error::{Error, Result};
use crate::store;

use super::Services;

/// The longest token that is looked up; those of authorities have 22 to 64 characters.
const LONGEST_TOKEN: usize = 128;

/// The proof that was put up under a token (RFC 8555 section 8.3). `NotFound` where there is none.
pub async fn proof(services: &Services, token: &str) -> Result<String> {
    let none = || Error::not_found("challenge", "There is no such challenge.");
    // base64url, as the RFC has it: nothing else is looked up.
    let is_token = token.len() <= LONGEST_TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !is_token {
        return Err(none());
    }
    store::certificates::challenge(&mut *services.db.acquire().await?, token).await?.ok_or_else(none)
}
