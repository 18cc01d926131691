//! HTTPS: the same routes as HTTP, encrypted with the certificate of the SMTP listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::tls::Certificate;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many handshakes may be under way; more wait in the system's queue.
const MOST_HANDSHAKES: usize = 256;

/// Hands out connections whose handshake is done. A slow peer holds up no other.
pub(super) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    _accepting: DropGuard,
}

impl TlsListener {
    /// Fails with one sentence that names the setting.
    pub(super) async fn bind(address: SocketAddr, certificate: &Arc<Certificate>) -> Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("PILLARBOX_HTTPS_LISTEN is {address}, where this cannot listen: another program may be there")
        })?;
        let address = listener.local_addr().context("the HTTPS listener has no address")?;
        let acceptor = TlsAcceptor::from(certificate.https_config()?);
        let (done, ready) = mpsc::channel(MOST_HANDSHAKES);
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, acceptor, done, stop.clone()));
        Ok(Self { ready, address, _accepting: stop.drop_guard() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, mostly.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let _ = done.send((stream, peer)).await;
                }
                Ok(Err(error)) => tracing::debug!(remote = %peer.ip(), %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(remote = %peer.ip(), "a TLS handshake took too long"),
            }
            drop(place);
        });
    }
}
