//! All SQL. A function takes a connection, so that its caller decides what is one transaction.

pub mod access_links;
pub mod aliases;
pub mod api_keys;
pub mod audit;
pub mod certificates;
pub mod codes;
pub mod domain_checks;
pub mod domains;
pub mod events;
pub mod figures;
pub mod health;
pub mod intake;
pub mod jobs;
pub mod kept_answers;
pub mod mailboxes;
pub mod messages;
pub mod notify;
pub mod portal;
pub mod principals;
pub mod private;
pub mod recipients;
pub mod retention;
pub mod search;
pub mod service_links;
pub mod settings;
pub mod smtp_bans;
pub mod smtp_sessions;
pub mod stats;
pub mod tls_reports;
pub mod users;

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::error::{Error, Result};

/// The migrations in the program; run at start under an advisory lock.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Opens the pool that the surfaces share. Connections are made when they are needed.
pub fn pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(5))
        // A ping before each use would double the round trips; a dead connection shows itself as an error.
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

/// How a constraint that the database kept is said in the product's words.
pub trait OnConstraint<T> {
    /// Turns the breach of this constraint into the error that `error` makes; other errors stay what they are.
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|cause| match &cause {
            sqlx::Error::Database(db) if db.constraint() == Some(name) => error(),
            _ => cause.into(),
        })
    }
}
