//! An alias: another address of mailboxes.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, AliasId, DomainName, Timestamp};

/// An address of a domain of ours whose mail is put into one or more mailboxes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Alias {
    /// Identifies it.
    pub id: AliasId,
    /// The address.
    pub address: Address,
    /// The address's domain.
    pub domain: DomainName,
    /// The mailboxes that get its mail. Where one is removed for good, it goes from this list.
    pub mailboxes: Vec<Address>,
    /// A note for people.
    pub note: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}
