//! What is known about where a message came from, in the words of RFC 8601.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of one check (RFC 8601 section 2.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The check succeeded: the domain stands for the message.
    Pass,
    /// The domain says that this is not its mail, or the signature is broken.
    Fail,
    /// The domain says that this is probably not its mail.
    SoftFail,
    /// The domain says nothing either way, or the signature could not be read.
    Neutral,
    /// There is nothing to check, or it was not checked.
    #[default]
    None,
    /// DNS gave no answer in time; the same message may be judged otherwise later.
    TempError,
    /// What the domain publishes cannot be used.
    PermError,
}

impl Outcome {
    /// The word, as in JSON and in `Authentication-Results`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Whether the author's domain stands for a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SenderTrust {
    /// A domain that passed SPF or DKIM is aligned with that of the From field.
    Pass,
    /// The author's domain disowns the message.
    Fail,
    /// Nothing speaks for or against the author, or the sender was not checked.
    #[default]
    None,
    /// DNS gave no answer in time.
    TempError,
}

impl SenderTrust {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::None => "none",
            Self::TempError => "temperror",
        }
    }
}

/// A word that this version does not know counts as nothing known.
impl From<String> for SenderTrust {
    fn from(text: String) -> Self {
        [Self::Pass, Self::Fail, Self::TempError].into_iter().find(|trust| trust.as_str() == text).unwrap_or_default()
    }
}

/// What was found out about the sender of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Verdicts {
    /// Whether the sender was checked at all.
    pub checked: bool,
    /// The verdict in one word.
    pub sender_trust: SenderTrust,
    /// Why, in one sentence.
    pub reason: String,
    /// The domain of the From field, in A-labels; null where there is not exactly one.
    pub from_domain: Option<String>,
    /// SPF of the envelope's sender.
    pub spf: SpfVerdict,
    /// SPF of the name that the peer gave.
    pub spf_helo: SpfVerdict,
    /// Each DKIM signature, in the order of the message.
    pub dkim: Vec<DkimVerdict>,
    /// DMARC of the From field's domain.
    pub dmarc: DmarcVerdict,
    /// The chain of ARC seals.
    pub arc: ArcVerdict,
    /// Whether the names of the peer's address lead back to it.
    pub iprev: IprevVerdict,
    /// The DNS lists that name the peer's address.
    pub dns_lists: Vec<DnsListing>,
    /// How many `Authentication-Results` fields of the message claim to be ours. They are forged and count for nothing.
    pub forged_results: u32,
    /// How long the checks took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The verdict of SPF (RFC 7208).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpfVerdict {
    /// The result.
    pub result: Outcome,
    /// The domain that was asked; empty where there is none.
    pub domain: String,
    /// What the domain has to say about a failure, or why there is no better result.
    pub reason: Option<String>,
}

/// The verdict on one DKIM signature (RFC 6376).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DkimVerdict {
    /// The result.
    pub result: Outcome,
    /// The domain that signed; empty where the signature cannot be read.
    pub domain: String,
    /// Which of its keys.
    pub selector: String,
    /// As in the signature: `rsa-sha256`, `ed25519-sha256`.
    pub algorithm: String,
    /// The beginning of the signature, which tells several apart (RFC 6008).
    pub signature: String,
    /// Why it did not pass.
    pub reason: Option<String>,
}

/// The verdict of DMARC (RFC 9989).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DmarcVerdict {
    /// The result.
    pub result: Outcome,
    /// What the author's domain asks to be done with mail that fails.
    pub policy: DmarcPolicy,
    /// Why it did not pass.
    pub reason: Option<String>,
}

/// What a domain asks to be done with mail that fails DMARC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Nothing.
    #[default]
    None,
    /// Keep it apart.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl DmarcPolicy {
    /// The word, as in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// The verdict on a chain of ARC seals (RFC 8617).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ArcVerdict {
    /// The result; only as good as who sealed.
    pub result: Outcome,
    /// How many seals there are.
    pub instances: u32,
    /// The domain of the last seal.
    pub sealer: Option<String>,
    /// Why it did not pass.
    pub reason: Option<String>,
}

/// The verdict on reverse DNS (RFC 8601 section 3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IprevVerdict {
    /// The result.
    pub result: Outcome,
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// The names of the address.
    pub names: Vec<String>,
    /// Why it did not pass.
    pub reason: Option<String>,
}

/// A DNS list that names the peer's address (RFC 5782).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DnsListing {
    /// The list.
    pub zone: String,
    /// What it answered, such as 127.0.0.2.
    pub answer: Option<IpAddr>,
    /// What it has to say about the address.
    pub reason: Option<String>,
    /// Whether the operator wants mail from listed addresses refused.
    pub rejects: bool,
}

impl Verdicts {
    /// Of a message whose sender was not checked.
    pub fn unchecked(reason: &str) -> Self {
        Self { reason: reason.to_owned(), ..Self::default() }
    }
}

/// What a domain of ours does with mail that the author's domain disowns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthPolicy {
    /// It is delivered; the verdicts are shown.
    #[default]
    Accept,
    /// What DMARC asks to refuse or to keep apart is kept apart.
    Quarantine,
    /// What DMARC asks to refuse is refused with 550 5.7.26, what it asks to keep apart is kept apart.
    Reject,
}

impl AuthPolicy {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// A word that this version does not know changes nothing about the mail.
impl From<String> for AuthPolicy {
    fn from(text: String) -> Self {
        [Self::Quarantine, Self::Reject].into_iter().find(|policy| policy.as_str() == text).unwrap_or_default()
    }
}

impl std::str::FromStr for AuthPolicy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::from(text.to_owned()) {
            Self::Accept if text != "accept" => Err("must be accept, quarantine or reject".to_owned()),
            policy => Ok(policy),
        }
    }
}

/// From which senders a mailbox gives out codes and links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SenderPolicy {
    /// From all.
    #[default]
    Any,
    /// From all but those whose domain disowns the message.
    NotFailed,
    /// Only from those whose domain stands for the message.
    Aligned,
}

impl SenderPolicy {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::NotFailed => "not_failed",
            Self::Aligned => "aligned",
        }
    }

    /// Why a mailbox with this policy keeps back what a message holds.
    pub fn reason(self, trust: SenderTrust) -> String {
        let sender = match trust {
            SenderTrust::Pass => "its sender is proven",
            SenderTrust::Fail => "the author's domain disowns the message",
            SenderTrust::None => "nothing proves its sender",
            SenderTrust::TempError => "DNS gave no answer about its sender when it arrived",
        };
        let rule = match self {
            Self::Any => "gives out the codes and links of all senders",
            Self::NotFailed => "keeps back the codes and links of senders that fail",
            Self::Aligned => "gives out the codes and links of proven senders only",
        };
        format!("The mailbox {rule}, and {sender}.")
    }
}

/// A word that this version does not know gives out nothing that is not proven.
impl From<String> for SenderPolicy {
    fn from(text: String) -> Self {
        [Self::Any, Self::NotFailed].into_iter().find(|policy| policy.as_str() == text).unwrap_or(Self::Aligned)
    }
}
