//! Reads what senders report of encryption on the way here (TLS-RPT, RFC 8460). Hostile input: all is bounded.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use mail_auth::report::tlsrpt::{FailureDetails, Policy, TlsReport};

use crate::types::{DomainName, NewTlsReport, Timestamp, TlsFailure, TlsReportDetail};

/// The most octets of a report once it is unpacked.
const MOST_OCTETS: usize = 4 << 20;
/// Where in a message the mark of a report must stand: its header section says it (RFC 8460 section 5.3).
const MARK_WITHIN: usize = 64 << 10;
/// The most domains of one report.
const MOST_DOMAINS: usize = 20;
/// The most kinds of failures that are kept.
const MOST_FAILURES: usize = 50;
/// The longest text that is kept, in characters.
const LONGEST_TEXT: usize = 300;

/// What a message reports; empty where it is no report.
pub fn of_message(message: &[u8]) -> Vec<NewTlsReport> {
    let start = message.get(..MARK_WITHIN).unwrap_or(message);
    if message.len() > MOST_OCTETS || memchr::memmem::find(start, b"tlsrpt").is_none() {
        return Vec::new();
    }
    TlsReport::parse_rfc5322(message, MOST_OCTETS).map(split).unwrap_or_default()
}

/// What a body that was posted reports, plain or packed with gzip; empty where it is no report.
pub fn of_body(body: &[u8]) -> Vec<NewTlsReport> {
    let mut unpacked = Vec::new();
    let json = if body.starts_with(&[0x1f, 0x8b]) {
        let most = u64::try_from(MOST_OCTETS).unwrap_or(u64::MAX);
        let read = GzDecoder::new(body).take(most).read_to_end(&mut unpacked);
        if read.is_err() {
            return Vec::new();
        }
        &unpacked
    } else {
        body
    };
    TlsReport::parse_json(json).map(split).unwrap_or_default()
}

/// One report for each domain that it speaks of.
fn split(report: TlsReport) -> Vec<NewTlsReport> {
    let mut domains: BTreeMap<DomainName, Vec<Policy>> = BTreeMap::new();
    for policy in report.policies {
        if let Ok(domain) = policy.policy.policy_domain.parse::<DomainName>()
            && (domains.len() < MOST_DOMAINS || domains.contains_key(&domain))
        {
            domains.entry(domain).or_default().push(policy);
        }
    }
    let organization = text(report.organization_name.as_deref().unwrap_or_default());
    let contact = text(report.contact_info.as_deref().unwrap_or_default());
    let (from, to) = (report.date_range.start_datetime.to_timestamp(), report.date_range.end_datetime.to_timestamp());
    let (Some(starts_at), Some(ends_at)) = (Timestamp::from_unix(from), Timestamp::from_unix(to)) else { return Vec::new() };
    let report_name = text(&report.report_id);
    let new = |(domain, policies): (DomainName, Vec<Policy>)| NewTlsReport {
        domain,
        organization: organization.clone(),
        report_name: report_name.clone(),
        contact: contact.clone(),
        starts_at,
        ends_at,
        succeeded_sessions: policies.iter().map(|policy| i64::from(policy.summary.total_success)).sum(),
        failed_sessions: policies.iter().map(|policy| i64::from(policy.summary.total_failure)).sum(),
        detail: detail(&policies),
    };
    domains.into_iter().map(new).collect()
}

fn detail(policies: &[Policy]) -> TlsReportDetail {
    let mut kinds: Vec<String> = policies.iter().filter_map(|policy| word(&policy.policy.policy_type)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut failures: Vec<TlsFailure> = policies.iter().flat_map(|policy| &policy.failure_details).map(failure).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.sessions));
    failures.truncate(MOST_FAILURES);
    TlsReportDetail { policies: kinds, failures }
}

fn failure(details: &FailureDetails) -> TlsFailure {
    let information = details.additional_information.as_deref().or(details.failure_reason_code.as_deref());
    TlsFailure {
        result: word(&details.result_type).unwrap_or_else(|| "other".to_owned()),
        sessions: details.failed_session_count.into(),
        sending_ip: details.sending_mta_ip.map(|ip| ip.to_string()),
        receiving_host: details.receiving_mx_hostname.as_deref().map(text),
        information: information.map(text),
    }
}

/// The name of a kind, as the report writes it.
fn word(kind: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(kind).ok()?.as_str().map(str::to_ascii_lowercase)
}

/// Short, and without what the database or a terminal cannot take.
fn text(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"organization-name":"Sender\u0000 Inc","date-range":{"start-datetime":"2026-11-26T00:00:00Z",
        "end-datetime":"2026-11-26T23:59:59Z"},"contact-info":"tls@sender.example","report-id":"r-1","policies":[
        {"policy":{"policy-type":"sts","policy-string":[],"policy-domain":"Example.org"},
         "summary":{"total-successful-session-count":40,"total-failure-session-count":3},
         "failure-details":[{"result-type":"certificate-expired","failed-session-count":3,"receiving-mx-hostname":"mx.example.org"}]},
        {"policy":{"policy-type":"no-policy-found","policy-domain":"example.net"},
         "summary":{"total-successful-session-count":1,"total-failure-session-count":0}},
        {"policy":{"policy-type":"sts","policy-domain":"not a domain"},"summary":{}}]}"#;

    #[test]
    fn a_report_is_one_for_each_domain() {
        let reports = of_body(REPORT.as_bytes());
        assert_eq!(reports.len(), 2, "{reports:?}");
        let report = reports.iter().find(|report| report.domain.as_str() == "example.org").expect("one");
        assert_eq!((report.succeeded_sessions, report.failed_sessions), (40, 3));
        assert_eq!(report.organization, "Sender Inc");
        assert_eq!(report.detail.policies, ["sts"]);
        assert_eq!(report.detail.failures[0].result, "certificate-expired");
        assert_eq!(report.starts_at.unix(), 1_795_651_200);
    }

    #[test]
    fn what_is_no_report_is_none_and_a_bomb_is_bounded() {
        assert!(of_body(b"{}").is_empty());
        assert!(of_body(b"\x1f\x8b broken").is_empty());
        assert!(of_message(b"Subject: tlsrpt\r\n\r\nno report").is_empty());
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::copy(&mut std::io::repeat(b' ').take(16 << 20), &mut packed).expect("packed");
        assert!(of_body(&packed.finish().expect("packed")).is_empty());
    }
}
