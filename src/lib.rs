//! Pillarbox: a self-hosted inbound mail server with an API.
//!
//! The modules from the ground up; each uses only those above it in this list.

pub mod error;

pub mod config;
pub mod crypto;
pub mod types;

pub mod dns;
pub mod tls;

pub mod mail;

pub mod store;

pub mod peers;
pub mod verdict;

pub mod ingest;

pub mod acme;
pub mod events;
pub mod jobs;
pub mod smtp;

pub mod operations;

pub mod http;

pub mod api;
pub mod mcp;
pub mod web;

pub mod app;
pub mod cli;
