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
mod reach;
mod scope;
mod settings;
mod smtp_session;
mod time;

pub use address::{Address, InvalidAddress};
pub use api_key::ApiKey;
pub use audit::AuditEntry;
pub use bounded::{Int, Text};
pub use cursor::{Cursor, Page, PageRequest};
pub use domain::{Domain, UnknownRecipients};
pub use domain_name::{DomainName, InvalidDomainName};
pub use extraction_rules::{Alphabet, ExtractionRules};
pub use ids::{ApiKeyId, AuditId, ContentId, DomainId, MailboxId, MessageId, PrincipalId, SessionId, SmtpBanId};
pub use job::JobState;
pub use mailbox::{Lifecycle, Mailbox};
pub use message::MessageSummary;
pub use reach::Reach;
pub use scope::{Scope, Scopes};
pub use settings::{ExpiredMailboxes, SETTING_NAMES, Settings, SettingsState, UpdateSettings};
pub use smtp_session::{SmtpBan, SmtpOutcome, SmtpRecipient, SmtpSession, SmtpStored, SmtpTransaction};
pub use time::Timestamp;
