//! The background jobs of what operations made: what they remove, and by which settings.

use std::time::Duration;

use serde_json::json;

use crate::error::Result;
use crate::jobs::{Done, Job, Turn};
use crate::store;
use crate::store::retention::Rule;
use crate::types::{ExpiredMailboxes, Int, Timestamp};

use super::mailboxes::purge;
use super::{Ctx, Services, domain_check, retention};

/// How many rows one step removes.
const STEP: i64 = 1000;
/// How many mailboxes one step takes.
const MAILBOXES: i64 = 100;

/// The jobs that keep the installation tidy.
pub fn jobs(services: &Services) -> Vec<Job> {
    vec![
        job(services, "audit_log.trim", Duration::from_hours(1), trim_audit_log),
        job(services, "mailboxes.expire", Duration::from_mins(5), expire_mailboxes),
        job(services, "mailboxes.purge", Duration::from_hours(1), purge_trash),
        job(services, "messages.retention", Duration::from_hours(1), remove_old_messages),
        job(services, "stats.roll_up", Duration::from_mins(5), roll_up),
        job(services, "domains.check", Duration::from_mins(5), check_domains),
        job(services, "tls_reports.trim", Duration::from_hours(6), trim_tls_reports),
        job(services, "smtp_sessions.trim", Duration::from_hours(1), trim_smtp_sessions),
    ]
}

fn job<F>(services: &Services, name: &'static str, interval: Duration, work: fn(Services, Turn) -> F) -> Job
where
    F: Future<Output = Result<Done>> + Send + 'static,
{
    let services = services.clone();
    Job::new(name, interval, move |turn| work(services.clone(), turn))
}

/// Removes rows of the audit log that are older than the settings keep them.
async fn trim_audit_log(services: Services, turn: Turn) -> Result<Done> {
    let mut removed = 0;
    while let Some(days) = services.settings().await?.audit_log_days
        && !turn.is_over()
    {
        let gone = store::audit::delete_older(&mut *services.db.acquire().await?, days.get(), STEP).await?;
        removed += gone;
        if gone < STEP {
            break;
        }
    }
    Ok(json!({ "removed": removed }))
}

/// Puts mailboxes whose time is over into the trash, or removes them, as the settings say.
async fn expire_mailboxes(services: Services, turn: Turn) -> Result<Done> {
    let ctx = Ctx::job(services.clone(), "mailboxes.expire");
    let settings = services.settings().await?;
    let (mut trashed, mut purged) = (0, 0);
    while settings.expired_mailboxes != ExpiredMailboxes::Keep && !turn.is_over() {
        let hours = settings.expired_mailbox_grace_hours.get();
        let addresses = store::retention::expired_mailboxes(&mut *services.db.acquire().await?, hours, MAILBOXES).await?;
        if addresses.is_empty() {
            break;
        }
        for address in addresses {
            if settings.expired_mailboxes == ExpiredMailboxes::Purge {
                purge(&ctx, &address).await?;
                purged += 1;
                continue;
            }
            let mut tx = ctx.begin().await?;
            if store::mailboxes::trash(&mut tx, &address, "expiry").await? {
                ctx.audit(&mut tx, "mailbox.trash", address.as_str(), json!({ "because": "its time is over" })).await?;
                store::notify::changes(&mut tx).await?;
                trashed += 1;
            }
            tx.commit().await?;
        }
        services.forget().await;
    }
    Ok(json!({ "trashed": trashed, "purged": purged }))
}

/// Removes mailboxes that have been in the trash for as long as the settings keep them there.
async fn purge_trash(services: Services, turn: Turn) -> Result<Done> {
    let ctx = Ctx::job(services.clone(), "mailboxes.purge");
    let (mut mailboxes, mut messages) = (0, 0);
    while let Some(days) = services.settings().await?.trash_days
        && !turn.is_over()
    {
        let addresses = store::retention::trashed_mailboxes(&mut *services.db.acquire().await?, days.get(), MAILBOXES).await?;
        if addresses.is_empty() {
            break;
        }
        for address in addresses {
            messages += purge(&ctx, &address).await?.deleted_messages;
            mailboxes += 1;
        }
    }
    Ok(json!({ "mailboxes": mailboxes, "messages": messages }))
}

/// Removes messages that are older than mailbox, domain or installation keep them. Starred ones are spared.
async fn remove_old_messages(services: Services, turn: Turn) -> Result<Done> {
    let default_days = services.settings().await?.retention_days.map(Int::get);
    let rule = Rule { default_days, ..Rule::default() };
    let (_, removed) = retention::sweep(&services, &rule, false, || turn.is_over()).await?;
    if removed > 0 {
        let ctx = Ctx::job(services.clone(), "messages.retention");
        let mut db = services.db.acquire().await?;
        ctx.audit(&mut db, "message.retention", "all", json!({ "removed": removed, "default_days": default_days })).await?;
    }
    Ok(json!({ "removed": removed }))
}

/// Counts what came in, for the figures over time.
async fn roll_up(services: Services, _: Turn) -> Result<Done> {
    // Two hours back: a server that was down at the turn of the hour still counts it.
    let hours = store::figures::roll_up(&mut *services.db.acquire().await?, 2).await?;
    Ok(json!({ "hours": hours }))
}
/// Looks at the DNS of domains that were not looked at for a while.
async fn check_domains(services: Services, turn: Turn) -> Result<Done> {
    let checked = Box::pin(domain_check::check_due(&services, || turn.is_over())).await?;
    Ok(json!({ "checked": checked }))
}

/// Removes reports of encryption that are older than a year.
async fn trim_tls_reports(services: Services, _: Turn) -> Result<Done> {
    let removed = store::tls_reports::delete_old(&mut *services.db.acquire().await?, STEP).await?;
    Ok(json!({ "removed": removed }))
}

/// Removes SMTP sessions that are older than the settings keep them, and bans that are over.
async fn trim_smtp_sessions(services: Services, turn: Turn) -> Result<Done> {
    let mut removed = 0;
    while let Some(days) = services.settings().await?.smtp_session_days
        && !turn.is_over()
    {
        let before = Timestamp(Timestamp::now().0 - chrono::TimeDelta::days(days.get()));
        let gone = store::smtp_sessions::delete_before(&mut *services.db.acquire().await?, before, STEP).await?;
        removed += gone;
        if gone < STEP.unsigned_abs() {
            break;
        }
    }
    let bans = store::smtp_bans::delete_expired(&mut *services.db.acquire().await?).await?;
    Ok(json!({ "removed": removed, "bans": bans }))
}
