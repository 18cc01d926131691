//! Everything that a caller can ask for, each written once.
//!
//! An operation is a struct: its fields are the input, its `SPEC` says who may use it and where it is found, its `run` is what
//! happens. The doors take them from [`all`]; none names an operation that is in the list.

pub mod aliases;
pub mod api_keys;
pub mod audit_log;
pub mod bodies;
pub mod certificates;
pub mod code_search;
pub mod codes;
mod context;
pub mod domain_check;
pub mod domains;
pub mod extraction;
pub mod figures;
pub mod first_steps;
pub mod health;
pub mod idempotency;
pub mod jobs;
mod listing;
pub mod mailboxes;
pub mod messages;
pub mod portal;
pub mod quarantine;
pub mod rates;
mod reach;
pub mod recipients;
mod registry;
pub mod retention;
pub mod search;
pub mod service_links;
mod services;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod smtp_sessions;
mod spec;
pub mod stats;
mod throttle;
pub mod tls_reports;
pub mod upkeep;
pub mod users;

pub use context::{Caller, Ctx, Surface};
pub use reach::Confinement;
pub use registry::{Entry, find, snake_case};
pub use services::Services;
pub use spec::{Effect, Method, Operation, Spec};

registry::operations![
    codes::GetVerificationCode,
    code_search::SearchVerificationCodes,
    extraction::TestExtraction,
    domains::ListDomains,
    domains::CreateDomain,
    domains::UpdateDomain,
    domains::DeleteDomain,
    domain_check::CheckDomain,
    tls_reports::ListTlsReports,
    recipients::ExplainRecipient,
    aliases::ListAliases,
    aliases::CreateAlias,
    aliases::GetAlias,
    aliases::UpdateAlias,
    aliases::DeleteAlias,
    mailboxes::ListMailboxes,
    mailboxes::ListDeletedMailboxes,
    mailboxes::CreateMailbox,
    mailboxes::CreateMailboxesBatch,
    mailboxes::GetMailbox,
    mailboxes::UpdateMailbox,
    mailboxes::PurgeMailbox,
    mailboxes::DeleteMailbox,
    mailboxes::RestoreMailbox,
    mailboxes::AssignMailboxToUser,
    mailboxes::AssignMailboxesToUser,
    mailboxes::SetMailboxShared,
    mailboxes::AddUserToSharedMailbox,
    mailboxes::RemoveUserFromSharedMailbox,
    mailboxes::GetSharedMailboxUsers,
    mailboxes::SetMailboxPassword,
    mailboxes::GetMailboxPassword,
    mailboxes::CreateAccessLink,
    mailboxes::ListAccessLinks,
    mailboxes::RevokeAccessLink,
    users::ListUsers,
    users::CreateUser,
    users::GetUser,
    users::UpdateUser,
    users::DeleteUser,
    users::RotateUserToken,
    service_links::ListServiceTemplates,
    service_links::CreateServiceTemplate,
    service_links::UpdateServiceTemplate,
    service_links::DeleteServiceTemplate,
    service_links::ListServiceBindings,
    service_links::GetMailboxServices,
    service_links::AddServiceToMailbox,
    service_links::AddCustomServiceToMailbox,
    service_links::RemoveServiceFromMailbox,
    service_links::UpdateServiceExpiration,
    service_links::BatchBindServicesToMailboxes,
    figures::GetStatsTimeseries,
    figures::GetMailboxStats,
    messages::ListEmails,
    search::ListAllEmails,
    search::SearchEmails,
    messages::GetEmail,
    messages::UpdateEmail,
    messages::DeleteEmail,
    quarantine::ReleaseEmail,
    retention::DeleteOldEmails,
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
