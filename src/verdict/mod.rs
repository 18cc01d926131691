//! Is a message from whom it says? SPF, DKIM, DMARC, ARC, reverse DNS and DNS lists, asked at once and in bounded time.
//!
//! [`Judge::judge`] finds out; what follows from it is for `ingest` (policy) and for the callers of operations. DNS that does
//! not answer is `temperror` and never a failure (RFC 7208 section 2.6.6, RFC 6376 section 6.1.2).

mod caches;
mod dkim;
mod dmarc;
mod header;
mod lists;
mod spf;
mod trust;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use mail_auth::{AuthenticatedMessage, IprevOutput, IprevResult, MessageAuthenticator};
use tokio::time::{Instant, timeout_at};

use crate::config;
use crate::dns::Dns;
use crate::mail::results;
use crate::types::{IprevVerdict, Outcome, Verdicts};

use caches::Caches;

pub use header::{field, unchecked_field};

/// Above this, the digests of a message are made on a thread of their own, so that they do not hold up other sessions.
const LARGE_OCTETS: usize = 128 * 1024;
/// How many characters of what a domain has to say are kept.
const MOST_REASON: usize = 200;

/// Finds out about senders. Cheap to clone.
#[derive(Clone)]
pub struct Judge {
    shared: Arc<Shared>,
}

struct Shared {
    authenticator: MessageAuthenticator,
    dns: Dns,
    caches: Caches,
    settings: config::Verdicts,
    own_name: String,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// Who sent a message, as the envelope and the connection say.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The peer's address.
    pub address: IpAddr,
    /// The name that the peer gave in EHLO or HELO.
    pub helo: String,
    /// The reverse-path without its brackets; empty for the null path.
    pub reverse_path: String,
}

impl Judge {
    /// `own_name` is our authserv-id (RFC 8601 section 2.5). `keep` bounds the parsed records that are kept, of each kind.
    pub fn new(settings: config::Verdicts, dns: Dns, keep: usize, own_name: &str) -> Self {
        let authenticator = MessageAuthenticator(dns.resolver().clone());
        let own_name = own_name.to_owned();
        Self { shared: Arc::new(Shared { authenticator, dns, caches: Caches::new(keep), settings, own_name }) }
    }

    /// Our authserv-id.
    pub fn own_name(&self) -> &str {
        &self.shared.own_name
    }

    /// Whether mail from this address is not judged: it comes from ourselves, or through a relay that hides the sender.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.shared.settings.trusted_networks.iter().any(|network| network.contains(address))
    }

    /// Finds out what can be found out within the time of the settings.
    pub async fn judge(&self, sender: &Sender, content: &Bytes) -> Verdicts {
        if self.trusts(sender.address) {
            return Verdicts::unchecked("The sender was not checked: it is in a trusted network.");
        }
        if content.len() <= LARGE_OCTETS {
            // The content is hostile and the parsers are others': a fault of theirs must not keep the message out.
            let checked = AssertUnwindSafe(self.shared.check(sender, content)).catch_unwind().await;
            return checked.unwrap_or_else(|_| broken_off());
        }
        let (this, sender, content) = (Arc::clone(&self.shared), sender.clone(), content.clone());
        let here = tokio::runtime::Handle::current();
        let judged = tokio::task::spawn_blocking(move || here.block_on(this.check(&sender, &content))).await;
        judged.unwrap_or_else(|_| broken_off())
    }
}

impl Shared {
    async fn check(&self, sender: &Sender, content: &[u8]) -> Verdicts {
        let started = Instant::now();
        let deadline = started + self.settings.timeout;
        let mut message = AuthenticatedMessage::parse(content).unwrap_or_default();
        let forged = message.headers.iter().filter(|(name, value)| results::are_of(name, value, &self.own_name)).count();
        let authors = dmarc::authors(&message);
        let unread = dkim::limit(&mut message, &authors);
        let message = &message;
        let (helo, mail_from, signatures, arc, iprev, dns_lists) = tokio::join!(
            self.spf_of_helo(sender, deadline),
            self.spf_of_mail_from(sender, deadline),
            self.signatures(message, deadline),
            self.arc(message, deadline),
            self.iprev(sender.address, deadline),
            self.listings(sender.address, deadline),
        );
        // RFC 7208 section 2.4: without a reverse-path, the name of HELO stands for it.
        let mail_from = mail_from.unwrap_or_else(|| helo.clone());
        let dmarc = self.dmarc(message, &signatures, &mail_from, deadline).await;
        let mut dkim = dkim::verdicts(&signatures, message);
        dkim.extend(unread);
        let (spf, spf_helo) = (mail_from.verdict, helo.verdict);
        let (sender_trust, reason) = trust::decide(&authors, &spf, &dkim, &dmarc);
        Verdicts {
            checked: true,
            sender_trust,
            reason,
            from_domain: if let [only] = authors.as_slice() { Some(only.clone()) } else { None },
            spf,
            spf_helo,
            dkim,
            dmarc,
            arc,
            iprev,
            dns_lists,
            forged_results: u32::try_from(forged).unwrap_or(u32::MAX),
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn iprev(&self, address: IpAddr, deadline: Instant) -> IprevVerdict {
        let asked = self.authenticator.verify_iprev(self.caches.parameters(address));
        let Ok(IprevOutput { result, ptr }) = timeout_at(deadline, asked).await else {
            let reason = Some(self.too_slow());
            return IprevVerdict { result: Outcome::TempError, address: Some(address), reason, ..IprevVerdict::default() };
        };
        let names = ptr.iter().flat_map(|names| names.iter()).map(|name| name.trim_end_matches('.').to_owned());
        let (result, reason) = match result {
            IprevResult::Pass => (Outcome::Pass, None),
            IprevResult::Fail(_) => (Outcome::Fail, Some("its names do not lead back to the address".to_owned())),
            IprevResult::TempError(error) => (Outcome::TempError, Some(short(&error.to_string()))),
            IprevResult::PermError(_) => (Outcome::PermError, Some("the address has no name that can be used".to_owned())),
            IprevResult::None => (Outcome::None, None),
        };
        IprevVerdict { result, address: Some(address), names: names.take(4).collect(), reason }
    }

    fn too_slow(&self) -> String {
        too_slow(self.settings.timeout)
    }
}

fn broken_off() -> Verdicts {
    tracing::error!("the checks of a sender broke off; its message is taken unchecked");
    Verdicts::unchecked("The sender could not be checked.")
}

fn too_slow(limit: Duration) -> String {
    format!("DNS did not answer within {} s", limit.as_secs_f32())
}

/// What a stranger has to say, fit for one line.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_REASON).collect()
}

/// The domain of an address or a name, in lower case and A-labels; `None` where it cannot stand in DNS.
fn a_labels(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.');
    let domain = idna::domain_to_ascii(domain).ok()?;
    // One label is no name on the internet; a literal in brackets is none at all.
    (domain.contains('.') && domain.len() <= 253 && domain.parse::<IpAddr>().is_err()).then_some(domain)
}
