//! The nouns of the product and their rules. Pure: nothing here reads or writes anything.

mod address;
mod bounded;
mod cursor;
mod domain_name;
mod ids;
mod scope;
mod time;

pub use address::{Address, InvalidAddress};
pub use bounded::{Int, Text};
pub use cursor::{Cursor, Page, PageRequest};
pub use domain_name::{DomainName, InvalidDomainName};
pub use ids::{ApiKeyId, AuditId, ContentId, DomainId, MailboxId, MessageId, PrincipalId, SessionId};
pub use scope::{Scope, Scopes};
pub use time::Timestamp;
