//! The integration tests: one program, so that it links once. Each file is a matter, tested through its door.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect shall fail")]

mod harness;

mod api_keys;
mod arrival;
mod cli;
mod codes;
mod dns;
mod docs;
mod domains;
mod durability;
mod health;
mod http_limits;
mod jobs;
mod keys_limits;
mod layers;
mod mailboxes;
mod mcp;
mod messages;
mod migrations;
mod nodes;
mod openapi;
mod operations;
mod panel;
mod private_postgres;
mod rest_manners;
mod settings;
mod smtp;
mod smtp_sessions;
mod soak;
