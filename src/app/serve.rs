//! `pillarbox serve`: everything that runs, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api;
use crate::config::Config;
use crate::crypto::Password;
use crate::http;
use crate::ingest;
use crate::jobs::{Job, Runner};
use crate::mcp;
use crate::operations::{Ctx, Services, setup, upkeep};
use crate::smtp::Listener;
use crate::web;

use super::banner;
use super::database::Database;
use super::{prepare_data_dir, services};

/// How long answers that are under way may take after the server was told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Runs the server until `SIGTERM` or `SIGINT`.
pub async fn serve(config: Config) -> Result<()> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    Running::start(config, stop).await?.finish().await;
    tracing::info!("stopped");
    Ok(())
}

/// The server at work. It goes on until the token that it was started with is cancelled.
pub struct Running {
    database: Database,
    services: Services,
    workers: ingest::Workers,
    http_address: Option<SocketAddr>,
    news: JoinHandle<()>,
    jobs: Option<JoinHandle<()>>,
    http: Option<JoinHandle<()>>,
    smtp: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Running {
    /// Starts everything that the settings ask for; in port 0 a free port is taken.
    pub async fn start(config: Config, stop: CancellationToken) -> Result<Self> {
        prepare_data_dir(&config)?;
        // The directory first: where another server has it, that says more than a port that is taken.
        let database = Database::for_server(&config).await?;
        match Parts::start(Arc::new(config), &database, &stop).await {
            Ok(parts) => Ok(Self::of(parts, database, stop)),
            Err(error) => {
                database.stop().await;
                Err(error)
            }
        }
    }

    fn of(parts: Parts, database: Database, stop: CancellationToken) -> Self {
        let Parts { services, workers, http, smtp } = parts;
        let forgetful = services.clone();
        let forget = move || {
            let services = forgetful.clone();
            async move { services.forget().await }
        };
        let http_address = http.as_ref().and_then(|listener| listener.local_addr().ok());
        Self {
            jobs: services.config.roles.worker.then(|| tokio::spawn(runner(&services).run(stop.clone()))),
            news: tokio::spawn(services.bus.clone().listen(services.db.clone(), stop.clone(), forget)),
            http: http.map(|listener| tokio::spawn(serve_http(listener, services.clone(), stop.clone()))),
            smtp: smtp.map(|listener| tokio::spawn(listener.run())),
            database,
            services,
            workers,
            http_address,
            stop,
        }
    }

    /// Where HTTP is served, with the real port.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// What the doors work with.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Waits for the word to stop, finishes what is under way, and stops the private database.
    pub async fn finish(self) {
        self.stop.cancelled().await;
        tracing::info!("stopping: no new work, what is under way is finished");
        join("the SMTP listener", self.smtp).await;
        join("the HTTP listener", self.http).await;
        join("the listener for news", Some(self.news)).await;
        join("background work", self.jobs).await;
        let db = self.services.db.clone();
        drop(self.services);
        self.workers.finish().await;
        db.close().await;
        self.database.stop().await;
    }
}

/// What is bound and ready, before anything runs.
struct Parts {
    services: Services,
    workers: ingest::Workers,
    http: Option<TcpListener>,
    smtp: Option<Listener>,
}

impl Parts {
    async fn start(config: Arc<Config>, database: &Database, stop: &CancellationToken) -> Result<Self> {
        let http = if config.roles.http { Some(bind_http(config.http_listen).await?) } else { None };
        let (mut services, workers) = services(Arc::clone(&config), database, Vec::new(), "server").await?;
        let smtp =
            if config.roles.smtp { Some(Listener::bind(&config, services.ingest.clone(), stop.clone()).await?) } else { None };
        services.stop = stop.clone();
        services.smtp_addresses = Arc::new(smtp.as_ref().map(Listener::local_addrs).unwrap_or_default());
        announce(&services, http.as_ref()).await?;
        Ok(Self { services, workers, http, smtp })
    }
}

/// Who does the background jobs of this process.
fn runner(services: &Services) -> Runner {
    let node = format!("{} ({})", services.config.hostname, std::process::id());
    Runner::new(services.db.clone(), node, jobs(services), Arc::clone(&services.wake_jobs))
}

/// The background jobs that there are.
fn jobs(services: &Services) -> Vec<Job> {
    upkeep::jobs(services)
}

async fn join<T>(what: &str, task: Option<JoinHandle<T>>) {
    if let Some(task) = task
        && let Err(error) = task.await
    {
        tracing::error!(%error, "{what} broke off");
    }
}

async fn bind_http(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("PILLARBOX_HTTP_LISTEN is {address}, where this cannot listen: another program may be there"))
}

async fn serve_http(listener: TcpListener, services: Services, stop: CancellationToken) {
    let app = router(services).into_make_service_with_connect_info::<SocketAddr>();
    let ending = stop.clone();
    let server = async move { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await };
    // Streams of live news would hold the stop up for ever.
    let late = async move {
        ending.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        result = server => if let Err(error) = result { tracing::error!(%error, "HTTP stopped") },
        () = late => tracing::warn!("some answers were cut off"),
    }
}

/// Everything that HTTP serves.
pub(crate) fn router(services: Services) -> Router {
    api::router(services.clone())
        .merge(mcp::router(services.clone()))
        .merge(web::router(services.clone()))
        .layer(from_fn_with_state(services, http::identify))
        .layer(from_fn(http::on_every_response))
        .layer(CatchPanicLayer::new())
}

/// Makes the first administrator from the settings, and says where things are.
async fn announce(services: &Services, http: Option<&TcpListener>) -> Result<()> {
    let config = &services.config;
    let ctx = Ctx::operator(services.clone());
    for address in services.smtp_addresses.iter() {
        tracing::info!("mail is accepted at smtp://{address}");
    }
    if let Some(address) = http.and_then(|listener| listener.local_addr().ok()) {
        tracing::info!("panel and API are at {} (listening at {address})", config.link("/"));
    }
    if !setup::is_needed(services).await? {
        return Ok(());
    }
    if let Some((username, password)) = &config.first_admin {
        use secrecy::ExposeSecret as _;
        let password = Password::new(password.expose_secret());
        setup::create_admin(&ctx, username, &password).await.context("PILLARBOX_ADMIN_USERNAME and PILLARBOX_ADMIN_PASSWORD")?;
        tracing::info!("the first administrator is {username}");
    } else if http.is_some() {
        let link = setup::new_link(&ctx).await?;
        if config.log.json {
            tracing::info!("set up the first administrator within 30 minutes: {link}");
        } else {
            println!("{}", banner::first_start(services, &link));
        }
    }
    Ok(())
}

fn stop_on_signal(stop: CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
