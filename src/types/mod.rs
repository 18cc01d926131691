//! The nouns of the product and their rules. Pure: nothing here reads or writes anything.

mod access_link;
mod address;
mod alias;
mod api_key;
mod audit;
mod bounded;
mod cursor;
mod domain;
mod domain_check;
mod domain_name;
mod extraction_rules;
mod ids;
mod job;
mod mailbox;
mod message;
mod mta_sts;
mod postmaster;
mod reach;
mod scope;
mod service;
mod settings;
mod smtp_session;
mod time;
mod tls_report;
mod user;
mod verdict;

pub use access_link::AccessLink;
pub use address::{Address, InvalidAddress};
pub use alias::Alias;
pub use api_key::ApiKey;
pub use audit::AuditEntry;
pub use bounded::{Int, Text};
pub use cursor::{Cursor, Page, PageRequest};
pub use domain::{Domain, UnknownRecipients};
pub use domain_check::{CheckState, DomainCheck, RecordCheck, Verdict};
pub use domain_name::{DomainName, InvalidDomainName};
pub use extraction_rules::{Alphabet, ExtractionRules};
pub use ids::{
    AccessLinkId, AliasId, ApiKeyId, AuditId, ContentId, DomainId, MailboxId, MessageId, PrincipalId, ServiceBindingId,
    ServiceTemplateId, SessionId, SmtpBanId, TlsReportId,
};
pub use job::JobState;
pub use mailbox::{Lifecycle, Mailbox};
pub use message::MessageSummary;
pub use mta_sts::MtaSts;
pub use postmaster::Postmaster;
pub use reach::Reach;
pub use scope::{Scope, Scopes};
pub use service::{ServiceBinding, ServiceTemplate};
pub use settings::{ExpiredMailboxes, SETTING_NAMES, Settings, SettingsState, UpdateSettings};
pub use smtp_session::{SmtpBan, SmtpOutcome, SmtpRecipient, SmtpSession, SmtpStored, SmtpTransaction};
pub use time::Timestamp;
pub use tls_report::{NewTlsReport, TlsFailure, TlsReport, TlsReportDetail};
pub use user::{Member, User};
pub use verdict::{
    ArcVerdict, AuthPolicy, DkimVerdict, DmarcPolicy, DmarcVerdict, DnsListing, IprevVerdict, Outcome, SenderPolicy, SenderTrust,
    SpfVerdict, Verdicts,
};
