//! The whole process: what starts and stops, in order.

mod banner;
mod database;
pub mod doctor;
mod http_server;
mod https;
mod logging;
mod serve;

use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::config::Config;
use crate::crypto::Sealer;
use crate::dns::Dns;
use crate::events::Bus;
use crate::ingest;
use crate::ingest::Ingest;
use crate::operations::{Ctx, Services};
use crate::peers::Limits;
use crate::store;
use crate::verdict::Judge;

pub use logging::start as start_logging;
pub use serve::{Running, serve};

use database::Database;

/// How many connections the surfaces share; the writers have their own. More than the processors can serve at once only wait
/// for each other inside PostgreSQL, where no queue is fair: with 16 in place of 6 on two cores, the slowest of a hundred
/// requests for a code took twice as long.
fn connections() -> u32 {
    let processors = std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(2));
    (2 + 2 * processors).clamp(6, 24)
}

/// The services of a command line that works beside the server, or without one.
pub struct Beside {
    services: Services,
    workers: ingest::Workers,
    database: Database,
}

impl Beside {
    /// Connects to the database of the running server, or starts the private one for the time of the command.
    pub async fn start(config: Config) -> Result<Self> {
        prepare_data_dir(&config)?;
        let database = Database::beside(&config).await?;
        let (services, workers) = services(Arc::new(config), &database, Vec::new(), "command").await?;
        Ok(Self { services, workers, database })
    }

    /// A request of the operator.
    pub fn ctx(&self) -> Ctx {
        Ctx::operator(self.services.clone())
    }

    /// Ends what was started.
    pub async fn stop(self) {
        let Self { services, workers, database } = self;
        services.db.close().await;
        drop(services);
        workers.finish().await;
        database.stop().await;
    }
}

/// Puts the services together on a database that is up.
async fn services(
    config: Arc<Config>,
    database: &Database,
    smtp: Vec<std::net::SocketAddr>,
    part: &str,
) -> Result<(Services, ingest::Workers)> {
    let sealer = Sealer::from_source(&config.secret_key, &config.data_dir)?;
    let db = store::pool(database.options().clone(), connections());
    let node = format!("{part} {} {}", config.hostname, config.data_dir.display());
    let (ingest, workers) = Ingest::start(config.ingest.clone(), database.options().clone(), db.clone(), node, judge(&config)?)
        .await
        .context("starting intake")?;
    let bus = Bus::new(ingest.arrivals().clone());
    let limits = Limits::new(config.smtp.peers.clone());
    let mut services = Services::new(db, ingest, bus, config, sealer, smtp);
    services.limits = Some(limits);
    Ok((services, workers))
}

/// Who finds out about senders; nobody where the settings say so.
fn judge(config: &Config) -> Result<Option<Judge>> {
    if !config.verdicts.enabled {
        return Ok(None);
    }
    let dns = Dns::new(&config.dns)?;
    Ok(Some(Judge::new(config.verdicts.clone(), dns, config.dns.cache_answers, &config.hostname)))
}

fn prepare_data_dir(config: &Config) -> Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("PILLARBOX_DATA_DIR {} cannot be made", config.data_dir.display()))
}
