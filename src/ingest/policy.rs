//! What follows from the verdicts about a sender: a message is taken, kept apart, or refused.

use crate::error::{Error, Result};
use crate::store;
use crate::types::{AuthPolicy, DmarcPolicy, Outcome, SenderTrust, Verdicts};
use crate::verdict;
use crate::verdict::Sender;

use super::Ingest;
use super::delivery::{Delivery, Recipient, Rejection};
use super::prepare::without_nul;

/// What the rows say about the sender.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// All verdicts as JSON; `None` where the sender was not checked.
    pub(super) auth: Option<String>,
    pub(super) trust: SenderTrust,
    /// The domains for which the message is kept apart.
    pub(super) quarantined_in: Vec<String>,
}

impl Judgement {
    pub(super) fn is_quarantined(&self, recipient: &Recipient) -> bool {
        self.quarantined_in.iter().any(|domain| **domain == *recipient.domain)
    }
}

impl Ingest {
    /// Finds out about the sender, writes it into the trace, and asks the domains of the recipients what they make of it.
    pub(super) async fn judge(&self, delivery: &mut Delivery) -> Result<Result<Judgement, Rejection>> {
        let Some(judge) = &self.shared.judge else { return Ok(Ok(Judgement::default())) };
        let envelope = &delivery.envelope;
        let (address, helo, reverse_path) = (envelope.remote, envelope.helo.clone(), envelope.reverse_path.clone());
        let sender = Sender { address, helo, reverse_path };
        let verdicts = judge.judge(&sender, &delivery.content.octets()).await;
        delivery.trace.push_str(&verdict::field(judge.own_name(), &verdicts, &sender));
        if !verdicts.checked {
            return Ok(Ok(Judgement::default()));
        }
        if let Some(listing) = verdicts.dns_lists.iter().find(|listing| listing.rejects) {
            return Ok(Err(Rejection::Listed { zone: listing.zone.clone() }));
        }
        let quarantined_in = match self.disowned(delivery, &verdicts).await? {
            Ok(domains) => domains,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let auth = serde_json::to_string(&verdicts).map_err(|cause| Error::Internal(cause.into()))?;
        Ok(Ok(Judgement { auth: Some(without_nul(&auth).into_owned()), trust: verdicts.sender_trust, quarantined_in }))
    }

    /// Where the author's domain disowns the message: the domains for which it is kept apart. It is refused only where all
    /// domains refuse it, since there is one answer for all recipients; those that would are given it apart otherwise.
    async fn disowned(&self, delivery: &Delivery, verdicts: &Verdicts) -> Result<Result<Vec<String>, Rejection>> {
        if verdicts.dmarc.result != Outcome::Fail || verdicts.dmarc.policy == DmarcPolicy::None {
            return Ok(Ok(Vec::new()));
        }
        let mut domains: Vec<String> = delivery.recipients.iter().map(|r| r.domain.to_string()).collect();
        domains.sort_unstable();
        domains.dedup();
        let asking = async {
            let mut db = self.shared.recipients.pool().acquire().await?;
            store::domains::auth_policies(&mut db, &domains).await
        };
        let policies = self.in_time(asking).await?;
        let policy =
            |domain: &str| policies.iter().find(|(name, _)| name == domain).map(|(_, policy)| *policy).unwrap_or_default();
        let asked = verdicts.dmarc.policy;
        if asked == DmarcPolicy::Reject && domains.iter().all(|domain| policy(domain) == AuthPolicy::Reject) {
            return Ok(Err(Rejection::Disowned { domain: verdicts.from_domain.clone().unwrap_or_default() }));
        }
        domains.retain(|domain| policy(domain) != AuthPolicy::Accept);
        Ok(Ok(domains))
    }
}
