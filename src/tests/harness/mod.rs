//! What the tests share.

pub(crate) mod acme;
pub(crate) mod cable;
pub(crate) mod database;
pub(crate) mod dns;
pub(crate) mod process;
pub(crate) mod rest;
pub(crate) mod schema;
pub(crate) mod scratch;
pub(crate) mod sender;
pub(crate) mod server;
pub(crate) mod signer;
pub(crate) mod smtp_client;
