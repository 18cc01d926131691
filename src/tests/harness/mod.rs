//! What the tests share.

pub(crate) mod cable;
pub(crate) mod database;
pub(crate) mod rest;
pub(crate) mod schema;
pub(crate) mod scratch;
pub(crate) mod server;
pub(crate) mod smtp_client;
