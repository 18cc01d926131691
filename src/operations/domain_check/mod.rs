//! A domain's DNS: exactly what receiving needs, what was found, and what to do.

mod ask;
mod judge;
mod records;

use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::error::Result;
use crate::store;
use crate::types::{CheckState, DomainCheck, DomainName, MtaSts, RecordCheck, Scope, Timestamp, Verdict};

use super::domains::found;
use super::{Ctx, Effect, Method, Operation, Services, Spec};

use ask::Asker;
use records::Wanted;

/// Looks at a domain's DNS: each record that receiving needs or can use, what it should hold beside what it holds, and what to do.
/// The domain's own name servers are asked, so that a change is seen at once, and whether all of them have it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CheckDomain {
    /// The domain's name.
    pub name: DomainName,
    /// `true` gives the last check, where there was one, without asking anew.
    #[serde(default)]
    pub last: bool,
}

impl Operation for CheckDomain {
    type Output = DomainCheck;
    const SPEC: Spec = Spec {
        name: "check_domain",
        title: "Check a domain's DNS",
        rest: (Method::Get, "/domains/{name}/check"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    const OPEN_WORLD: bool = true;

    fn time_limit(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn run(self, ctx: &Ctx) -> Result<DomainCheck> {
        if self.last {
            let mut db = ctx.services.db.acquire().await?;
            found(&mut db, &self.name).await?;
            if let Some(check) = store::domain_checks::find(&mut db, &self.name).await? {
                return Ok(check);
            }
        }
        Box::pin(check(&ctx.services, &self.name)).await
    }
}

/// Looks at a domain, keeps what was found, and writes an event where it is judged otherwise than before.
pub(super) async fn check(services: &Services, name: &DomainName) -> Result<DomainCheck> {
    let domain = found(&mut *services.db.acquire().await?, name).await?;
    let config = &services.config;
    let wanted = Wanted {
        host: config.hostname.clone(),
        addresses: config.names.public_addresses.clone(),
        tlsa: services.certificate.as_ref().and_then(|certificate| certificate.tlsa()),
        reports: super::tls_reports::places(config, name),
        domain,
    };
    let asker = Asker::new(config)?;
    let records = Box::pin(all(&wanted, &asker)).await;
    let check = DomainCheck {
        domain: name.clone(),
        host: wanted.host.clone(),
        checked_at: Timestamp::now(),
        state: CheckState::of(&records),
        zone_file: zone_file(&wanted, &records),
        records,
    };
    keep(services, &check).await?;
    Ok(check)
}

async fn all(wanted: &Wanted, asker: &Asker) -> Vec<RecordCheck> {
    use futures_util::future::join;
    let needed = join(wanted.mx_record(asker), wanted.subdomains_record(asker));
    let addresses = join_all([wanted.address_record(asker, false), wanted.address_record(asker, true)]);
    let policy = join(wanted.mta_sts_record(asker), wanted.mta_sts_host_record(asker));
    let rest = join(join(wanted.tls_rpt_record(asker), wanted.tlsa_record(asker)), wanted.spf_record(asker));
    let ((mx, subdomains), addresses, (mta_sts, mta_sts_host), ((tls_rpt, tlsa), spf)) =
        Box::pin(futures_util::future::join4(needed, addresses, policy, rest)).await;
    let mut records = vec![mx];
    records.extend(subdomains);
    records.extend(addresses);
    one_family_is_enough(&mut records);
    records.push(mta_sts);
    records.extend(mta_sts_host);
    records.extend([tls_rpt, tlsa, spf]);
    records
}

/// A host that has addresses of the other family needs none of this one, unless the settings name some.
fn one_family_is_enough(records: &mut [RecordCheck]) {
    let is_right = |id: &str| records.iter().any(|record| record.id == id && record.verdict == Verdict::Right);
    let (v4, v6) = (is_right("address"), is_right("ipv6"));
    for record in records.iter_mut() {
        let other_is_right = match record.id.as_str() {
            "address" => v6,
            "ipv6" => v4,
            _ => false,
        };
        if other_is_right && record.wanted.is_empty() && record.verdict == Verdict::Missing {
            record.verdict = Verdict::NotNeeded;
            record.is_needed = false;
        }
    }
}

/// The records that are wanted, as lines of a zone file; optional ones as comments.
fn zone_file(wanted: &Wanted, records: &[RecordCheck]) -> String {
    let mut lines = vec![format!("; {}: what receiving at {} needs", wanted.domain.name, wanted.host)];
    for record in records {
        let mark = if record.is_needed || record.id == "ipv6" { "" } else { "; optional: " };
        let values: Vec<String> = match (record.id.as_str(), record.wanted.is_empty()) {
            ("mta_sts", true) if wanted.domain.mta_sts == MtaSts::None => continue,
            ("address", true) if record.found.is_empty() => vec!["<the address of this server>".to_owned()],
            (_, true) => continue,
            (_, false) => record.wanted.clone(),
        };
        for value in values {
            let value = if record.kind == "TXT" { format!("\"{value}\"") } else { value };
            lines.push(format!("{mark}{}. 3600 IN {} {value}", record.name, record.kind));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

async fn keep(services: &Services, check: &DomainCheck) -> Result<()> {
    let mut tx = services.db.begin().await?;
    let before = store::domain_checks::find(&mut tx, &check.domain).await?;
    let changed = before.as_ref().is_none_or(|before| check.differs_from(before));
    store::domain_checks::keep(&mut tx, check, changed).await?;
    // The first look changes nothing.
    if let (Some(before), true) = (before, changed) {
        let payload = json!({
            "what": "dns",
            "state": check.state,
            "state_before": before.state,
            "records": check.records.iter().map(|r| json!({ "id": r.id, "verdict": r.verdict })).collect::<Vec<_>>(),
        });
        store::events::domain(&mut tx, "domain.changed", &check.domain, &payload).await?;
        tracing::info!(domain = %check.domain, state = check.state.as_str(), "the DNS of a domain is found otherwise than before");
    }
    tx.commit().await?;
    Ok(())
}

/// How old a check may be before it is made anew.
const CHECK_EVERY: Duration = Duration::from_mins(30);
/// The most domains of one round.
const MOST_AT_ONCE: i64 = 50;

/// Checks the domains that were not looked at for a while; answers with how many. Each is kept as it is found.
pub async fn check_due(services: &Services, is_over: impl Fn() -> bool) -> Result<usize> {
    let names = store::domain_checks::due(&mut *services.db.acquire().await?, CHECK_EVERY.as_secs_f64(), MOST_AT_ONCE).await?;
    let mut checked = 0;
    for name in names.iter().filter_map(|name| name.parse::<DomainName>().ok()) {
        if is_over() {
            break;
        }
        match Box::pin(check(services, &name)).await {
            Ok(_) => checked += 1,
            Err(error) => tracing::warn!(domain = %name, %error, "the DNS of a domain could not be looked at"),
        }
    }
    Ok(checked)
}
