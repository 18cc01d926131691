//! The SMTP listener (RFC 5321): connections in, deliveries out.
//!
//! A [`Listener`] accepts connections and runs a session for each; a session reads lines, keeps the state of the dialogue and
//! hands each finished message to [`crate::ingest`]. Who may receive, and what becomes of a message, is decided there.

mod chunking;
mod command;
mod content;
mod data;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod intake;
mod limits;
mod line;
mod listener;
mod parameters;
mod path;
mod proxy;
mod record;
mod reply;
mod session;
#[cfg(test)]
mod session_tests;
mod trace;
mod transaction;
mod wire;

pub use listener::Listener;
