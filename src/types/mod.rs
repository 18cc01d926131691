//! The nouns of the product and their rules. Pure: nothing here reads or writes anything.

mod address;
mod api_key;
mod audit;
mod bounded;
mod cursor;
mod domain;
mod domain_name;
mod extraction_rules;
mod ids;
mod job;
mod mailbox;
mod message;
mod network;
mod reach;
mod scope;
mod settings;
mod time;
mod verdict;

pub use address::{Address, InvalidAddress};
pub use api_key::ApiKey;
pub use audit::AuditEntry;
pub use bounded::{Int, Text};
pub use cursor::{Cursor, Page, PageRequest};
pub use domain::{Domain, UnknownRecipients};
pub use domain_name::{DomainName, InvalidDomainName};
pub use extraction_rules::{Alphabet, ExtractionRules};
pub use ids::{ApiKeyId, AuditId, ContentId, DomainId, MailboxId, MessageId, PrincipalId, SessionId};
pub use job::JobState;
pub use mailbox::{Lifecycle, Mailbox};
pub use message::MessageSummary;
pub use network::Network;
pub use reach::Reach;
pub use scope::{Scope, Scopes};
pub use settings::{ExpiredMailboxes, SETTING_NAMES, Settings, SettingsState, UpdateSettings};
pub use time::Timestamp;
pub use verdict::{
    ArcVerdict, AuthPolicy, DkimVerdict, DmarcPolicy, DmarcVerdict, DnsListing, IprevVerdict, Outcome, SenderPolicy, SenderTrust,
    SpfVerdict, Verdicts,
};
