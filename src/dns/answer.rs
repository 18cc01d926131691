//! What an answer says, and what it means that there is none.

use std::time::{Duration, Instant};

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

/// The records that were asked for, or why there are none.
pub type Answer<T> = Result<Found<T>, Nothing>;

/// Records of one kind; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// In the order of the answer.
    pub records: Vec<T>,
    /// Until when the answer holds.
    pub valid_until: Instant,
}

/// Why there are no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nothing {
    /// The name does not exist, or cannot: NXDOMAIN.
    #[error("there is no such name")]
    NoSuchName,
    /// The name exists, without records of this kind.
    #[error("the name has no such record")]
    NoRecords,
    /// Nobody knows: no server answered in time, or none that could say. The same question may be answered later.
    #[error("{0}")]
    Failed(String),
}

impl Nothing {
    /// Whether asking again later may give another answer.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub(super) fn too_slow(patience: Duration) -> Self {
        Self::Failed(format!("no DNS server answered within {} s", patience.as_secs_f32()))
    }

    pub(super) fn from_error(error: &NetError) -> Self {
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => Self::NoSuchName,
                ResponseCode::NoError => Self::NoRecords,
                code => Self::Failed(format!("the DNS server answered: {code}")),
            },
            NetError::Dns(DnsError::ResponseCode(code)) => Self::Failed(format!("the DNS server answered: {code}")),
            NetError::Timeout => Self::Failed("no DNS server answered in time".to_owned()),
            error => Self::Failed(format!("DNS could not be asked: {error}")),
        }
    }
}

/// Both answers in one. What is certain outweighs what failed only where something was found.
pub(super) fn either<T>(one: Answer<T>, other: Answer<T>) -> Answer<T> {
    match (one, other) {
        (Ok(mut one), Ok(other)) => {
            one.records.extend(other.records);
            one.valid_until = one.valid_until.min(other.valid_until);
            Ok(one)
        }
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(failed @ Nothing::Failed(_)), Err(_)) | (Err(_), Err(failed @ Nothing::Failed(_))) => Err(failed),
        (Err(Nothing::NoSuchName), Err(Nothing::NoSuchName)) => Err(Nothing::NoSuchName),
        (Err(_), Err(_)) => Err(Nothing::NoRecords),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_answers_become_one() {
        let now = Instant::now();
        let found = |records: &[u8]| Ok(Found { records: records.to_vec(), valid_until: now });
        let failed = || Err(Nothing::Failed("away".into()));
        for (one, other, expected) in [
            (found(&[1]), found(&[2]), found(&[1, 2])),
            (found(&[1]), failed(), found(&[1])),
            (Err(Nothing::NoSuchName), found(&[2]), found(&[2])),
            (Err(Nothing::NoRecords), failed(), failed()),
            (failed(), Err(Nothing::NoSuchName), failed()),
            (Err(Nothing::NoSuchName), Err(Nothing::NoSuchName), Err(Nothing::NoSuchName)),
            (Err(Nothing::NoRecords), Err(Nothing::NoSuchName), Err(Nothing::NoRecords)),
        ] {
            assert_eq!(either(one, other), expected);
        }
    }
}
