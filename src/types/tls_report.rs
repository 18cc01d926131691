//! What a sender reports of encryption on the way here (TLS-RPT, RFC 8460).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DomainName, Timestamp, TlsReportId};

/// What one sender reports of a domain for a time, mostly a day. Anyone can send one: it is a hint, not a proof.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TlsReport {
    /// Identifies it.
    pub id: TlsReportId,
    /// The domain that it speaks of.
    pub domain: DomainName,
    /// Who reports.
    pub organization: String,
    /// The sender's own name of the report.
    pub report_name: String,
    /// Whom to ask about it.
    pub contact: String,
    /// The time that it covers: from.
    pub starts_at: Timestamp,
    /// The time that it covers: until.
    pub ends_at: Timestamp,
    /// How many sessions were encrypted as they should.
    pub succeeded_sessions: i64,
    /// How many were not.
    pub failed_sessions: i64,
    /// Policies and failures.
    pub detail: TlsReportDetail,
    /// `mail` or `https`.
    pub came_by: String,
    /// When it was taken in.
    pub received_at: Timestamp,
}

/// The policies that a report speaks of, and what failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsReportDetail {
    /// Kinds of policies that the sender found: `sts`, `tlsa`, `no-policy-found`.
    pub policies: Vec<String>,
    /// What failed, by kind; the most frequent first, at most 50.
    pub failures: Vec<TlsFailure>,
}

/// Sessions that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsFailure {
    /// As in RFC 8460 section 4.3: `certificate-expired`, `starttls-not-supported`, and so on.
    pub result: String,
    /// How many sessions.
    pub sessions: i64,
    /// The sender's address, where it says so.
    pub sending_ip: Option<String>,
    /// The name of the server that was spoken to, where the sender says so.
    pub receiving_host: Option<String>,
    /// More, in the sender's words.
    pub information: Option<String>,
}

/// A report as it is read, for one domain; not kept yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in TlsReport")]
pub struct NewTlsReport {
    pub domain: DomainName,
    pub organization: String,
    pub report_name: String,
    pub contact: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub succeeded_sessions: i64,
    pub failed_sessions: i64,
    pub detail: TlsReportDetail,
}
