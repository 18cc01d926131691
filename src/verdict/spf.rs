//! SPF (RFC 7208), of the name in HELO and of the reverse-path.

use mail_auth::spf::verify::SpfParameters;
use mail_auth::{Parameters, SpfOutput, SpfResult};
use tokio::time::{Instant, timeout_at};

use crate::types::{Outcome, SpfVerdict};

use super::{Sender, Shared, a_labels, short};

/// What SPF says, for people and for DMARC.
#[derive(Debug, Clone)]
pub(super) struct Spf {
    pub(super) verdict: SpfVerdict,
    pub(super) output: SpfOutput,
}

impl Spf {
    fn new(domain: &str, result: SpfResult, reason: Option<String>) -> Self {
        let output = SpfOutput::new(domain.to_owned()).with_result(result);
        Self { verdict: SpfVerdict { result: outcome(result), domain: domain.to_owned(), reason }, output }
    }
}

fn outcome(result: SpfResult) -> Outcome {
    match result {
        SpfResult::Pass => Outcome::Pass,
        SpfResult::Fail => Outcome::Fail,
        SpfResult::SoftFail => Outcome::SoftFail,
        SpfResult::Neutral => Outcome::Neutral,
        SpfResult::TempError => Outcome::TempError,
        SpfResult::PermError => Outcome::PermError,
        SpfResult::None => Outcome::None,
    }
}

impl Shared {
    pub(super) async fn spf_of_helo(&self, sender: &Sender, deadline: Instant) -> Spf {
        let Some(domain) = a_labels(&sender.helo) else {
            return Spf::new("", SpfResult::None, Some("the peer gave no name that DNS could know".to_owned()));
        };
        let parameters = SpfParameters::verify_ehlo(sender.address, &domain, &self.own_name);
        self.spf(&domain, parameters, sender, deadline).await
    }

    /// `None` for the null path.
    pub(super) async fn spf_of_mail_from(&self, sender: &Sender, deadline: Instant) -> Option<Spf> {
        let (local, domain) = sender.reverse_path.rsplit_once('@')?;
        let Some(domain) = a_labels(domain) else {
            return Some(Spf::new("", SpfResult::None, Some("the domain of the sender cannot stand in DNS".to_owned())));
        };
        let address = format!("{local}@{domain}");
        let helo = a_labels(&sender.helo).unwrap_or_default();
        let parameters = SpfParameters::verify_mail_from(sender.address, &helo, &self.own_name, &address);
        Some(self.spf(&domain, parameters, sender, deadline).await)
    }

    async fn spf(&self, domain: &str, parameters: SpfParameters<'_>, sender: &Sender, deadline: Instant) -> Spf {
        let asked = timeout_at(deadline, self.evaluate(domain, parameters, sender)).await;
        asked.unwrap_or_else(|_| Spf::new(domain, SpfResult::TempError, Some(self.too_slow())))
    }

    async fn evaluate(&self, domain: &str, parameters: SpfParameters<'_>, sender: &Sender) -> Spf {
        // RFC 7208 section 4.5: more than one record is an error. mail-auth takes the first.
        match self.dns.txt(domain).await {
            Ok(found) => match found.records.iter().filter(|text| is_spf(text)).count() {
                0 => return Spf::new(domain, SpfResult::None, Some("the domain publishes no SPF record".to_owned())),
                1 => {}
                n => return Spf::new(domain, SpfResult::PermError, Some(format!("the domain publishes {n} SPF records"))),
            },
            Err(nothing) if nothing.is_temporary() => {
                return Spf::new(domain, SpfResult::TempError, Some(short(&nothing.to_string())));
            }
            Err(_) => return Spf::new(domain, SpfResult::None, Some("the domain publishes no SPF record".to_owned())),
        }
        let counting = self.caches.counting(sender.address);
        let (txt, mx, ipv4, ipv6) = (counting.txt(), counting.mx(), counting.ipv4(), counting.ipv6());
        let parameters = Parameters::new(parameters)
            .with_txt_cache(&txt)
            .with_mx_cache(&mx)
            .with_ipv4_cache(&ipv4)
            .with_ipv6_cache(&ipv6)
            .with_ptr_cache(counting.ptr());
        let output = self.authenticator.check_host(parameters).await;
        if counting.is_exceeded() && output.result() != SpfResult::TempError {
            let reason = "more than 2 look-ups of the SPF record found nothing".to_owned();
            return Spf::new(domain, SpfResult::PermError, Some(reason));
        }
        let reason = match output.result() {
            SpfResult::PermError => Some("the SPF record is wrong, or needs more than 10 look-ups".to_owned()),
            SpfResult::TempError => Some("DNS gave no answer".to_owned()),
            SpfResult::Fail | SpfResult::SoftFail => {
                let said = output.explanation().map(short);
                Some(said.unwrap_or_else(|| format!("{domain} does not send from {}", sender.address)))
            }
            _ => None,
        };
        Spf { verdict: SpfVerdict { result: outcome(output.result()), domain: domain.to_owned(), reason }, output }
    }
}

/// RFC 7208 section 4.5: the version, then a space or the end.
fn is_spf(text: &str) -> bool {
    let (version, rest) = text.split_at_checked(6).unwrap_or(("", ""));
    version.eq_ignore_ascii_case("v=spf1") && (rest.is_empty() || rest.starts_with(' '))
}
