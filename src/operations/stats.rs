//! Figures of the installation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::store;
use crate::types::Scope;

use super::{Ctx, Effect, Method, Operation, Spec};

/// Gives the figures of the installation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetStats {}

/// Figures of the installation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stats {
    /// Domains that mail is received for.
    pub domains: i64,
    /// Mailboxes outside the trash, without those that only collect.
    pub mailboxes: i64,
    /// Mailboxes in the trash.
    pub trashed_mailboxes: i64,
    /// Addresses that mail was collected for and nobody made a mailbox of yet.
    pub collected_mailboxes: i64,
    /// Messages outside the trash.
    pub messages: i64,
    /// Those of them that are unread.
    pub unread_messages: i64,
    /// Users, those included that may not sign in.
    pub users: i64,
    /// Mailboxes outside the trash that nobody owns and that are not shared.
    pub unassigned_mailboxes: i64,
    /// API keys that are good.
    pub api_keys: i64,
}

impl Operation for GetStats {
    type Output = Stats;
    const SPEC: Spec = Spec {
        name: "get_stats",
        title: "Get figures",
        rest: (Method::Get, "/stats"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Stats> {
        let mut db = ctx.services.db.acquire().await?;
        let s = store::stats::read(&mut db).await?;
        Ok(Stats {
            domains: s.domains,
            mailboxes: s.mailboxes,
            trashed_mailboxes: s.trashed_mailboxes,
            collected_mailboxes: s.collected_mailboxes,
            messages: s.messages,
            unread_messages: s.unread_messages,
            users: s.users,
            unassigned_mailboxes: s.unassigned_mailboxes,
            api_keys: s.api_keys,
        })
    }
}
