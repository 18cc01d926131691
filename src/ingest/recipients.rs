//! Who receives. The answer is kept for a moment, since a busy sender asks the same for each of its messages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use sqlx::PgPool;

use crate::error::Result;
use crate::store;
use crate::types::{Address, DomainName};

use super::delivery::{Recipient, Refusal, Target};

/// How long an address that may receive is believed to, unless news of a change comes before. A refusal is never kept: a
/// mailbox receives as soon as it is made. Nor is a mailbox that expires within this time.
const BELIEVED_FOR: Duration = Duration::from_secs(store::recipients::STEADY_SECONDS);

#[derive(Debug)]
pub(super) struct Recipients {
    pool: PgPool,
    known: Cache<Address, Target>,
    /// How often all was forgotten.
    changes: AtomicU64,
}

impl Recipients {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, known: Cache::builder().max_capacity(10_000).time_to_live(BELIEVED_FOR).build(), changes: AtomicU64::new(0) }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
    }

    pub(super) async fn resolve(&self, address: &Address) -> Result<Result<Recipient, Refusal>> {
        if let Some(target) = self.known.get(address).await {
            return Ok(Ok(Recipient { address: address.clone(), target }));
        }
        let changes = self.changes.load(Ordering::Acquire);
        let (target, is_steady) = match self.look_up(address).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // What was found may be from before a change that was told of meanwhile.
        if is_steady && changes == self.changes.load(Ordering::Acquire) {
            self.known.insert(address.clone(), target.clone()).await;
        }
        Ok(Ok(Recipient { address: address.clone(), target }))
    }

    pub(super) async fn resolve_postmaster(&self) -> Result<Result<Recipient, Refusal>> {
        let mut db = self.pool.acquire().await?;
        let domain = store::recipients::default_domain(&mut db).await?;
        drop(db);
        let Some(domain) = domain.and_then(|name| name.parse::<DomainName>().ok()) else {
            return Ok(Err(Refusal::UnknownMailbox));
        };
        match Address::new("postmaster", &domain) {
            Ok(address) => self.resolve(&address).await,
            Err(_) => Ok(Err(Refusal::UnknownMailbox)),
        }
    }

    /// The target, and whether it stays so for a while. Exact address, then base address, then the domain's rule; postmaster always (RFC 5321 section 4.5.1).
    async fn look_up(&self, address: &Address) -> Result<Result<(Target, bool), Refusal>> {
        let base = address.split_detail().map(|(base, _)| base);
        let base = base.as_ref().unwrap_or(address);
        let mut db = self.pool.acquire().await?;
        let known = store::recipients::find(&mut db, address.domain_str(), address.as_str(), base.as_str()).await?;
        let Some(known) = known else { return Ok(Err(Refusal::ForeignDomain)) };
        Ok(match (known.mailbox_id, known.takes_mail, known.unknown_policy.as_str(), known.unknown_mailbox_id) {
            (Some(id), Some(true), _, _) | (None, _, "deliver", Some(id)) => Ok((Target::Mailbox(id), known.is_steady)),
            (Some(_), _, _, _) => Err(Refusal::Inactive),
            (None, _, "collect", _) => Ok((Target::Collect, true)),
            (None, _, _, _) if address.local_part() == "postmaster" => Ok((Target::Collect, true)),
            (None, _, _, _) => Err(Refusal::UnknownMailbox),
        })
    }
}
