//! DMARC (RFC 9989): whether what passed is aligned with the author's domain, and what that domain asks for.

use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::{AuthenticatedMessage, DmarcResult, DnsError, Error};
use tokio::time::{Instant, timeout_at};

use crate::types::{DmarcPolicy, DmarcVerdict, Outcome};

use super::dkim::Signatures;
use super::spf::Spf;
use super::{Shared, a_labels, short};

/// The domains of the authors, each once; what cannot stand in DNS is left out.
pub(super) fn authors(message: &AuthenticatedMessage<'_>) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    for address in &message.from {
        let domain = address.rsplit_once('@').and_then(|(_, domain)| a_labels(domain));
        domains.extend(domain.filter(|domain| !domains.contains(domain)));
    }
    domains
}

impl Shared {
    pub(super) async fn dmarc(
        &self,
        message: &AuthenticatedMessage<'_>,
        signatures: &Signatures<'_>,
        spf: &Spf,
        deadline: Instant,
    ) -> DmarcVerdict {
        let (dkim_output, is_incomplete) = match signatures {
            Signatures::Verified(outputs) => (outputs.as_slice(), false),
            Signatures::TooSlow(_) => (&[][..], true),
        };
        let parameters = DmarcParameters {
            message,
            dkim_output,
            dkim2_output: None,
            rfc5321_mail_from_domain: &spf.verdict.domain,
            spf_output: &spf.output,
        };
        let Ok(output) = timeout_at(deadline, self.authenticator.verify_dmarc(self.caches.parameters(parameters))).await else {
            return DmarcVerdict { result: Outcome::TempError, reason: Some(self.too_slow()), ..DmarcVerdict::default() };
        };
        let policy = match output.policy() {
            Policy::Reject => DmarcPolicy::Reject,
            Policy::Quarantine => DmarcPolicy::Quarantine,
            Policy::None | Policy::Unspecified => DmarcPolicy::None,
        };
        let (result, reason) = match output.result() {
            DmarcResult::Pass => (Outcome::Pass, None),
            DmarcResult::Fail(_) | DmarcResult::PermError(_) if is_incomplete => (Outcome::TempError, Some(self.too_slow())),
            DmarcResult::Fail(_) => (Outcome::Fail, Some("nothing that passed is aligned with the author's domain".to_owned())),
            DmarcResult::TempError(_) => (Outcome::TempError, Some("DNS gave no answer".to_owned())),
            DmarcResult::PermError(Error::Dns(DnsError::InvalidRecordType) | Error::ParseError) => {
                (Outcome::PermError, Some("the DMARC record is wrong".to_owned()))
            }
            DmarcResult::PermError(error) => (Outcome::PermError, Some(short(&error.to_string()))),
            DmarcResult::None => (Outcome::None, None),
        };
        DmarcVerdict { result, policy, reason }
    }
}
