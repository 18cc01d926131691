//! Secrets: random tokens, digests, passwords, and sealing of what must be readable again.

mod hex;
mod password;
mod seal;
mod token;

pub use hex::hex;
pub use password::{Password, hash_generated, verify_dummy};
pub use seal::Sealer;
pub use token::{ApiKeyText, digest, random_text, random_token};
