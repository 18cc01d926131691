//! What the reading pane says about the sender of a message.

use crate::types::Outcome;
use crate::types::SenderTrust;
use crate::types::Verdicts;

/// The verdicts, ready to be shown.
#[derive(Debug)]
pub(in crate::web) struct SenderCard {
    /// The verdict in one word.
    pub trust: SenderTrust,
    /// Whether anything was checked.
    pub checked: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// Each check.
    pub checks: Vec<Check>,
    /// The message brought results along that claim to be ours.
    pub forged: bool,
}

/// One check.
#[derive(Debug)]
pub(in crate::web) struct Check {
    /// Its name, the same in every language.
    pub method: &'static str,
    pub outcome: Outcome,
    /// What was checked: a domain, an address.
    pub subject: String,
    /// Why it did not pass.
    pub reason: String,
}

impl Check {
    fn new(method: &'static str, outcome: Outcome, subject: &str, reason: Option<&str>) -> Self {
        Self { method, outcome, subject: subject.to_owned(), reason: reason.unwrap_or_default().to_owned() }
    }
}

impl SenderCard {
    pub(in crate::web) fn new(verdicts: Verdicts) -> Self {
        let checks = if verdicts.checked { checks(&verdicts) } else { Vec::new() };
        let Verdicts { checked, sender_trust, reason, forged_results, .. } = verdicts;
        Self { trust: sender_trust, checked, reason, checks, forged: forged_results > 0 }
    }
}

fn checks(v: &Verdicts) -> Vec<Check> {
    let from = v.from_domain.as_deref().unwrap_or_default();
    let mut checks = vec![
        Check::new("DMARC", v.dmarc.result, from, v.dmarc.reason.as_deref()),
        Check::new("SPF", v.spf.result, &v.spf.domain, v.spf.reason.as_deref()),
    ];
    if v.spf_helo.domain != v.spf.domain {
        checks.push(Check::new("SPF HELO", v.spf_helo.result, &v.spf_helo.domain, v.spf_helo.reason.as_deref()));
    }
    if v.dkim.is_empty() {
        checks.push(Check::new("DKIM", Outcome::None, "", None));
    }
    checks.extend(v.dkim.iter().map(|dkim| Check::new("DKIM", dkim.result, &dkim.domain, dkim.reason.as_deref())));
    if v.arc.instances > 0 {
        checks.push(Check::new("ARC", v.arc.result, v.arc.sealer.as_deref().unwrap_or_default(), v.arc.reason.as_deref()));
    }
    let address = v.iprev.address.map(|address| address.to_string()).unwrap_or_default();
    let names = if v.iprev.names.is_empty() { address } else { format!("{address} = {}", v.iprev.names.join(", ")) };
    checks.push(Check::new("rDNS", v.iprev.result, &names, v.iprev.reason.as_deref()));
    for listing in &v.dns_lists {
        checks.push(Check::new("DNSBL", Outcome::Fail, &listing.zone, listing.reason.as_deref()));
    }
    checks
}
