//! Everything that a caller can ask for, each written once.
//!
//! An operation is a struct: its fields are the input, its `SPEC` says who may use it and where it is found, its `run` is what
//! happens. The doors take them from [`all`]; none names an operation that is in the list.

pub mod api_keys;
pub mod audit_log;
pub mod bodies;
pub mod codes;
mod context;
pub mod domains;
pub mod first_steps;
pub mod health;
pub mod idempotency;
pub mod jobs;
mod listing;
pub mod mailboxes;
pub mod messages;
pub mod rates;
mod reach;
mod registry;
mod services;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod smtp_sessions;
mod spec;
pub mod stats;
mod throttle;
pub mod upkeep;

pub use context::{Caller, Ctx, Surface};
pub use reach::Confinement;
pub use registry::{Entry, find, snake_case};
pub use services::Services;
pub use spec::{Effect, Method, Operation, Spec};

registry::operations![
    codes::GetVerificationCode,
    domains::ListDomains,
    domains::CreateDomain,
    domains::UpdateDomain,
    domains::DeleteDomain,
    mailboxes::ListMailboxes,
    mailboxes::ListDeletedMailboxes,
    mailboxes::CreateMailbox,
    mailboxes::CreateMailboxesBatch,
    mailboxes::GetMailbox,
    mailboxes::UpdateMailbox,
    mailboxes::PurgeMailbox,
    mailboxes::DeleteMailbox,
    mailboxes::RestoreMailbox,
    messages::ListEmails,
    messages::ListAllEmails,
    messages::GetEmail,
    messages::UpdateEmail,
    messages::DeleteEmail,
    api_keys::ListApiKeys,
    api_keys::CreateApiKey,
    api_keys::RevokeApiKey,
    api_keys::DeleteApiKey,
    audit_log::GetLogs,
    smtp_sessions::ListSmtpSessions,
    smtp_sessions::GetSmtpSession,
    smtp_sessions::ListSmtpBans,
    smtp_sessions::LiftSmtpBan,
    stats::GetStats,
    settings::GetSettings,
    settings::UpdateSettings,
    jobs::ListJobs,
    jobs::RunJob,
];
