//! How a domain's DNS was found, beside what receiving needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DomainName, Timestamp};

/// A domain's DNS, beside what receiving needs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DomainCheck {
    /// The domain.
    pub domain: DomainName,
    /// The name of this server, to which its mail shall come.
    pub host: String,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// The whole in a word.
    pub state: CheckState,
    /// Each record, what is needed first.
    pub records: Vec<RecordCheck>,
    /// The records that are wanted, as lines of a zone file.
    pub zone_file: String,
}

/// A domain's DNS in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Mail comes here, and nothing is wrong.
    Ready,
    /// Mail comes here, but something besides is wrong.
    Attention,
    /// A change has not reached all name servers yet.
    Pending,
    /// Mail does not come here.
    Broken,
    /// Nobody answered.
    Unanswered,
}

/// What was found of a record, and what to do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordCheck {
    /// Which one: `mx`, `address`, `ipv6`, `subdomains`, `mta_sts`, `mta_sts_host`, `tls_rpt`, `tlsa`, `spf`.
    pub id: String,
    /// The record's name.
    pub name: String,
    /// The record's type, as in a zone file.
    pub kind: String,
    /// Whether mail needs it, by this domain's settings.
    pub is_needed: bool,
    /// What it should hold.
    pub wanted: Vec<String>,
    /// What it holds, over all servers that were asked.
    pub found: Vec<String>,
    /// How the two compare.
    pub verdict: Verdict,
    /// Servers that do not have it yet, or did not answer.
    pub lagging: Vec<String>,
    /// Why, for people.
    pub reason: String,
    /// What to do, for people; empty where nothing is to be done.
    pub advice: String,
}

/// How a record compares with what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As wanted.
    Right,
    /// Something else.
    Wrong,
    /// Nothing.
    Missing,
    /// As wanted on some servers, not on others.
    NotEverywhere,
    /// Mail comes without it.
    NotNeeded,
    /// No server answered.
    Unanswered,
}

impl Verdict {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Missing => "missing",
            Self::NotEverywhere => "not_everywhere",
            Self::NotNeeded => "not_needed",
            Self::Unanswered => "unanswered",
        }
    }
}

impl CheckState {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Attention => "attention",
            Self::Pending => "pending",
            Self::Broken => "broken",
            Self::Unanswered => "unanswered",
        }
    }

    /// From the records.
    pub fn of(records: &[RecordCheck]) -> Self {
        let has = |is_needed, verdicts: &[Verdict]| {
            records.iter().any(|record| record.is_needed == is_needed && verdicts.contains(&record.verdict))
        };
        if has(true, &[Verdict::Wrong, Verdict::Missing]) {
            Self::Broken
        } else if has(true, &[Verdict::Unanswered]) {
            Self::Unanswered
        } else if has(true, &[Verdict::NotEverywhere]) {
            Self::Pending
        } else if has(false, &[Verdict::Wrong]) {
            Self::Attention
        } else {
            Self::Ready
        }
    }
}

impl DomainCheck {
    /// Whether anything is judged otherwise than in the check before.
    pub fn differs_from(&self, before: &Self) -> bool {
        let verdicts = |check: &Self| -> Vec<(String, Verdict)> {
            check.records.iter().map(|record| (record.id.clone(), record.verdict)).collect()
        };
        self.state != before.state || verdicts(self) != verdicts(before)
    }
}
