//! The integration tests: one program, so that it links once. Each file is a matter, tested through its door.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect shall fail")]

mod harness;

mod acme;
mod api_keys;
mod arrival;
mod cli;
mod clients;
mod codes;
mod conformance;
mod dns;
mod docs;
mod doctor;
mod domain_check;
mod domains;
mod durability;
mod extraction;
mod health;
mod http_limits;
mod isolation;
mod jobs;
mod keys_limits;
mod large_messages;
mod layers;
mod mailbox_page;
mod mailboxes;
mod mcp;
mod messages;
mod migrations;
mod nodes;
mod openapi;
mod operations;
mod outside;
mod panel;
mod panel_people;
mod panel_running;
mod portal;
mod private_postgres;
mod recipients;
mod rest_manners;
mod retention;
mod search;
mod sender_policies;
mod senders;
mod services;
mod settings;
mod smtp;
mod smtp_sessions;
mod soak;
mod users;
mod verdicts;
