//! What a key may do.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// One permission of a key. A key without a list of scopes has all of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Scope {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Scope {
            /// All there are, in the order in which people read them.
            pub const ALL: &[Scope] = &[$(Scope::$variant),*];

            /// The name, as in `mail:read`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Scope::$variant => $name),* }
            }
        }
    };
}

scopes! {
    /// List, search and read messages.
    MailRead = "mail:read",
    /// Read verification codes and links.
    CodeRead = "code:read",
    /// Mark, star and delete messages.
    MailWrite = "mail:write",
    /// List and read mailboxes, domains and statistics.
    MailboxRead = "mailbox:read",
    /// Create, change and remove mailboxes.
    MailboxWrite = "mailbox:write",
    /// Lease mailboxes from the pool.
    PoolLease = "pool:lease",
    /// Manage the pool.
    PoolAdmin = "pool:admin",
    /// Manage users.
    UsersAdmin = "users:admin",
    /// Manage domains, keys and settings.
    SettingsAdmin = "settings:admin",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Manage webhooks.
    WebhookWrite = "webhook:write",
    /// Reveal stored passwords.
    CredentialsRead = "credentials:read",
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|s| s.as_str() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|s| s.as_str()).collect();
            format!("{text:?} is not a scope; there are {}", names.join(", "))
        })
    }
}

/// The set of a caller's permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// All of them, now and in later versions.
    All,
    /// Just these.
    Only(Vec<Scope>),
}

impl Scopes {
    /// Whether the set has this permission.
    pub fn allow(&self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(&scope),
        }
    }

    /// The set from its stored form, where an absent list means all. Names that this version does not know are left out.
    pub fn from_stored(list: Option<&[String]>) -> Self {
        list.map_or(Self::All, |names| Self::Only(names.iter().filter_map(|n| n.parse().ok()).collect()))
    }

    /// The stored form.
    pub fn to_stored(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Only(list) => Some(list.iter().map(|s| s.as_str().to_owned()).collect()),
        }
    }
}
