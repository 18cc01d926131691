//! The peers of the SMTP listener: what each may take, who is banned, and the ledger of their sessions.
//!
//! [`Limits`] counts for each address and each network what its sessions do, in bounded memory, and bans for a while who does
//! too much. [`Ledger`] takes what is to be known of each session that ended and writes it down, many at a time; it never keeps
//! a session waiting.

mod bans;
mod counts;
mod ledger;
mod limits;

pub use crate::store::smtp_sessions::New as NewSession;
pub use bans::Banned;
pub use ledger::{Ledger, LedgerWriter};
pub use limits::{Limits, Peer, TurnedAway};
