//! `pillarbox serve`: everything that runs, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::acme::Acme;
use crate::api;
use crate::config::Config;
use crate::crypto::Password;
use crate::dns::Dns;
use crate::http;
use crate::ingest;
use crate::jobs::search_index;
use crate::jobs::{Job, Runner};
use crate::mcp;
use crate::operations::{Ctx, Services, setup, upkeep};
use crate::peers::{Ledger, LedgerWriter, Limits};
use crate::smtp::Listener;
use crate::tls::Certificate;
use crate::web;

use super::banner;
use super::database::Database;
use super::http_server;
use super::https::TlsListener;
use super::{prepare_data_dir, services};

/// Runs the server until `SIGTERM` or `SIGINT`.
pub async fn serve(config: Config) -> Result<()> {
    raise_file_limit();
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    // From the first moment on: unheard, the signal would end the process.
    let hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let running = Running::start(config, stop).await?;
    if let Some(certificate) = running.services().certificate.clone() {
        tokio::spawn(reload_on_signal(hangup, certificate));
    }
    running.finish().await;
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
    search: Option<JoinHandle<()>>,
    jobs: Option<JoinHandle<()>>,
    http: Option<JoinHandle<()>>,
    https: Option<JoinHandle<()>>,
    https_address: Option<SocketAddr>,
    certificate: JoinHandle<()>,
    acme: Option<JoinHandle<()>>,
    smtp: Option<JoinHandle<()>>,
    ledger: Option<JoinHandle<()>>,
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
        let Parts { services, workers, http, https, certificate, smtp, ledger } = parts;
        let forgetful = services.clone();
        let forget = move || {
            let services = forgetful.clone();
            async move { services.forget().await }
        };
        let http_address = http.as_ref().and_then(|listener| listener.local_addr().ok());
        Self {
            jobs: services.config.roles.worker.then(|| tokio::spawn(runner(&services).run(stop.clone()))),
            news: tokio::spawn(services.bus.clone().listen(services.db.clone(), stop.clone(), forget)),
            search: services.config.roles.worker.then(|| {
                let arrivals = services.ingest.arrivals().clone();
                tokio::spawn(search_index::run(database.options().clone(), arrivals, stop.clone()))
            }),
            http: http.map(|listener| {
                let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
                tokio::spawn(http_server::run(listener, router(services.clone()), services.config.http, stop.clone()))
            }),
            https_address: https.as_ref().map(TlsListener::address),
            https: https.map(|listener| {
                tokio::spawn(http_server::run(listener, router(services.clone()), services.config.http, stop.clone()))
            }),
            acme: acme(&services, &certificate).map(|acme| tokio::spawn(acme.run(stop.clone()))),
            certificate: tokio::spawn(certificate.watch(stop.clone())),
            smtp: smtp.map(|listener| tokio::spawn(listener.run())),
            ledger: ledger.map(|writer| tokio::spawn(writer.run())),
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

    /// Where HTTPS is served, with the real port.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.https_address
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
        join("the ledger of SMTP sessions", self.ledger).await;
        join("the HTTP listener", self.http).await;
        join("the HTTPS listener", self.https).await;
        join("the certificate's watch", Some(self.certificate)).await;
        join("the orders for certificates", self.acme).await;
        join("the listener for news", Some(self.news)).await;
        join("the search index", self.search).await;
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
    https: Option<TlsListener>,
    certificate: Arc<Certificate>,
    smtp: Option<Listener>,
    ledger: Option<LedgerWriter>,
}

impl Parts {
    async fn start(config: Arc<Config>, database: &Database, stop: &CancellationToken) -> Result<Self> {
        let http = if config.roles.http { Some(bind_http(config.http_listen).await?) } else { None };
        let (mut services, workers) = services(Arc::clone(&config), database, Vec::new(), "server").await?;
        let certificate = certificate(Arc::clone(&config)).await?;
        let https = match config.https_listen.filter(|_| config.roles.http) {
            Some(address) => Some(TlsListener::bind(address, &certificate).await?),
            None => None,
        };
        let (smtp, ledger) = if config.roles.smtp { listener(&config, &services, &certificate, stop)? } else { (None, None) };
        services.certificate = Some(Arc::clone(&certificate));
        services.stop = stop.clone();
        services.smtp_addresses = Arc::new(smtp.as_ref().map(Listener::local_addrs).unwrap_or_default());
        announce(&services, http.as_ref()).await?;
        Ok(Self { services, workers, http, https, certificate, smtp, ledger })
    }
}

/// Reads the certificate, or makes it, where that holds up nothing else.
async fn certificate(config: Arc<Config>) -> Result<Arc<Certificate>> {
    let open = move || Certificate::open(config.smtp.tls.as_ref(), &config.data_dir, &config.hostname);
    tokio::task::spawn_blocking(open).await?
}

/// Who orders certificates, where the settings name an authority.
fn acme(services: &Services, certificate: &Arc<Certificate>) -> Option<Acme> {
    let config = &services.config;
    let settings = config.acme.clone()?;
    let (db, sealer) = (services.db.clone(), Arc::clone(&services.sealer));
    Some(Acme::new(settings, config.hostname.clone(), db, sealer, Arc::clone(certificate)))
}

/// The SMTP listener, with the ledger that its sessions are written down in.
fn listener(
    config: &Config,
    services: &Services,
    certificate: &Arc<Certificate>,
    stop: &CancellationToken,
) -> Result<(Option<Listener>, Option<LedgerWriter>)> {
    let listener = Listener::bind(config, services.ingest.clone(), certificate, stop.clone())?;
    let limits = services.limits.clone().unwrap_or_else(|| Limits::new(config.smtp.peers.clone()));
    // Who has the checks of senders switched off wants nobody asked about them.
    let names = if config.verdicts.enabled { Some(Dns::new(&config.dns)?) } else { None };
    let (ledger, writer) = Ledger::new(services.db.clone(), limits.clone(), names);
    Ok((Some(listener.watched(limits, ledger)), Some(writer)))
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

/// Everything that HTTP serves.
pub(crate) fn router(services: Services) -> Router {
    let body_timeout = services.config.http.body_timeout;
    api::router(services.clone())
        .merge(mcp::router(services.clone()))
        .merge(web::router(services.clone()))
        .layer(from_fn_with_state(services, http::identify))
        .layer(from_fn_with_state(body_timeout, http_server::body_in_time))
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

/// Reads the certificate anew on `SIGHUP`, for those who renew it and do not want to wait.
async fn reload_on_signal(mut hangup: Signal, certificate: Arc<Certificate>) {
    while hangup.recv().await.is_some() {
        certificate.reload();
    }
}

/// Each connection is an open file, and the usual limit of 1024 is soon reached. Any process may raise it up to the hard limit.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(from = ?current, to = ?maximum, "the limit of open files is raised"),
        Err(error) => tracing::warn!(%error, limit = ?current, "the limit of open files could not be raised"),
    }
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
