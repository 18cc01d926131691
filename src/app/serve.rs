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

use crate::config::Config;
use crate::crypto::Password;
use crate::operations::{Ctx, Services, setup};
use crate::smtp::Listener;
use crate::{api, http, web};

use super::banner;
use super::database::Database;
use super::{prepare_data_dir, services};

/// How long answers that are under way may take after the server was told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Runs the server until `SIGTERM` or `SIGINT`.
pub async fn serve(config: Config) -> Result<()> {
    prepare_data_dir(&config)?;
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    // The directory first: where another server has it, that says more than a port that is taken.
    let database = Database::for_server(&config).await?;
    let result = run(Arc::clone(&config), &database, stop).await;
    database.stop().await;
    if result.is_ok() {
        tracing::info!("stopped");
    }
    result
}

async fn run(config: Arc<Config>, database: &Database, stop: CancellationToken) -> Result<()> {
    let http = if config.roles.http { Some(bind_http(config.http_listen).await?) } else { None };
    let (mut services, workers) = services(Arc::clone(&config), database, Vec::new(), "server").await?;
    let smtp = if config.roles.smtp { Some(Listener::bind(&config, services.ingest.clone(), stop.clone()).await?) } else { None };
    services.smtp_addresses = Arc::new(smtp.as_ref().map(Listener::local_addrs).unwrap_or_default());
    announce(&services, http.as_ref()).await?;

    let forgetful = services.clone();
    let forget = move || {
        let services = forgetful.clone();
        async move { services.forget().await }
    };
    let news = tokio::spawn(services.bus.clone().listen(services.db.clone(), stop.clone(), forget));
    let http = http.map(|listener| tokio::spawn(serve_http(listener, services.clone(), stop.clone())));
    let smtp = smtp.map(|listener| tokio::spawn(listener.run()));

    stop.cancelled().await;
    tracing::info!("stopping: no new work, what is under way is finished");
    join("the SMTP listener", smtp).await;
    join("the HTTP listener", http).await;
    join("the listener for news", Some(news)).await;
    let db = services.db.clone();
    drop(services);
    workers.finish().await;
    db.close().await;
    Ok(())
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
