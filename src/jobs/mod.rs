//! Background work: jobs at an interval, each done by one node at a time.
//!
//! Which node does a job is decided in the database: a row for each job, claimed for a while, with an epoch that grows with each
//! claim. A node that dies leaves its claims to the others. What a job does stands with whom it concerns; this only runs it.

mod job;
mod runner;
pub mod search_index;

pub use job::{Done, Job, Turn};
pub use runner::Runner;
