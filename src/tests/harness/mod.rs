//! What the tests share.

pub(crate) mod database;
pub(crate) mod scratch;
pub(crate) mod smtp_client;
