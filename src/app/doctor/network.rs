//! Ports, the server's name, and whom it asks about names.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::config::Config;
use crate::dns::{Dns, Nothing};

use super::Check;

/// How long a greeting may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn ports(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    if config.roles.smtp {
        for address in &config.smtp.listen {
            checks.push(port("smtp_port", "PILLARBOX_SMTP_LISTEN", *address, Some(&config.hostname)).await);
        }
        checks.push(port_25(config));
    }
    if config.roles.http {
        checks.push(port("http_port", "PILLARBOX_HTTP_LISTEN", config.http_listen, None).await);
        if let Some(address) = config.https_listen {
            checks.push(port("https_port", "PILLARBOX_HTTPS_LISTEN", address, None).await);
        }
    }
    checks
}

/// Senders come to port 25 and to no other.
fn port_25(config: &Config) -> Check {
    let reached = |address: &SocketAddr| address.port() == 25 && !address.ip().is_loopback();
    if config.smtp.listen.iter().any(reached) {
        return Check::ok("port_25", "Mail is taken at port 25.");
    }
    Check::warning(
        "port_25",
        "Mail is not taken at port 25 of an address that others reach, and senders come to no other port.",
        "Set PILLARBOX_SMTP_LISTEN to 0.0.0.0:25,[::]:25, unless something forwards port 25 here.",
    )
}

/// Free, or taken by this server: then its greeting says so.
async fn port(id: &'static str, setting: &str, address: SocketAddr, greeting: Option<&str>) -> Check {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(1)
    });
    match bound {
        Ok(_) => Check::ok(id, format!("{address} is free for this server.")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken(id, setting, address, greeting).await,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Check::failed(
            id,
            format!("This user may not listen at {address}."),
            format!(
                "Start as root, grant CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or change {setting}."
            ),
        ),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Check::failed(
            id,
            format!("{address} is not an address of this machine."),
            format!("Set {setting} to an address of this machine, or to 0.0.0.0."),
        ),
        Err(error) => Check::failed(id, format!("{address} cannot be listened at: {error}."), format!("Change {setting}.")),
    }
}

async fn taken(id: &'static str, setting: &str, address: SocketAddr, greeting: Option<&str>) -> Check {
    let Some(hostname) = greeting else {
        return Check::ok(id, format!("{address} is in use, as it is while the server runs."));
    };
    let reach =
        if address.ip().is_unspecified() { SocketAddr::new(IpAddr::from([127, 0, 0, 1]), address.port()) } else { address };
    let heard = tokio::time::timeout(PATIENCE, first_octets(reach)).await;
    match heard {
        Ok(Ok(text)) if text.starts_with(&format!("220 {hostname}")) => {
            Check::ok(id, format!("This server answers at {address}."))
        }
        _ => Check::failed(
            id,
            format!("Another program is at {address}."),
            format!("Stop it (ss -ltnp shows which it is), or change {setting}."),
        ),
    }
}

async fn first_octets(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let mut octets = [0; 256];
    let read = stream.read(&mut octets).await?;
    Ok(String::from_utf8_lossy(octets.get(..read).unwrap_or_default()).into_owned())
}

pub(super) async fn name(config: &Config) -> Vec<Check> {
    let host = &config.hostname;
    let Ok(dns) = Dns::new(&config.dns) else { return Vec::new() };
    let addresses = match dns.addresses(host).await {
        Ok(found) => found.records,
        Err(Nothing::Failed(why)) => {
            let fix = "See the check of the resolver.";
            return vec![Check::warning("hostname", format!("The addresses of {host} are not known: {why}."), fix)];
        }
        Err(_) => {
            let fix = "Set PILLARBOX_HOSTNAME to the name that the MX records shall have, and give it A and AAAA records.";
            return vec![Check::failed("hostname", format!("{host} has no address in DNS."), fix)];
        }
    };
    let shown = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let ours = |ip: &IpAddr| config.names.public_addresses.contains(ip) || is_of_this_machine(*ip);
    let here = if addresses.iter().all(ours) {
        Check::ok("hostname", format!("{host} is {shown}, which is this machine."))
    } else {
        Check::warning(
            "hostname",
            format!("{host} is {shown}, which is not all of this machine."),
            "Where the machine is behind a router that forwards port 25, set PILLARBOX_PUBLIC_ADDRESSES; else correct the A and AAAA records.",
        )
    };
    let mut checks = vec![here];
    for address in addresses.into_iter().take(4) {
        checks.push(reverse(&dns, host, address).await);
    }
    checks
}

async fn reverse(dns: &Dns, host: &str, address: IpAddr) -> Check {
    let fix = format!("Ask whoever gives you {address} to let its reverse name be {host}. Receiving works without.");
    match dns.names_of(address).await {
        Ok(found) if found.records.iter().any(|name| name == host) => {
            Check::ok("reverse_name", format!("The reverse name of {address} is {host}."))
        }
        Ok(found) => {
            Check::warning("reverse_name", format!("The reverse name of {address} is {}.", found.records.join(", ")), fix)
        }
        Err(Nothing::Failed(why)) => {
            Check::warning("reverse_name", format!("The reverse name of {address} is not known: {why}."), fix)
        }
        Err(_) => Check::warning("reverse_name", format!("{address} has no reverse name."), fix),
    }
}

/// Only an address of this machine can be bound.
fn is_of_this_machine(ip: IpAddr) -> bool {
    std::net::UdpSocket::bind((ip, 0)).is_ok()
}

pub(super) async fn resolver(config: &Config) -> Check {
    let fix =
        "Set PILLARBOX_DNS_SERVERS to resolvers that answer, or mend /etc/resolv.conf. Without one, senders are not checked.";
    let dns = match Dns::new(&config.dns) {
        Ok(dns) => dns,
        Err(error) => return Check::failed("resolver", format!("No resolver can be used: {error:#}."), fix),
    };
    let started = Instant::now();
    match dns.addresses(&config.hostname).await {
        Err(Nothing::Failed(why)) => Check::failed("resolver", format!("The resolver does not answer: {why}."), fix),
        _ if started.elapsed() > Duration::from_secs(1) => {
            Check::warning("resolver", format!("The resolver took {} ms.", started.elapsed().as_millis()), fix)
        }
        _ => Check::ok("resolver", format!("The resolver answered within {} ms.", started.elapsed().as_millis().max(1))),
    }
}
