//! Services that mailboxes are used for: templates, and what is bound to a mailbox.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, ExtractionRules, ServiceBindingId, ServiceTemplateId, Timestamp};

/// A service that mailboxes are used for: where one signs in, and what its codes look like.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ServiceTemplate {
    /// Identifies it.
    pub id: ServiceTemplateId,
    /// What people call it.
    pub name: String,
    /// The address of its sign-in page.
    #[schemars(extend("examples" = ["https://app.example/login"]))]
    pub login_url: String,
    /// A note for people.
    pub note: String,
    /// What its codes look like; empty where nothing is known of them.
    pub extraction_rules: ExtractionRules,
    /// How many mailboxes it is bound to.
    pub binding_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A service as it is bound to a mailbox.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ServiceBinding {
    /// Identifies the binding.
    pub id: ServiceBindingId,
    /// The mailbox.
    pub mailbox: Address,
    /// What people call the service: of its template, or its own.
    pub name: String,
    /// The address of its sign-in page.
    pub login_url: String,
    /// A note for people.
    pub note: String,
    /// Whether it has no template.
    pub is_custom: bool,
    /// The template; null where it has none.
    pub template_id: Option<ServiceTemplateId>,
    /// The name that it has without a template.
    pub custom_name: Option<String>,
    /// The address of the sign-in page that it has without a template.
    pub custom_login_url: Option<String>,
    /// The note that it has without a template.
    pub custom_note: Option<String>,
    /// When it ends; null means never. An ended binding stays, and tells so.
    pub expires_at: Option<Timestamp>,
    /// Whether its end is past.
    pub is_expired: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
