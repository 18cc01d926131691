//! DKIM signatures (RFC 6376) and ARC seals (RFC 8617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, DnsError, Error};
use tokio::time::{Instant, timeout_at};

use crate::types::{ArcVerdict, DkimVerdict, Outcome};

use super::{Shared, short, too_slow, trust};

/// Signatures that are looked at, the author's own first; each costs a look-up and a verification.
const MOST_SIGNATURES: usize = 8;

/// What became of the signatures.
pub(super) enum Signatures<'a> {
    Verified(Vec<DkimOutput<'a>>),
    /// DNS did not give the keys in time.
    TooSlow(std::time::Duration),
}

/// Takes away the signatures that are not looked at; their verdicts.
pub(super) fn limit(message: &mut AuthenticatedMessage<'_>, authors: &[String]) -> Vec<DkimVerdict> {
    let mut unread = Vec::new();
    // RFC 8301 section 3.1: rsa-sha1 proves nothing any more.
    message.dkim_headers.retain(|header| {
        let is_broken = header.header.a == Algorithm::RsaSha1;
        if is_broken && unread.len() < MOST_SIGNATURES {
            let reason = Some("rsa-sha1 is not safe any more".to_owned());
            unread.push(DkimVerdict { result: Outcome::PermError, reason, ..describe(&header.header) });
        }
        !is_broken
    });
    if message.dkim_headers.len() > MOST_SIGNATURES {
        let is_foreign = |domain: &str| !authors.iter().any(|author| trust::is_related(domain, author));
        message.dkim_headers.sort_by_key(|header| is_foreign(&header.header.d));
        message.dkim_headers.truncate(MOST_SIGNATURES);
    }
    message.errors.truncate(MOST_SIGNATURES);
    unread
}

impl Shared {
    pub(super) async fn signatures<'a>(&'a self, message: &'a AuthenticatedMessage<'a>, deadline: Instant) -> Signatures<'a> {
        if message.dkim_headers.is_empty() && message.errors.is_empty() {
            return Signatures::Verified(Vec::new());
        }
        let asked = self.authenticator.verify_dkim(self.caches.parameters(message));
        timeout_at(deadline, asked).await.map_or(Signatures::TooSlow(self.settings.timeout), Signatures::Verified)
    }

    pub(super) async fn arc(&self, message: &AuthenticatedMessage<'_>, deadline: Instant) -> ArcVerdict {
        let instances = u32::try_from(message.as_headers.len()).unwrap_or(u32::MAX);
        if instances == 0 && message.ams_headers.is_empty() && !message.has_arc_errors {
            return ArcVerdict::default();
        }
        let sealer = message.as_headers.iter().max_by_key(|header| header.header.i).map(|header| header.header.d.clone());
        let asked = self.authenticator.verify_arc(self.caches.parameters(message));
        let (result, reason) = match timeout_at(deadline, asked).await {
            Ok(output) => outcome(output.result()),
            Err(_) => (Outcome::TempError, Some(self.too_slow())),
        };
        // RFC 8617 section 4.4: there are none, pass and fail.
        let result = if result == Outcome::Neutral || result == Outcome::PermError { Outcome::Fail } else { result };
        ArcVerdict { result, instances, sealer, reason }
    }
}

pub(super) fn verdicts(signatures: &Signatures<'_>, message: &AuthenticatedMessage<'_>) -> Vec<DkimVerdict> {
    match signatures {
        Signatures::Verified(outputs) => outputs.iter().map(verdict).collect(),
        Signatures::TooSlow(limit) => {
            let unknown =
                |signature| DkimVerdict { result: Outcome::TempError, reason: Some(too_slow(*limit)), ..describe(signature) };
            message.dkim_headers.iter().map(|header| unknown(&header.header)).collect()
        }
    }
}

fn verdict(output: &DkimOutput<'_>) -> DkimVerdict {
    let (result, reason) = outcome(output.result());
    DkimVerdict { result, reason, ..output.signature().map(describe).unwrap_or_default() }
}

fn describe(signature: &Signature) -> DkimVerdict {
    let beginning = signature.b.get(..6).unwrap_or(&signature.b);
    DkimVerdict {
        domain: signature.d.clone(),
        selector: signature.s.clone(),
        algorithm: match signature.a {
            Algorithm::RsaSha1 => "rsa-sha1",
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
        }
        .to_owned(),
        signature: STANDARD.encode(beginning),
        ..DkimVerdict::default()
    }
}

fn outcome(result: &DkimResult) -> (Outcome, Option<String>) {
    match result {
        DkimResult::Pass => (Outcome::Pass, None),
        // A body that was changed is a verification that failed (RFC 8601 section 2.7.1).
        DkimResult::Neutral(error @ Error::Dkim(DkimError::FailedBodyHashMatch)) | DkimResult::Fail(error) => {
            (Outcome::Fail, Some(why(error)))
        }
        DkimResult::Neutral(error) => (Outcome::Neutral, Some(why(error))),
        DkimResult::PermError(error) => (Outcome::PermError, Some(why(error))),
        DkimResult::TempError(error) => (Outcome::TempError, Some(why(error))),
        DkimResult::None => (Outcome::None, None),
    }
}

fn why(error: &Error) -> String {
    match error {
        Error::Dkim(DkimError::FailedBodyHashMatch) => "the body was changed after it was signed".to_owned(),
        Error::Dkim(DkimError::SignatureExpired) => "the signature has expired".to_owned(),
        Error::Dkim(DkimError::RevokedPublicKey) => "the key was revoked".to_owned(),
        Error::Dkim(DkimError::SignatureLength) => "the signature covers only the beginning of the body".to_owned(),
        Error::Crypto(mail_auth::common::crypto::CryptoError::FailedVerification) => {
            "the signature does not fit the header and the key".to_owned()
        }
        Error::Dns(DnsError::RecordNotFound(_)) => "there is no such key in DNS".to_owned(),
        Error::Dns(DnsError::InvalidRecordType) => "the record is no key".to_owned(),
        Error::Dns(DnsError::Resolver(_)) => "DNS gave no answer".to_owned(),
        other => short(&other.to_string()),
    }
}
