//! Removing messages by their age.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::error::Result;
use crate::store;
use crate::store::retention::Rule;
use crate::types::{Address, DomainName, Int, Scope};

use super::mailboxes::unknown_mailbox;
use super::{Confinement, Ctx, Effect, Method, Operation, Services, Spec};

/// How many messages one step looks at; what it removes is one transaction.
const STEP: i64 = 1000;

/// Removes messages that are older than so many days, for good. Starred ones are spared, and those in the trash. `dry_run` only
/// counts them.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteOldEmails {
    /// How old, in days, counted from their arrival.
    pub days: Int<1, 36_500>,
    /// Just those of this mailbox.
    #[serde(default)]
    pub mailbox: Option<Address>,
    /// Just those of this domain's mailboxes.
    #[serde(default)]
    pub domain: Option<DomainName>,
    /// Whether to count only, and remove nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedOldEmails {
    /// How many messages were removed; 0 in a dry run.
    pub deleted_count: i64,
    /// How many messages are old enough, starred ones not counted.
    pub matching_count: i64,
    /// Whether nothing was removed because it was asked so.
    pub dry_run: bool,
}

impl Operation for DeleteOldEmails {
    type Output = DeletedOldEmails;
    const SPEC: Spec = Spec {
        name: "delete_old_emails",
        title: "Remove old messages",
        rest: (Method::Post, "/messages/delete-old"),
        scope: Scope::MailWrite,
        effect: Effect::Destructive,
        audit: Some("message.delete_old"),
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    fn time_limit(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn run(self, ctx: &Ctx) -> Result<DeletedOldEmails> {
        if let Some(address) = &self.mailbox {
            let mut db = ctx.services.db.acquire().await?;
            store::mailboxes::readable_id(&mut db, address).await?.ok_or_else(|| unknown_mailbox(address))?;
        }
        let rule = Rule {
            days: Some(self.days.get()),
            default_days: None,
            mailbox: self.mailbox.as_ref(),
            domain: self.domain.as_ref(),
            reach: ctx.caller.reach().clone(),
        };
        let (matching_count, deleted_count) = sweep(&ctx.services, &rule, self.dry_run, || false).await?;
        let target = self.mailbox.map_or_else(|| self.domain.map_or_else(|| "all".into(), |d| d.to_string()), |m| m.to_string());
        let detail = json!({ "days": self.days.get(), "dry_run": self.dry_run, "deleted": deleted_count });
        let tx = ctx.begin().await?;
        ctx.commit::<Self>(tx, &target, detail).await?;
        Ok(DeletedOldEmails { deleted_count, matching_count, dry_run: self.dry_run })
    }
}

/// Walks over the messages from the oldest on, and removes what a rule finds too old, in steps; answers with how many it found and
/// how many it removed.
pub(super) async fn sweep(services: &Services, rule: &Rule<'_>, dry_run: bool, is_over: impl Fn() -> bool) -> Result<(i64, i64)> {
    let (mut found, mut removed) = (0, 0);
    let mut after = Some(Uuid::nil());
    while let Some(from) = after
        && !is_over()
    {
        let mut db = services.db.acquire().await?;
        let step = store::retention::step(&mut db, rule, from, STEP).await?;
        found += i64::try_from(step.too_old.len()).unwrap_or(i64::MAX);
        if !dry_run && !step.too_old.is_empty() {
            removed += store::messages::delete(&mut db, &step.too_old).await?;
        }
        after = step.next;
    }
    Ok((found, removed))
}
