//! What operations work with: made once at start, shared by all doors.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::crypto::Sealer;
use crate::events::Bus;
use crate::ingest::Ingest;
use crate::peers::Limits;
use crate::tls::Certificate;

use super::api_keys::KeyCache;
use super::rates::Rates;
use super::settings::SettingsCache;
use super::throttle::Throttle;

/// What operations work with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    /// The database.
    pub db: PgPool,
    /// The way in for mail; here for its memory of recipients.
    pub ingest: Ingest,
    /// News of arrivals and changes.
    pub bus: Bus,
    /// The settings.
    pub config: Arc<Config>,
    /// Seals stored secrets.
    pub sealer: Arc<Sealer>,
    /// The addresses that the SMTP listener listens at, as they were bound.
    pub smtp_addresses: Arc<Vec<std::net::SocketAddr>>,
    /// The certificate that the listeners present; `None` beside a server.
    pub certificate: Option<Arc<Certificate>>,
    /// Cancelled when the server ends: who waits is answered then.
    pub stop: CancellationToken,
    /// What peers of the SMTP listener may take; `None` where there is none.
    pub limits: Option<Limits>,
    /// Wakes the runner of background jobs.
    pub wake_jobs: Arc<Notify>,
    pub(super) keys: KeyCache,
    pub(super) settings: SettingsCache,
    pub(super) rates: Rates,
    pub(super) throttle: Arc<Throttle>,
}

impl Services {
    /// Puts the services together.
    pub fn new(
        db: PgPool,
        ingest: Ingest,
        bus: Bus,
        config: Arc<Config>,
        sealer: Sealer,
        smtp: Vec<std::net::SocketAddr>,
    ) -> Self {
        Self {
            db,
            ingest,
            bus,
            config,
            sealer: Arc::new(sealer),
            smtp_addresses: Arc::new(smtp),
            certificate: None,
            stop: CancellationToken::new(),
            limits: None,
            wake_jobs: Arc::default(),
            keys: KeyCache::new(),
            settings: SettingsCache::default(),
            rates: Rates::new(),
            throttle: Arc::default(),
        }
    }

    /// Forgets what was remembered of mailboxes, domains, keys and settings. Run when another node changed them.
    pub async fn forget(&self) {
        self.ingest.forget_recipients();
        self.settings.forget();
        self.keys.forget().await;
        if let Some(limits) = &self.limits
            && let Err(error) = limits.exchange_bans(&self.db).await
        {
            tracing::debug!(%error, "what other nodes know of bans could not be read; trying again later");
        }
        self.wake_jobs.notify_one();
    }
}
