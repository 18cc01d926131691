//! The integration tests: one program, so that it links once. Each file is a matter, tested through its door.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect shall fail")]

mod harness;

mod docs;
mod layers;
mod migrations;
mod openapi;
mod operations;
mod private_postgres;
mod smtp;
