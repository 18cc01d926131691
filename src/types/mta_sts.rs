//! What senders are told about encryption on the way to a domain (MTA-STS, RFC 8461).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::DomainName;

/// How senders shall treat a domain's mail where they cannot encrypt it to a certificate that they trust.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MtaSts {
    /// No policy is served.
    #[default]
    None,
    /// Deliver all the same, and report it.
    Testing,
    /// Do not deliver.
    Enforce,
}

/// How long senders keep a policy, in seconds; RFC 8461 section 3.2 asks for weeks, and a change is seen by the record's id.
const MAX_AGE_SECONDS: u32 = 604_800;

impl MtaSts {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::None, Self::Testing, Self::Enforce];

    /// The name, as in JSON and in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Testing => "testing",
            Self::Enforce => "enforce",
        }
    }

    /// The policy's text, for mail that goes to `host`; `None` where none is served.
    pub fn policy(self, host: &str) -> Option<String> {
        let mode = match self {
            Self::None => return None,
            mode => mode.as_str(),
        };
        Some(format!("version: STSv1\r\nmode: {mode}\r\nmx: {host}\r\nmax_age: {MAX_AGE_SECONDS}\r\n"))
    }

    /// What the record at `_mta-sts` holds: an id that changes with the policy (RFC 8461 section 3.1).
    pub fn record(self, host: &str) -> Option<String> {
        let digest = Sha256::digest(self.policy(host)?);
        let id: String = digest.iter().take(10).map(|octet| format!("{octet:02x}")).collect();
        Some(format!("v=STSv1; id={id};"))
    }

    /// The name at which senders fetch the policy.
    pub fn policy_host(domain: &DomainName) -> String {
        format!("mta-sts.{domain}")
    }
}

impl From<String> for MtaSts {
    /// A name that this version does not know counts as none.
    fn from(text: String) -> Self {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).unwrap_or_default()
    }
}

impl std::str::FromStr for MtaSts {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| "must be none, testing or enforce".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_the_lines_that_it_must_have_and_an_id_of_its_own() {
        let policy = MtaSts::Enforce.policy("mx.example.org").expect("one");
        assert_eq!(policy, "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 604800\r\n");
        let ids: Vec<_> =
            [MtaSts::Enforce, MtaSts::Testing].map(|mode| mode.record("mx.example.org").expect("one")).into_iter().collect();
        assert_ne!(ids[0], ids[1]);
        let id = ids[0].strip_prefix("v=STSv1; id=").and_then(|rest| rest.strip_suffix(';')).expect("a record");
        assert!(id.len() <= 32 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
        assert_eq!(MtaSts::None.record("mx.example.org"), None);
    }
}
