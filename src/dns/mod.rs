//! Questions to the domain name system.
//!
//! [`Dns`] asks the servers of the settings, else the system's, and keeps answers for as long as they say; with
//! [`Dns::asking`] it asks chosen servers and keeps nothing. Every question ends in bounded time. What an answer means for
//! mail is for the callers.

mod answer;
mod records;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use rustls::{ClientConfig, RootCertStore};

use crate::config;

pub use answer::{Answer, Found, Nothing};
pub use records::{Mx, Soa, Tlsa};

/// What a UDP answer may hold: fits into one packet on every path (DNS flag day 2020).
const UDP_PAYLOAD_OCTETS: u16 = 1232;
/// Questions that may be under way to one server over one connection.
const MOST_AT_ONCE: usize = 4096;
/// The longest that an answer is kept, whatever its time to live: a mended record is seen within this.
const KEPT_AT_MOST: Duration = Duration::from_hours(1);
/// The longest that "there is nothing" is kept.
const NOTHING_KEPT_AT_MOST: Duration = Duration::from_mins(5);

/// Asks questions. Cheap to clone; clones share the answers that are kept.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
    patience: Duration,
}

/// For connections that are never made: servers are asked over UDP and TCP. Without it the resolver reads all of the system's
/// root certificates.
fn no_tls() -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().context("preparing to ask the domain name system")?;
    Ok(versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Dns {
    /// Asks the servers of the settings, else those of `/etc/resolv.conf`, else one on this machine.
    ///
    /// Nothing is asked yet; fails only where the settings cannot be used at all.
    pub fn new(settings: &config::Dns) -> Result<Self> {
        let servers = if settings.servers.is_empty() { system_servers() } else { named(&settings.servers) };
        Self::with(servers, settings.timeout, u64::try_from(settings.cache_answers).unwrap_or(u64::MAX))
    }

    /// Asks these servers and keeps no answer; for looking at what a domain's own servers say now.
    pub fn asking(servers: &[SocketAddr], timeout: Duration) -> Result<Self> {
        Self::with(named(servers), timeout, 0)
    }

    fn with(servers: Vec<NameServerConfig>, patience: Duration, cache: u64) -> Result<Self> {
        let config = ResolverConfig::from_name_servers(servers);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options(patience, cache))
            .with_tls_config(no_tls()?)
            .build()
            .context("preparing to ask the domain name system")?;
        Ok(Self { resolver, patience })
    }

    /// The resolver itself, for libraries that ask on their own. A question to it may take somewhat longer than the timeout.
    pub fn resolver(&self) -> &TokioResolver {
        &self.resolver
    }

    /// The longest that one question may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Forgets every answer that is kept.
    pub fn forget(&self) {
        self.resolver.clear_cache();
    }

    /// The hosts that take mail for a domain, most preferred first.
    pub async fn mx(&self, domain: &str) -> Answer<Mx> {
        let mut answer = self.ask(domain, RecordType::MX, Mx::from_rdata).await;
        if let Ok(found) = &mut answer {
            found.records.sort();
        }
        answer
    }

    /// The IPv4 and IPv6 addresses of a host: what either question found, and nothing only where both found nothing.
    pub async fn addresses(&self, host: &str) -> Answer<IpAddr> {
        let v4 = self.ask(host, RecordType::A, records::address);
        let v6 = self.ask(host, RecordType::AAAA, records::address);
        let (v4, v6) = futures_util::future::join(v4, v6).await;
        answer::either(v4, v6)
    }

    /// The IPv4 addresses of a host.
    pub async fn ipv4(&self, host: &str) -> Answer<IpAddr> {
        self.ask(host, RecordType::A, records::address).await
    }

    /// The IPv6 addresses of a host.
    pub async fn ipv6(&self, host: &str) -> Answer<IpAddr> {
        self.ask(host, RecordType::AAAA, records::address).await
    }

    /// The texts at a name, the pieces of each joined (RFC 7208 section 3.3); octets that are no UTF-8 are replaced.
    pub async fn txt(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::TXT, records::text).await
    }

    /// The certificates that a service commits itself to (RFC 6698), at a name such as `_25._tcp.mx.example.org`.
    pub async fn tlsa(&self, name: &str) -> Answer<Tlsa> {
        self.ask(name, RecordType::TLSA, Tlsa::from_rdata).await
    }

    /// The name servers of a zone.
    pub async fn ns(&self, zone: &str) -> Answer<String> {
        self.ask(zone, RecordType::NS, records::name_server).await
    }

    /// How a zone describes itself.
    pub async fn soa(&self, zone: &str) -> Answer<Soa> {
        self.ask(zone, RecordType::SOA, Soa::from_rdata).await
    }

    /// What a name is another name for; asked of a domain's own servers, since a resolver follows it by itself.
    pub async fn cname(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::CNAME, records::alias).await
    }

    /// The names of an address.
    pub async fn names_of(&self, address: IpAddr) -> Answer<String> {
        let name = Name::from(address);
        self.ask_name(name, RecordType::PTR, records::pointer).await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, pick: fn(&RData) -> Option<T>) -> Answer<T> {
        let Ok(mut name) = Name::from_str_relaxed(name) else { return Err(Nothing::NoSuchName) };
        // Never one of the machine's own search domains.
        name.set_fqdn(true);
        self.ask_name(name, kind, pick).await
    }

    async fn ask_name<T>(&self, name: Name, kind: RecordType, pick: fn(&RData) -> Option<T>) -> Answer<T> {
        let asked = tokio::time::timeout(self.patience, self.resolver.lookup(name, kind)).await;
        let lookup = asked.map_err(|_| Nothing::too_slow(self.patience))?.map_err(|error| Nothing::from_error(&error))?;
        let records: Vec<T> = lookup.answers().iter().filter_map(|record| pick(&record.data)).collect();
        if records.is_empty() {
            return Err(Nothing::NoRecords);
        }
        Ok(Found { records, valid_until: lookup.valid_until() })
    }
}

fn options(patience: Duration, cache: u64) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    // One question and one repetition have room in the patience.
    options.timeout = patience / 2;
    options.attempts = 1;
    options.edns0 = true;
    options.edns_payload_len = UDP_PAYLOAD_OCTETS;
    options.cache_size = cache;
    options.positive_max_ttl = Some(KEPT_AT_MOST);
    options.negative_max_ttl = Some(NOTHING_KEPT_AT_MOST);
    options.use_hosts_file = ResolveHosts::Never;
    options.max_active_requests = MOST_AT_ONCE;
    options
}

fn named(servers: &[SocketAddr]) -> Vec<NameServerConfig> {
    servers
        .iter()
        .map(|server| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            config.connections.iter_mut().for_each(|connection| connection.port = server.port());
            config
        })
        .collect()
}

/// What the machine is set up to ask; without its search domains, which would make foreign names of ours.
fn system_servers() -> Vec<NameServerConfig> {
    let servers = match read_system_conf() {
        Ok((config, _)) => config.name_servers().to_vec(),
        Err(error) => {
            tracing::warn!(%error, "the system names no DNS servers; one on this machine is asked. PILLARBOX_DNS_SERVERS names others");
            Vec::new()
        }
    };
    if servers.is_empty() { named(&[([127, 0, 0, 1], 53).into()]) } else { servers }
}
