//! Why mail for an address lands where it does: each step that is looked at, and the one that decides.
//!
//! The decision itself is the one that RCPT hears; only what is told of the way there is looked up besides.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::store;
use crate::store::recipients::{Candidate, Known};
use crate::types::Address;

use super::delivery::{Refusal, Target};
use super::recipients::{Decision, Recipients, base_of, decide, is_never_refused};

/// What would become of mail for an address now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explanation {
    /// The address, in its stored form.
    pub address: String,
    /// The domain of ours that answers for it; null where there is none.
    pub domain: Option<String>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// The mailboxes that get it.
    pub mailboxes: Vec<String>,
    /// What a sender hears at RCPT where it is refused: `550 5.1.1`; else null.
    pub reply: Option<&'static str>,
    /// The step that decided.
    pub decided_by: Step,
    /// The steps in their order, up to the one that decided.
    pub steps: Vec<Look>,
}

/// What becomes of mail for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is put into the mailboxes.
    Delivered,
    /// It is kept for whoever makes a mailbox of the address.
    Collected,
    /// It is refused.
    Refused,
}

/// A step on the way to the decision, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Is the domain ours, or below one that takes its subdomains?
    Domain,
    /// A mailbox of the address itself.
    Mailbox,
    /// An alias of the address itself.
    Alias,
    /// A mailbox of the address without its `+detail`.
    BaseMailbox,
    /// An alias of the address without its `+detail`.
    BaseAlias,
    /// Postmaster and abuse, which are never refused.
    Postmaster,
    /// The domain's rule for unknown addresses.
    Unknown,
}

impl Step {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Mailbox => "mailbox",
            Self::Alias => "alias",
            Self::BaseMailbox => "base_mailbox",
            Self::BaseAlias => "base_alias",
            Self::Postmaster => "postmaster",
            Self::Unknown => "unknown",
        }
    }
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It is there and takes mail.
    Found,
    /// There is no such thing.
    Missing,
    /// It is there, but takes no mail: disabled, expired, in the trash, or an alias of only such mailboxes.
    Closed,
    /// The domain above takes its subdomains.
    Subdomain,
    /// The domain puts such mail into one mailbox.
    Delivers,
    /// Such mail is kept for whoever makes the mailbox.
    Collects,
    /// Such mail is refused.
    Refuses,
}

impl Finding {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Closed => "closed",
            Self::Subdomain => "subdomain",
            Self::Delivers => "delivers",
            Self::Collects => "collects",
            Self::Refuses => "refuses",
        }
    }
}

/// A step that was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Look {
    /// The step.
    pub step: Step,
    /// What was looked for: a domain or an address.
    pub looked_for: String,
    /// What was found.
    pub finding: Finding,
    /// The same for people, in a sentence.
    pub text: String,
    /// Whether this decided.
    pub decided: bool,
}

pub(super) async fn explain(recipients: &Recipients, address: &Address) -> Result<Explanation> {
    let Some(known) = recipients.look_up(address).await? else { return Ok(foreign(address)) };
    let decision = decide(&known, address)?;
    let full = format!("{}@{}", address.local_part(), known.domain);
    let base = format!("{}@{}", base_of(address), known.domain);
    let mut db = recipients.pool().acquire().await?;
    let candidates = store::recipients::candidates(&mut db, &[full.clone(), base.clone()]).await?;
    let mailboxes = match &decision.target {
        Ok(Target::Mailboxes(ids)) => store::recipients::addresses(&mut db, ids).await?,
        Ok(Target::Collect(address)) => vec![address.to_string()],
        Err(_) => Vec::new(),
    };
    let steps = steps(&known, &decision, address, (&full, &base), &candidates, &mailboxes);
    Ok(Explanation {
        address: address.to_string(),
        domain: Some(known.domain.clone()),
        outcome: outcome(&known, &decision),
        reply: decision.target.as_ref().err().map(|refusal| reply(*refusal)),
        decided_by: decision.step,
        mailboxes,
        steps,
    })
}

fn outcome(known: &Known, decision: &Decision) -> Outcome {
    match &decision.target {
        Err(_) => Outcome::Refused,
        Ok(Target::Collect(_)) => Outcome::Collected,
        Ok(Target::Mailboxes(ids)) if known.collected_id.is_some_and(|id| ids.as_ref() == [id]) => Outcome::Collected,
        Ok(Target::Mailboxes(_)) => Outcome::Delivered,
    }
}

fn reply(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::ForeignDomain => "550 5.7.1",
        Refusal::UnknownMailbox => "550 5.1.1",
        Refusal::Inactive => "550 5.2.1",
    }
}

fn foreign(address: &Address) -> Explanation {
    let domain = address.domain_str().to_owned();
    let text = format!("{domain} is not a domain of this server, nor below one that takes its subdomains.");
    Explanation {
        address: address.to_string(),
        domain: None,
        outcome: Outcome::Refused,
        mailboxes: Vec::new(),
        reply: Some(reply(Refusal::ForeignDomain)),
        decided_by: Step::Domain,
        steps: vec![Look { step: Step::Domain, looked_for: domain, finding: Finding::Missing, text, decided: true }],
    }
}

fn steps(
    known: &Known,
    decision: &Decision,
    address: &Address,
    (full, base): (&str, &str),
    candidates: &[Candidate],
    mailboxes: &[String],
) -> Vec<Look> {
    let mut steps = vec![domain_step(known, address)];
    let names = [
        (Step::Mailbox, "mailbox", full),
        (Step::Alias, "alias", full),
        (Step::BaseMailbox, "mailbox", base),
        (Step::BaseAlias, "alias", base),
    ];
    for (step, kind, name) in names {
        if step > decision.step || (step >= Step::BaseMailbox && full == base) {
            continue;
        }
        // What only collects is nobody's yet.
        let found = candidates.iter().find(|c| c.kind == kind && c.address == name && c.state != "collected");
        steps.push(name_step(step, kind, name, found));
    }
    if decision.step >= Step::Postmaster && is_never_refused(base_of(address)) {
        steps.push(postmaster_step(known, decision, base, mailboxes));
    }
    if decision.step == Step::Unknown {
        steps.push(unknown_step(known, decision, mailboxes));
    }
    for look in &mut steps {
        look.decided = look.step == decision.step;
    }
    steps
}

fn domain_step(known: &Known, address: &Address) -> Look {
    let asked = address.domain_str();
    let (finding, text) = if known.domain == asked {
        (Finding::Found, format!("{asked} is a domain of this server."))
    } else {
        (Finding::Subdomain, format!("{asked} is below {}, which takes its subdomains.", known.domain))
    };
    Look { step: Step::Domain, looked_for: asked.to_owned(), finding, text, decided: false }
}

fn name_step(step: Step, kind: &str, name: &str, found: Option<&Candidate>) -> Look {
    let (finding, text) = match found {
        None => (Finding::Missing, format!("There is no {kind} {name}.")),
        Some(found) if found.mailboxes.is_empty() && kind == "alias" => {
            (Finding::Closed, format!("There is an alias {name}, but none of its mailboxes takes mail."))
        }
        Some(found) if found.mailboxes.is_empty() => {
            (Finding::Closed, format!("There is a mailbox {name}, but it is {}.", found.state))
        }
        Some(found) if kind == "alias" => {
            (Finding::Found, format!("There is an alias {name}, which delivers to {}.", found.mailboxes.join(", ")))
        }
        Some(_) => (Finding::Found, format!("There is a mailbox {name}, and it takes mail.")),
    };
    Look { step, looked_for: name.to_owned(), finding, text, decided: false }
}

fn postmaster_step(known: &Known, decision: &Decision, base: &str, mailboxes: &[String]) -> Look {
    let (finding, text) = match (known.postmaster_mailbox_id, decision.step) {
        (Some(_), _) => {
            (Finding::Delivers, format!("Mail for {base} is never refused; the domain puts it into {}.", mailboxes.join(", ")))
        }
        (None, Step::Postmaster) => {
            (Finding::Collects, format!("Mail for {base} is never refused; it is kept for whoever makes the mailbox."))
        }
        (None, _) => (Finding::Missing, format!("Mail for {base} is never refused, and the domain names no mailbox for it.")),
    };
    Look { step: Step::Postmaster, looked_for: base.to_owned(), finding, text, decided: false }
}

fn unknown_step(known: &Known, decision: &Decision, mailboxes: &[String]) -> Look {
    let domain = &known.domain;
    let (finding, text) = match (known.unknown_policy.as_str(), &decision.target) {
        ("deliver", Ok(_)) => {
            (Finding::Delivers, format!("{domain} puts mail for unknown addresses into {}.", mailboxes.join(", ")))
        }
        ("deliver", Err(_)) => (
            Finding::Closed,
            format!("{domain} puts mail for unknown addresses into a mailbox that takes no mail now, so they are refused."),
        ),
        (_, Ok(_)) => (Finding::Collects, format!("{domain} keeps mail for unknown addresses until somebody makes the mailbox.")),
        (_, Err(_)) => (Finding::Refuses, format!("{domain} refuses mail for unknown addresses.")),
    };
    Look { step: Step::Unknown, looked_for: domain.clone(), finding, text, decided: false }
}
