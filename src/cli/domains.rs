//! `pillarbox domain`.

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::ingest::{Explanation, Outcome};
use crate::operations::Ctx;
use crate::operations::domain_check::CheckDomain;
use crate::operations::domains::{CreateDomain, ListDomains, UpdateDomain};
use crate::operations::recipients::ExplainRecipient;
use crate::types::{
    Address, AuthPolicy, CheckState, DomainCheck, DomainName, Int, MtaSts, Postmaster, UnknownRecipients, Verdict,
};

use super::commands::all;
use super::table::{print_json, print_line, print_rows};

#[derive(Debug, Subcommand)]
pub(super) enum Domain {
    /// Add a domain
    Add {
        /// The domain's name
        name: DomainName,
        /// Make it the domain of addresses that are given without one
        #[arg(long)]
        default: bool,
        /// What happens to mail for unknown addresses: reject, collect, or the mailbox that gets them
        #[arg(long, default_value_t = UnknownRecipients::Reject)]
        unknown: UnknownRecipients,
        /// Take mail for all subdomains too, as mail for the same address of this domain
        #[arg(long)]
        subdomains: bool,
        /// What happens to mail that its author's domain disowns: accept, quarantine or reject
        #[arg(long, default_value = "accept")]
        auth: AuthPolicy,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a domain; what is not given stays as it is
    Set {
        /// The domain's name
        name: DomainName,
        /// Make it the domain of addresses that are given without one
        #[arg(long)]
        default: bool,
        /// What happens to mail for unknown addresses: reject, collect, or the mailbox that gets them
        #[arg(long)]
        unknown: Option<UnknownRecipients>,
        /// Whether it takes mail for all subdomains too
        #[arg(long, value_name = "true|false")]
        subdomains: Option<bool>,
        /// Where mail for postmaster and abuse lands: collect, or the mailbox that gets it
        #[arg(long)]
        postmaster: Option<Postmaster>,
        /// What senders are told about encryption on the way here (MTA-STS): none, testing or enforce
        #[arg(long)]
        mta_sts: Option<MtaSts>,
        /// What happens to mail that its author's domain disowns: accept, quarantine or reject
        #[arg(long)]
        auth: Option<AuthPolicy>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at a domain's DNS: what is wanted, what is found, and what to do; fails where mail does not come here
    Check {
        /// The domain's name
        name: DomainName,
        /// Print the records that are wanted, as lines of a zone file
        #[arg(long, conflicts_with = "json")]
        zone_file: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the domains
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say where mail for an address lands, and why
    Explain {
        /// The address, as a sender would write it
        address: Address,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(ctx: &Ctx, command: Domain) -> Result<()> {
    match command {
        Domain::Add { name, default, unknown, subdomains, auth, json } => {
            let new = CreateDomain {
                is_default: default,
                unknown,
                takes_subdomains: subdomains,
                auth_policy: auth,
                ..CreateDomain::plain(name)
            };
            let made = ctx.call(new).await?;
            if json { print_json(&made) } else { print_line(made.name) }
        }
        Domain::Set { name, default, unknown, subdomains, postmaster, mta_sts, auth, json } => {
            let is_default = default.then_some(true);
            let change = UpdateDomain {
                is_default,
                unknown,
                takes_subdomains: subdomains,
                postmaster,
                mta_sts,
                auth_policy: auth,
                ..UpdateDomain::nothing(name)
            };
            let changed = ctx.call(change).await?;
            if json { print_json(&changed) } else { print_line(changed.name) }
        }
        Domain::Check { name, zone_file, json } => {
            let check = Box::pin(ctx.call(CheckDomain { name, last: false })).await?;
            if json {
                print_json(&check)?;
            } else if zone_file {
                print_line(check.zone_file.trim_end())?;
            } else {
                print_check(&check)?;
            }
            if check.state == CheckState::Broken {
                bail!("mail for {} does not come here", check.domain)
            }
            Ok(())
        }
        Domain::List { json } => list(ctx, json).await,
        Domain::Explain { address, json } => {
            let explanation = Box::pin(ctx.call(ExplainRecipient { address })).await?;
            if json { print_json(&explanation) } else { print_explanation(&explanation) }
        }
    }
}

async fn list(ctx: &Ctx, json: bool) -> Result<()> {
    let rows = all(|cursor| ctx.call(ListDomains { limit: Int::new(200), cursor, ..Default::default() })).await?;
    if json {
        return print_json(&rows);
    }
    print_rows(rows.iter().map(|domain| {
        let mark = if domain.is_default { "default" } else { "" };
        let forged = match domain.auth_policy {
            AuthPolicy::Accept => String::new(),
            policy => format!("forged senders: {}", policy.as_str()),
        };
        let subdomains = if domain.takes_subdomains { "with subdomains" } else { "" };
        vec![
            domain.name.to_string(),
            domain.unknown.to_string(),
            format!("{} mailboxes", domain.mailbox_count),
            subdomains.to_owned(),
            forged,
            mark.to_owned(),
        ]
    }))
}

fn print_explanation(explanation: &Explanation) -> Result<()> {
    for look in &explanation.steps {
        let mark = if look.decided { "=>" } else { "  " };
        print_line(format_args!("{mark} {:12}  {}", look.step.as_str(), look.text))?;
    }
    let mailboxes = explanation.mailboxes.join(", ");
    match explanation.outcome {
        Outcome::Delivered => print_line(format_args!("Mail for {} lands in {mailboxes}.", explanation.address)),
        Outcome::Collected => print_line(format_args!("Mail for {} is collected under {mailboxes}.", explanation.address)),
        Outcome::Refused => {
            let reply = explanation.reply.unwrap_or_default();
            print_line(format_args!("Mail for {} is refused with {reply}.", explanation.address))
        }
    }
}

fn print_check(check: &DomainCheck) -> Result<()> {
    for record in &check.records {
        let mark = match record.verdict {
            Verdict::Right => "right",
            Verdict::Wrong => "WRONG",
            Verdict::Missing => "MISSING",
            Verdict::NotEverywhere => "not everywhere yet",
            Verdict::NotNeeded => "not needed",
            Verdict::Unanswered => "no answer",
        };
        print_line(format_args!("{mark}: {} {}", record.name, record.kind))?;
        print_line(format_args!("    {}", record.reason))?;
        for wanted in record.wanted.iter().filter(|wanted| !record.found.contains(wanted)) {
            print_line(format_args!("    wanted: {wanted}"))?;
        }
        for found in &record.found {
            print_line(format_args!("    found:  {found}"))?;
        }
        if !record.advice.is_empty() {
            print_line(format_args!("    -> {}", record.advice))?;
        }
    }
    print_line(format_args!("{}: {}", check.domain, check.state.as_str()))
}
