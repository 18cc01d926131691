//! Accepts connections and runs a session for each in a task of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::config::Config;
use crate::ingest::{Ingest, Spool};
use crate::peers::{Ledger, Limits, TurnedAway};
use crate::tls::Certificate;
use crate::types::{SessionId, Timestamp};

use super::content::Room;
use super::limits::{Memory, Place, Places};
use super::proxy;
use super::record::Record;
use super::reply::Reply;
use super::session::{Session, Shared};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long running sessions may take to end once the server stops: a last message, its commit, and the goodbye.
const LAST_SESSIONS: Duration = Duration::from_secs(45);

/// The SMTP listener, bound and ready to run.
pub struct Listener {
    sockets: Vec<TcpListener>,
    places: Places,
    shared: Arc<Shared<Ingest>>,
    sessions: TaskTracker,
    limits: Limits,
    ledger: Option<Ledger>,
}

impl Listener {
    /// Binds every address of the settings; sessions that ask for encryption see the certificate.
    ///
    /// Fails with one sentence that names the setting: a port in use, not permitted, or not of this machine.
    pub fn bind(config: &Config, ingest: Ingest, certificate: &Arc<Certificate>, shutdown: CancellationToken) -> Result<Self> {
        let settings = config.smtp.clone();
        let sockets = distinct(&settings.listen).into_iter().map(bind).collect::<Result<_>>()?;
        let dir = config.data_dir.join("spool");
        let spool = Spool::open(dir.clone()).with_context(|| format!("{} cannot be used for large messages", dir.display()))?;
        let room = Room {
            limit: settings.max_message_octets,
            spool_above: settings.spool_above_octets,
            memory: Memory::new(settings.max_memory_octets),
            spool,
        };
        let shared = Shared {
            hostname: config.hostname.clone(),
            intake: ingest,
            room,
            tls: Some(certificate.server_config()?),
            shutdown,
            settings,
        };
        let per_address = shared.settings.max_sessions_per_address;
        let factor = usize::try_from(shared.settings.peers.network_factor).unwrap_or(usize::MAX);
        let places = Places::new(shared.settings.max_sessions, per_address, per_address.saturating_mul(factor));
        let limits = Limits::new(shared.settings.peers.clone());
        let sessions = TaskTracker::new();
        Ok(Self { sockets, places, shared: Arc::new(shared), sessions, limits, ledger: None })
    }

    /// With limits that others see too, and a ledger that each session is written down in.
    #[must_use]
    pub fn watched(self, limits: Limits, ledger: Ledger) -> Self {
        Self { limits, ledger: Some(ledger), ..self }
    }

    /// Where it listens; with the real ports where the settings have port 0.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Accepts connections until the server stops, then waits for running sessions: idle ones are told to go, a message that
    /// is coming in may finish.
    pub async fn run(self) {
        let shutdown = self.shared.shutdown.clone();
        let acceptor = Acceptor {
            places: self.places,
            shared: self.shared,
            sessions: self.sessions,
            limits: self.limits,
            ledger: self.ledger,
        };
        let accepting: Vec<_> = self.sockets.into_iter().map(|socket| tokio::spawn(acceptor.clone().accept(socket))).collect();
        shutdown.cancelled().await;
        for task in accepting {
            let _ = task.await;
        }
        acceptor.sessions.close();
        if tokio::time::timeout(LAST_SESSIONS, acceptor.sessions.wait()).await.is_err() {
            tracing::warn!(sessions = acceptor.sessions.len(), "some SMTP sessions did not end in time and are cut");
        }
    }
}

#[derive(Clone)]
struct Acceptor {
    places: Places,
    shared: Arc<Shared<Ingest>>,
    sessions: TaskTracker,
    limits: Limits,
    ledger: Option<Ledger>,
}

impl Acceptor {
    async fn accept(self, socket: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = self.shared.shutdown.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.begin(stream, proxy::plain(peer)),
                Err(error) => {
                    // Out of file descriptors, mostly: those who wait are accepted when others have gone.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, remote: IpAddr) {
        // Replies are written in groups already; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let id = SessionId::generate();
        if self.limits.is_proxy(remote) {
            let (this, span) = (self.clone(), tracing::info_span!("smtp", session = %id, proxy = %remote));
            self.sessions.spawn(async move { this.begin_behind(stream, remote, id).await }.instrument(span));
        } else {
            let span = tracing::info_span!("smtp", session = %id, %remote);
            self.admit(stream, remote, Record::new(id, remote, None, self.ledger.clone()), span);
        }
    }

    /// Learns from a proxy who the peer is.
    async fn begin_behind(&self, mut stream: TcpStream, proxy: IpAddr, id: SessionId) {
        let remote = tokio::select! {
            read = proxy::read(&mut stream) => match read {
                Ok(remote) => remote.map(|remote| remote.to_canonical()),
                Err(error) => return tracing::warn!(%error, "a connection from a proxy is closed: who the peer is was not to be learnt"),
            },
            () = self.shared.shutdown.cancelled() => return,
        };
        // Without an address the proxy speaks for itself, as in its checks of health.
        let behind = remote.map(|_| proxy);
        let remote = remote.unwrap_or(proxy);
        let span = tracing::info_span!("smtp", session = %id, %remote);
        self.admit(stream, remote, Record::new(id, remote, behind, self.ledger.clone()), span);
    }

    /// Takes a place for the session before anything waits.
    fn admit(&self, stream: TcpStream, remote: IpAddr, mut record: Record, span: tracing::Span) {
        let network = (!self.limits.trusts(remote)).then(|| self.limits.network(remote));
        let Some(place) = self.places.take(remote, network) else {
            tracing::info!(%remote, "a connection was turned away: too many sessions");
            let reply = Reply::busy(&self.shared.hostname);
            record.not_let_in(&reply);
            self.sessions.spawn(turn_away(stream, reply));
            return;
        };
        let (limits, shared) = (self.limits.clone(), Arc::clone(&self.shared));
        let session = async move {
            match Box::pin(limits.meet(remote)).await {
                Ok(peer) => Session::new(stream, remote, shared).watched(peer, record).run().await,
                Err(why) => {
                    tracing::info!(?why, "a connection was turned away");
                    let reply = refusal(&shared.hostname, &why);
                    record.turned_away(&why, &reply);
                    turn_away(stream, reply).await;
                }
            }
        };
        self.sessions.spawn(hold(place, session).instrument(span));
    }
}

fn refusal(hostname: &str, why: &TurnedAway) -> Reply {
    match why {
        TurnedAway::TooOften => Reply::busy(hostname),
        TurnedAway::Banned(banned) => {
            let seconds = (banned.until.0 - Timestamp::now().0).num_seconds().max(1);
            Reply::banned(hostname, banned.reason, (seconds + 59) / 60)
        }
    }
}

/// Keeps the place for as long as the session runs, however it ends.
async fn hold(place: Place, session: impl Future<Output = ()>) {
    session.await;
    drop(place);
}

async fn turn_away(mut stream: TcpStream, reply: Reply) {
    let mut octets = Vec::new();
    reply.write_to(&mut octets);
    let say = async {
        stream.write_all(&octets).await?;
        stream.shutdown().await?;
        // What the peer sent already is read, or the reset that unread octets cause may overtake the reply.
        while stream.read(&mut [0; 512]).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), say).await;
}

/// On Linux `[::]` takes IPv4 too, so `0.0.0.0` with the same port beside it is no second socket.
fn distinct(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let both = |port| addresses.contains(&(Ipv6Addr::UNSPECIFIED, port).into());
    let mut distinct: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        let covered = address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && both(address.port());
        if !covered && (address.port() == 0 || !distinct.contains(address)) {
            distinct.push(*address);
        }
    }
    distinct
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    bound.map_err(|error| anyhow::anyhow!("PILLARBOX_SMTP_LISTEN: {}", cannot_listen(address, &error)))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program listens on {address} already; stop it, or choose another address")
        }
        io::ErrorKind::PermissionDenied => format!(
            "this user may not listen on {address}; run as root, grant the capability CAP_NET_BIND_SERVICE, or choose a port above 1023"
        ),
        io::ErrorKind::AddrNotAvailable => format!("{address} is not an address of this machine; choose another, or 0.0.0.0"),
        _ => format!("cannot listen on {address}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_one_clear_sentence() {
        let first = bind(([127, 0, 0, 1], 0).into()).expect("free");
        let address = first.local_addr().expect("bound");
        let text = format!("{:#}", bind(address).expect_err("in use"));
        assert!(text.contains("PILLARBOX_SMTP_LISTEN") && text.contains(&address.to_string()), "{text}");
        let text = format!("{:#}", bind(([192, 0, 2, 1], 0).into()).expect_err("not ours"));
        assert!(text.contains("not an address of this machine"), "{text}");
    }

    #[test]
    fn an_address_that_another_covers_is_not_bound_twice() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> { list.iter().map(|a| a.parse().expect("valid")).collect() };
        assert_eq!(distinct(&parse(&["0.0.0.0:25", "[::]:25"])), parse(&["[::]:25"]));
        assert_eq!(distinct(&parse(&["0.0.0.0:25", "[::]:26"])), parse(&["0.0.0.0:25", "[::]:26"]));
        assert_eq!(distinct(&parse(&["127.0.0.1:25", "127.0.0.1:25"])), parse(&["127.0.0.1:25"]));
    }
}
