//! PostgreSQL's own rate: the same rows with the same statement in the same cluster, and no server in between.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use uuid::Uuid;

use pillarbox::store::MIGRATOR;

use crate::database::{Copier, Stored};
use crate::process;
use crate::server::{BUSY_MAILBOXES, DOMAIN, Server, make_mailboxes};

/// Rows in one transaction.
const BATCH: usize = 50;

/// A database beside the server's, with the same tables.
pub(crate) struct Ceiling {
    options: PgConnectOptions,
    mailboxes: Vec<Uuid>,
}

/// What one measurement found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) messages_per_second: f64,
    /// The same on one connection.
    pub(crate) on_one_connection: f64,
    /// Microseconds of PostgreSQL's processors for one message.
    pub(crate) postgres_us: f64,
}

impl Ceiling {
    /// Makes the database.
    pub(crate) async fn make(server: &Server) -> Result<Self> {
        sqlx::query("create database ceiling").execute(&mut server.database().await?).await?;
        let options = server.options()?.database("ceiling");
        let mut db = PgConnection::connect_with(&options).await?;
        MIGRATOR.run(&mut db).await?;
        sqlx::query("insert into domains (domain_id, name) values (gen_random_uuid(), $1)").bind(DOMAIN).execute(&mut db).await?;
        let mailboxes = make_mailboxes(&mut db, BUSY_MAILBOXES).await?;
        Ok(Self { options, mailboxes })
    }

    /// Writes for a while, in batches of 50 on 2 connections.
    pub(crate) async fn measure(&self, server: &Server, rows: &[Stored], span: Duration) -> Result<Rate> {
        let mut one = Copier::new(PgConnection::connect_with(&self.options).await?, rows, &self.mailboxes, 1);
        let mut two = Copier::new(PgConnection::connect_with(&self.options).await?, rows, &self.mailboxes, 2);
        one.batch(BATCH).await?;
        two.batch(BATCH).await?;
        let (started, before) = (Instant::now(), process::cpu(server.pid())?);
        let (a, b) = tokio::try_join!(write(&mut one, started + span), write(&mut two, started + span))?;
        let (elapsed, used) = (started.elapsed().as_secs_f64(), process::cpu(server.pid())?.since(before));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let messages = ((a + b) * BATCH) as f64;
        let started = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let alone = (write(&mut one, started + span / 2).await? * BATCH) as f64;
        Ok(Rate {
            messages_per_second: messages / elapsed,
            on_one_connection: alone / started.elapsed().as_secs_f64(),
            postgres_us: used.postgres.as_secs_f64() * 1e6 / messages,
        })
    }
}

async fn write(copier: &mut Copier<'_>, until: Instant) -> Result<usize> {
    let mut batches = 0;
    while Instant::now() < until {
        copier.batch(BATCH).await?;
        batches += 1;
    }
    Ok(batches)
}
