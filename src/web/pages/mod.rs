//! The pages, a file each: what they show and what their forms do.

pub(in crate::web) mod account;
pub(in crate::web) mod api_keys;
pub(in crate::web) mod audit_log;
pub(in crate::web) mod confirm;
pub(in crate::web) mod domain;
pub(in crate::web) mod domains;
pub(in crate::web) mod error;
pub(in crate::web) mod live;
pub(in crate::web) mod mailbox;
pub(in crate::web) mod mailbox_create;
pub(in crate::web) mod mailbox_people;
pub(in crate::web) mod mailbox_services;
pub(in crate::web) mod mailbox_ways;
pub(in crate::web) mod mailboxes;
pub(in crate::web) mod message_parts;
pub(in crate::web) mod message_row;
pub(in crate::web) mod messages;
pub(in crate::web) mod overview;
pub(in crate::web) mod preferences;
pub(in crate::web) mod reader;
pub(in crate::web) mod sender;
pub(in crate::web) mod setup;
pub(in crate::web) mod sign_in;
pub(in crate::web) mod smtp_sessions;
