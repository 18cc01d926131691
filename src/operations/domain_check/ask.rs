//! Asks the servers of a zone themselves, beside the resolver that the settings name: only they say what holds now.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::dns::{Answer, Dns, Nothing};
use crate::error::Result;

/// The most servers of one zone that are asked.
const MOST_SERVERS: usize = 6;
/// How the resolver is called among the servers.
const RESOLVER: &str = "resolver";

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mx,
    V4,
    V6,
    Addresses,
    Txt,
    Tlsa,
    Alias,
}

/// What one server said.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) server: String,
    /// As in a zone file; empty where there are none. `Err` where nobody knows.
    pub(super) records: std::result::Result<Vec<String>, String>,
}

struct Server {
    name: String,
    dns: Dns,
}

/// Asks, and remembers which servers a zone has.
pub(super) struct Asker {
    resolver: Dns,
    port: u16,
    zones: Mutex<HashMap<String, Arc<Vec<Server>>>>,
}

impl Asker {
    pub(super) fn new(config: &Config) -> Result<Self> {
        // What was answered a while ago is not what is asked for.
        let settings = crate::config::Dns { cache_answers: 0, ..config.dns.clone() };
        Ok(Self { resolver: Dns::new(&settings)?, port: config.names.authority_port, zones: Mutex::default() })
    }

    /// What the resolver and each server of the name's zone say.
    pub(super) async fn ask(&self, name: &str, kind: Kind) -> Vec<Seen> {
        let servers = self.servers(name).await;
        let own = servers.iter().map(|server| one(&server.name, &server.dns, name, kind));
        let (resolver, mut seen) = futures_util::future::join(one(RESOLVER, &self.resolver, name, kind), join_all(own)).await;
        seen.push(resolver);
        seen
    }

    /// The servers of the zone that a name is in; empty where they cannot be found.
    async fn servers(&self, name: &str) -> Arc<Vec<Server>> {
        let mut zone = name;
        let mut tried = Vec::new();
        // One look at a time, so that no zone is looked for twice.
        let mut zones = self.zones.lock().await;
        let found = loop {
            if let Some(known) = zones.get(zone) {
                break Arc::clone(known);
            }
            tried.push(zone.to_owned());
            if let Ok(found) = self.resolver.ns(zone).await {
                break Arc::new(self.reach(found.records).await);
            }
            match zone.split_once('.') {
                // The top has no mail of ours.
                Some((_, above)) if above.contains('.') => zone = above,
                _ => break Arc::default(),
            }
        };
        for zone in tried {
            zones.insert(zone, Arc::clone(&found));
        }
        found
    }

    async fn reach(&self, names: Vec<String>) -> Vec<Server> {
        let reached = names.into_iter().take(MOST_SERVERS).map(|name| async move {
            let addresses = self.resolver.addresses(&name).await.ok()?.records;
            let server = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first())?;
            let dns = Dns::asking(&[SocketAddr::new(*server, self.port)], self.resolver.patience()).ok()?;
            Some(Server { name, dns })
        });
        join_all(reached).await.into_iter().flatten().collect()
    }
}

async fn one(server: &str, dns: &Dns, name: &str, kind: Kind) -> Seen {
    let records = match kind {
        Kind::Mx => words(dns.mx(name).await, |mx| format!("{} {}.", mx.preference, mx.host)),
        Kind::V4 => words(dns.ipv4(name).await, ToString::to_string),
        Kind::V6 => words(dns.ipv6(name).await, ToString::to_string),
        Kind::Addresses => words(dns.addresses(name).await, ToString::to_string),
        Kind::Txt => words(dns.txt(name).await, Clone::clone),
        Kind::Tlsa => words(dns.tlsa(name).await, ToString::to_string),
        Kind::Alias => words(dns.cname(name).await, |to| format!("{to}.")),
    };
    Seen { server: server.to_owned(), records }
}

fn words<T>(answer: Answer<T>, word: impl Fn(&T) -> String) -> std::result::Result<Vec<String>, String> {
    match answer {
        Ok(found) => Ok(found.records.iter().map(word).collect()),
        Err(Nothing::Failed(why)) => Err(why),
        Err(_) => Ok(Vec::new()),
    }
}
