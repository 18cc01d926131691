//! The database that a process works on: an external one by URL, or the private one below the data directory.

use anyhow::{Context as _, Result, bail};
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::config::Config;
use crate::store;
use crate::store::private::{Attached, Options, PrivatePostgres, attach_or_start};

/// The oldest major version that the statements are written for.
const OLDEST_VERSION: i32 = 14;

/// A database that is up and migrated.
pub(super) struct Database {
    options: PgConnectOptions,
    private: Private,
}

enum Private {
    No,
    Own(PrivatePostgres),
    Attached(Box<Attached>),
}

impl Database {
    /// For the server: the private one is started and belongs to it.
    pub(super) async fn for_server(config: &Config) -> Result<Self> {
        if let Some(database) = Self::external(config).await? {
            return Ok(database);
        }
        let private = PrivatePostgres::start(&Options::new(&config.data_dir)).await?;
        let options = private.connect_options();
        Self { options, private: Private::Own(private) }.migrated().await
    }

    /// For a command: the one that the server runs, or the private one for the time of the command.
    pub(super) async fn beside(config: &Config) -> Result<Self> {
        if let Some(database) = Self::external(config).await? {
            return Ok(database);
        }
        let attached = attach_or_start(&Options::new(&config.data_dir)).await?;
        let options = attached.connect_options();
        Self { options, private: Private::Attached(Box::new(attached)) }.migrated().await
    }

    async fn external(config: &Config) -> Result<Option<Self>> {
        let Some(url) = &config.database_url else { return Ok(None) };
        let options: PgConnectOptions = url.expose_secret().parse().context("PILLARBOX_DATABASE_URL is not a database URL")?;
        Self { options, private: Private::No }.migrated().await.map(Some)
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Brings the schema up to this version, one process at a time (the migrator holds an advisory lock).
    async fn migrated(self) -> Result<Self> {
        match migrate(&self.options).await {
            Ok(()) => Ok(self),
            Err(error) => {
                self.stop().await;
                Err(error)
            }
        }
    }

    pub(super) async fn stop(self) {
        match self.private {
            Private::No => {}
            Private::Own(private) => private.stop().await,
            Private::Attached(attached) => attached.stop().await,
        }
    }
}

async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let mut db = options
        .clone()
        .disable_statement_logging()
        .connect()
        .await
        .context("the database of PILLARBOX_DATABASE_URL cannot be reached")?;
    check_version(&db)?;
    store::MIGRATOR.run(&mut db).await.context("the database's schema could not be brought up to this version")?;
    db.close().await.context("the database did not end the connection")?;
    Ok(())
}

fn check_version(db: &PgConnection) -> Result<()> {
    let version =
        db.server_version_num().map_or(OLDEST_VERSION, |number| i32::try_from(number / 10_000).unwrap_or(OLDEST_VERSION));
    if version < OLDEST_VERSION {
        bail!("the database of PILLARBOX_DATABASE_URL is PostgreSQL {version}; this needs {OLDEST_VERSION} or later");
    }
    Ok(())
}
