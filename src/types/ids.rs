//! Identifiers. Outside they are opaque strings; inside they are UUIDs of version 7 (RFC 9562), which sort by time.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new one, later in order than all made before by this process.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // Opaque outside: a text that is none of ours is an id that nothing has.
                Ok(String::deserialize(deserializer)?.parse().unwrap_or(Self(Uuid::nil())))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": "An opaque identifier.",
                    "x-id": stringify!($name),
                    "examples": ["01890a5d-ac96-774b-bcce-b302099a8057"],
                })
            }
        }
    )*};
}

ids! {
    /// An account that signs in: an administrator or a user.
    PrincipalId,
    /// A signed-in browser.
    SessionId,
    /// An API key.
    ApiKeyId,
    /// A domain that mail is received for.
    DomainId,
    /// Another address of mailboxes.
    AliasId,
    /// A mailbox.
    MailboxId,
    /// A message as it lies in one mailbox.
    MessageId,
    /// The octets of a message, shared by all recipients of its transaction.
    ContentId,
    /// A sender's report of encryption.
    TlsReportId,
    /// A row of the audit log.
    AuditId,
    /// A link that opens one mailbox.
    AccessLinkId,
    /// A service that mailboxes are used for.
    ServiceTemplateId,
    /// A service as it is bound to one mailbox.
    ServiceBindingId,
    /// A ban of a peer of the SMTP listener.
    SmtpBanId,
}
