//! Who receives. The answer is kept for a moment, since a busy sender asks the same for each of its messages.
//!
//! The order in which names are looked at is written once, in [`decide`]; `docs/recipients.md` has it as a table.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use sqlx::PgPool;

use crate::error::{Error, Result};
use crate::store;
use crate::store::recipients::{Known, Question};
use crate::types::{Address, DomainName};

use super::delivery::{Recipient, Refusal, Target};
use super::explain::Step;

/// How long an address that may receive is believed to, unless news of a change comes before. A refusal is never kept: a
/// mailbox receives as soon as it is made. Nor is a mailbox that expires within this time.
const BELIEVED_FOR: Duration = Duration::from_secs(store::recipients::STEADY_SECONDS);

#[derive(Debug)]
pub(super) struct Recipients {
    pool: PgPool,
    known: Cache<Address, (Arc<str>, Target)>,
    /// How often all was forgotten.
    changes: AtomicU64,
}

/// What becomes of mail for an address, and at which step that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) target: Result<Target, Refusal>,
    pub(super) step: Step,
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
        if let Some((domain, target)) = self.known.get(address).await {
            return Ok(Ok(Recipient { address: address.clone(), domain, target }));
        }
        let changes = self.changes.load(Ordering::Acquire);
        let Some(known) = self.look_up(address).await? else { return Ok(Err(Refusal::ForeignDomain)) };
        let target = match decide(&known, address)?.target {
            Ok(target) => target,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let domain: Arc<str> = known.domain.into();
        // What was found may be from before a change that was told of meanwhile.
        if known.is_steady && changes == self.changes.load(Ordering::Acquire) {
            self.known.insert(address.clone(), (Arc::clone(&domain), target.clone())).await;
        }
        Ok(Ok(Recipient { address: address.clone(), domain, target }))
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

    /// All that the decision needs, in one look-up.
    pub(super) async fn look_up(&self, address: &Address) -> Result<Option<Known>> {
        let above = above(address.domain_str());
        let asked = Question { domain: address.domain_str(), above: &above, local: address.local_part(), base: base_of(address) };
        let mut db = self.pool.acquire().await?;
        Ok(store::recipients::find(&mut db, &asked).await?)
    }
}

/// The domains above a domain, nearest first, without the top.
pub(super) fn above(domain: &str) -> Vec<String> {
    let tails = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
    tails.filter(|name| name.contains('.')).map(str::to_owned).collect()
}

/// The local part without its detail (RFC 5233): `a` of `a+b@example.org`.
pub(super) fn base_of(address: &Address) -> &str {
    let local = address.local_part();
    match local.split_once('+') {
        Some((base, _)) if !base.is_empty() && !base.starts_with('"') => base,
        _ => local,
    }
}

/// Whether a local part is one that every domain answers (RFC 5321 section 4.5.1, RFC 2142 section 4).
pub(super) fn is_never_refused(base: &str) -> bool {
    matches!(base, "postmaster" | "abuse")
}

/// Whose mail an address is: a mailbox, else an alias, of the address itself, else of its base address; else postmaster's and
/// abuse's; else by the domain's rule for unknown addresses.
pub(super) fn decide(known: &Known, address: &Address) -> Result<Decision> {
    let base = base_of(address);
    let is_exact = known.is_exact.unwrap_or_default();
    let decided = |target, step| Ok(Decision { target, step });
    if let Some(kind) = &known.kind {
        let step = match (kind.as_str(), is_exact) {
            ("alias", true) => Step::Alias,
            ("alias", false) => Step::BaseAlias,
            (_, true) => Step::Mailbox,
            (_, false) => Step::BaseMailbox,
        };
        let open = known.mailbox_ids.as_deref().unwrap_or_default();
        if !open.is_empty() {
            return decided(Ok(Target::Mailboxes(open.into())), step);
        }
        if !is_never_refused(base) {
            return decided(Err(Refusal::Inactive), step);
        }
    }
    let one = |id| Ok(Target::Mailboxes([id].into()));
    let collect = || -> Result<Result<Target, Refusal>> {
        if let Some(id) = known.collected_id {
            return Ok(one(id));
        }
        let address = format!("{base}@{}", known.domain).parse();
        let address =
            address.map_err(|cause| Error::Internal(anyhow::Error::new(cause).context("naming a mailbox to collect in")))?;
        Ok(Ok(Target::Collect(address)))
    };
    let unknown = known.unknown_mailbox_id.filter(|_| known.unknown_policy == "deliver");
    if is_never_refused(base) {
        return match (known.postmaster_mailbox_id, unknown) {
            (Some(id), _) => decided(one(id), Step::Postmaster),
            (None, Some(id)) => decided(one(id), Step::Unknown),
            (None, None) => decided(collect()?, Step::Postmaster),
        };
    }
    match (known.unknown_policy.as_str(), unknown) {
        (_, Some(id)) => decided(one(id), Step::Unknown),
        ("collect", _) => decided(collect()?, Step::Unknown),
        _ => decided(Err(Refusal::UnknownMailbox), Step::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use crate::types::MailboxId;

    use super::*;

    fn known(kind: Option<&str>, is_exact: bool, open: &[MailboxId], policy: &str) -> Known {
        Known {
            domain: "example.org".into(),
            unknown_policy: policy.into(),
            unknown_mailbox_id: None,
            postmaster_mailbox_id: None,
            kind: kind.map(str::to_owned),
            is_exact: kind.map(|_| is_exact),
            mailbox_ids: kind.map(|_| open.to_vec()),
            collected_id: None,
            is_steady: true,
        }
    }

    #[test]
    fn the_domains_above_are_found_without_the_top() {
        for (domain, expected) in [
            ("a.b.example.org", vec!["b.example.org", "example.org"]),
            ("example.org", vec![]),
            ("x.example.org", vec!["example.org"]),
        ] {
            assert_eq!(above(domain), expected, "{domain}");
        }
    }

    #[test]
    fn each_step_decides_in_its_turn() {
        let id = MailboxId::generate();
        let to = |id| Ok(Target::Mailboxes([id].into()));
        let collect = |address: &str| Ok(Target::Collect(address.parse().expect("address")));
        let cases = [
            ("a@example.org", known(Some("mailbox"), true, &[id], "reject"), to(id), Step::Mailbox),
            ("a@example.org", known(Some("alias"), true, &[id], "reject"), to(id), Step::Alias),
            ("a+x@example.org", known(Some("mailbox"), false, &[id], "reject"), to(id), Step::BaseMailbox),
            ("a+x@example.org", known(Some("alias"), false, &[id], "reject"), to(id), Step::BaseAlias),
            ("a@example.org", known(Some("mailbox"), true, &[], "collect"), Err(Refusal::Inactive), Step::Mailbox),
            ("a@example.org", known(None, false, &[], "reject"), Err(Refusal::UnknownMailbox), Step::Unknown),
            ("a@example.org", known(None, false, &[], "deliver"), Err(Refusal::UnknownMailbox), Step::Unknown),
            ("a+x@sub.example.org", known(None, false, &[], "collect"), collect("a@example.org"), Step::Unknown),
            ("postmaster@example.org", known(None, false, &[], "reject"), collect("postmaster@example.org"), Step::Postmaster),
            ("abuse+x@example.org", known(None, false, &[], "reject"), collect("abuse@example.org"), Step::Postmaster),
            // Switched off, and yet not refused.
            (
                "postmaster@example.org",
                known(Some("mailbox"), true, &[], "reject"),
                collect("postmaster@example.org"),
                Step::Postmaster,
            ),
            (
                "abuse@example.org",
                Known { postmaster_mailbox_id: Some(id), ..known(None, false, &[], "reject") },
                to(id),
                Step::Postmaster,
            ),
            (
                "abuse@example.org",
                Known { unknown_mailbox_id: Some(id), ..known(None, false, &[], "deliver") },
                to(id),
                Step::Unknown,
            ),
            ("b@example.org", Known { collected_id: Some(id), ..known(None, false, &[], "collect") }, to(id), Step::Unknown),
            (
                "b@example.org",
                Known { collected_id: Some(id), ..known(None, false, &[], "reject") },
                Err(Refusal::UnknownMailbox),
                Step::Unknown,
            ),
        ];
        for (address, known, target, step) in cases {
            let decision = decide(&known, &address.parse().expect("address")).expect("decided");
            assert_eq!(decision, Decision { target, step }, "{address} {known:?}");
        }
    }
}
