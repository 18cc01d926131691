//! Each record that receiving knows of: what it should hold, what that is for, and what to do where it does not.

use std::net::IpAddr;

use crate::types::{Domain, MtaSts, RecordCheck, Verdict};

use super::ask::{Asker, Kind, Seen};
use super::judge::{Fit, Judgement, judge};

/// What the records are compared with.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) domain: Domain,
    /// The name of this server.
    pub(super) host: String,
    /// The addresses at which the world reaches it; empty where the settings do not say.
    pub(super) addresses: Vec<IpAddr>,
    /// As in a zone file: what the present certificate asks for; `None` where it is not known.
    pub(super) tlsa: Option<String>,
    /// Where reports of senders are taken.
    pub(super) reports: Vec<String>,
}

/// Under this name below a domain nobody has anything: it is found only through a wildcard.
const ANY: &str = "pillarbox-check";

impl Wanted {
    /// What is wrong with the host's name itself.
    fn host_fault(&self) -> Option<String> {
        let host = &self.host;
        let is_name = host.contains('.') && host.rsplit('.').next() != Some("local") && host.parse::<IpAddr>().is_err();
        (!is_name).then(|| {
            format!("This server is called {host}, which is no name in DNS. Set PILLARBOX_HOSTNAME to the name that the MX record shall have.")
        })
    }

    fn mx(&self) -> String {
        format!("10 {}.", self.host)
    }

    /// An MX record fits where this server is among the most preferred.
    fn mx_fit(&self, records: &[String]) -> Fit {
        let entry = |record: &str| {
            let (preference, host) = record.split_once(' ')?;
            Some((preference.parse::<u16>().ok()?, host.trim_end_matches('.').to_owned()))
        };
        let entries: Vec<(u16, String)> = records.iter().filter_map(|record| entry(record)).collect();
        let best = entries.iter().map(|(preference, _)| *preference).min();
        match entries.iter().find(|(_, host)| *host == self.host) {
            Some((preference, _)) if Some(*preference) == best => Fit::Right,
            Some(_) => Fit::Wrong("Another server is preferred (a smaller number), so mail goes there first.".to_owned()),
            None if entries.iter().any(|(_, host)| host.is_empty()) => {
                Fit::Wrong("It says that the domain takes no mail at all (a null MX, RFC 7505).".to_owned())
            }
            None => Fit::Wrong("It names another server, so mail goes there.".to_owned()),
        }
    }

    pub(super) async fn mx_record(&self, asker: &Asker) -> RecordCheck {
        let name = self.domain.name.as_str();
        let judgement = judge(&asker.ask(name, Kind::Mx).await, |_| true, |records| self.mx_fit(records));
        let mut check = record("mx", name, "MX", true, vec![self.mx()], judgement);
        say(&mut check, "Says which server takes the domain's mail.", "Set the MX record as wanted, and remove others.");
        if check.verdict == Verdict::Missing {
            check.reason.push_str(" Without it senders try the addresses of the domain itself.");
        }
        if let Some(fault) = self.host_fault() {
            check.advice = fault;
        }
        check
    }

    pub(super) async fn subdomains_record(&self, asker: &Asker) -> Option<RecordCheck> {
        if !self.domain.takes_subdomains {
            return None;
        }
        let name = self.domain.name.as_str();
        let seen = asker.ask(&format!("{ANY}.{name}"), Kind::Mx).await;
        let judgement = judge(&seen, |_| true, |records| self.mx_fit(records));
        let mut check = record("subdomains", &format!("*.{name}"), "MX", true, vec![self.mx()], judgement);
        say(
            &mut check,
            "Says the same for every subdomain, whose mail this domain takes.",
            "Set a wildcard MX record as wanted, or let the domain not take its subdomains. A subdomain that has records of its own needs an MX record of its own.",
        );
        Some(check)
    }

    /// The host's addresses of one family.
    pub(super) async fn address_record(&self, asker: &Asker, v6: bool) -> RecordCheck {
        let (id, kind, asked) = if v6 { ("ipv6", "AAAA", Kind::V6) } else { ("address", "A", Kind::V4) };
        let ours: Vec<String> = self.addresses.iter().filter(|ip| ip.is_ipv6() == v6).map(ToString::to_string).collect();
        let seen = asker.ask(&self.host, asked).await;
        let fit = |records: &[String]| {
            let strange: Vec<&str> = records.iter().filter(|r| !ours.contains(r)).map(String::as_str).collect();
            let is_unreachable = |r: &&String| r.parse::<IpAddr>().is_ok_and(is_not_public);
            if !self.addresses.is_empty() && !strange.is_empty() {
                Fit::Wrong(format!("{} is not among the addresses of this server.", strange.join(", ")))
            } else if self.addresses.is_empty() && records.iter().all(|r| is_unreachable(&r)) {
                Fit::Wrong("The address is of a private network: the world cannot reach it.".to_owned())
            } else {
                Fit::Right
            }
        };
        let judgement = judge(&seen, |_| true, fit);
        // One family is enough. Of the two, IPv4 is the one that every sender has.
        let only_v6 = !self.addresses.is_empty() && self.addresses.iter().all(IpAddr::is_ipv6);
        let mut check = record(id, &self.host, kind, v6 == only_v6, ours, judgement);
        say(
            &mut check,
            "Says where the server is.",
            "Set the record to the addresses at which the world reaches this server (PILLARBOX_PUBLIC_ADDRESSES names them).",
        );
        if check.verdict == Verdict::Right && self.addresses.is_empty() {
            check.reason.push_str(" PILLARBOX_PUBLIC_ADDRESSES is not set, so whether it is this server's address is not known.");
        }
        if let Some(alias) = alias_of(&asker.ask(&self.host, Kind::Alias).await) {
            check.verdict = Verdict::Wrong;
            check.reason = format!(
                "{} is another name for {alias}; an MX record must not name such a host (RFC 2181 section 10.3).",
                self.host
            );
            "Give the host addresses of its own in place of the CNAME record.".clone_into(&mut check.advice);
        }
        if let Some(fault) = self.host_fault() {
            check.advice = fault;
        }
        check
    }

    pub(super) async fn mta_sts_record(&self, asker: &Asker) -> RecordCheck {
        let name = format!("_mta-sts.{}", self.domain.name);
        let mode = self.domain.mta_sts;
        let wanted: Vec<String> = mode.record(&self.host).into_iter().collect();
        let fit = |records: &[String]| match records {
            [only] if wanted.first().is_some_and(|wanted| trimmed(wanted) == trimmed(only)) => Fit::Right,
            [_] if mode == MtaSts::None => {
                Fit::Wrong("It announces a policy, but this domain serves none, so senders that knew one keep it.".to_owned())
            }
            [_] => Fit::Wrong("The id is not that of the present policy, so senders keep the one they have.".to_owned()),
            _ => Fit::Wrong("There are several, so senders heed none (RFC 8461 section 3.1).".to_owned()),
        };
        let seen = asker.ask(&name, Kind::Txt).await;
        let judgement = judge(&seen, |text| text.starts_with("v=STSv1"), fit);
        let mut check = record("mta_sts", &name, "TXT", mode != MtaSts::None, wanted.clone(), judgement);
        say(
            &mut check,
            "Tells senders that a policy asks for encryption on the way here (MTA-STS).",
            "Set the TXT record as wanted; its id changes with the policy.",
        );
        check
    }

    pub(super) async fn mta_sts_host_record(&self, asker: &Asker) -> Option<RecordCheck> {
        if self.domain.mta_sts == MtaSts::None {
            return None;
        }
        let name = MtaSts::policy_host(&self.domain.name);
        let (seen, host) =
            futures_util::future::join(asker.ask(&name, Kind::Addresses), asker.ask(&self.host, Kind::Addresses)).await;
        let ours: Vec<String> = host.into_iter().filter_map(|seen| seen.records.ok()).flatten().collect();
        let fit = |records: &[String]| {
            if records.iter().any(|record| ours.contains(record)) {
                Fit::Right
            } else {
                Fit::Wrong("It leads to another server; that one has to serve the policy.".to_owned())
            }
        };
        let judgement = judge(&seen, |_| true, fit);
        let mut check = record("mta_sts_host", &name, "CNAME", true, vec![format!("{}.", self.host)], judgement);
        say(
            &mut check,
            "Senders fetch the policy there, over HTTPS with a certificate of this name.",
            "Set the CNAME record as wanted, and let the certificate of the HTTPS listener have this name.",
        );
        Some(check)
    }

    pub(super) async fn tls_rpt_record(&self, asker: &Asker) -> RecordCheck {
        let name = format!("_smtp._tls.{}", self.domain.name);
        let wanted = format!("v=TLSRPTv1; rua={}", self.reports.join(","));
        let fit = |records: &[String]| match records {
            [only] if only.contains("rua=mailto:") || only.contains("rua=https:") => Fit::Right,
            [_] => Fit::Wrong("It names no place for reports (rua).".to_owned()),
            _ => Fit::Wrong("There are several, so senders heed none (RFC 8460 section 3).".to_owned()),
        };
        let judgement = judge(&asker.ask(&name, Kind::Txt).await, |text| text.starts_with("v=TLSRPTv1"), fit);
        let mut check = record("tls_rpt", &name, "TXT", false, vec![wanted], judgement);
        say(
            &mut check,
            "Asks senders to report how encryption on the way here goes (TLS-RPT).",
            "Set the TXT record as wanted to get daily reports.",
        );
        check
    }

    pub(super) async fn tlsa_record(&self, asker: &Asker) -> RecordCheck {
        let name = format!("_25._tcp.{}", self.host);
        let wanted: Vec<String> = self.tlsa.clone().into_iter().collect();
        let fit = |records: &[String]| {
            // Only the server's own key can be compared; what names an issuer is taken as it is.
            let own: Vec<&String> = records.iter().filter(|r| r.starts_with("3 1 1 ")).collect();
            if own.is_empty() || wanted.first().is_none_or(|wanted| own.iter().any(|r| r.eq_ignore_ascii_case(wanted))) {
                Fit::Right
            } else {
                Fit::Wrong("It is not the key of the present certificate: senders that heed it do not deliver.".to_owned())
            }
        };
        let judgement = judge(&asker.ask(&name, Kind::Tlsa).await, |_| true, fit);
        let mut check = record("tlsa", &name, "TLSA", false, wanted.clone(), judgement);
        say(
            &mut check,
            "Binds senders to the server's key (DANE). Only of use in a zone that is signed with DNSSEC.",
            "Set the record as wanted where the zone is signed, else remove it. With a key that changes at renewal, the record must change before.",
        );
        check
    }

    pub(super) async fn spf_record(&self, asker: &Asker) -> RecordCheck {
        let name = self.domain.name.as_str();
        let fit = |records: &[String]| match records {
            [only] if only.contains("all") || only.contains("redirect=") => Fit::Right,
            [_] => Fit::Wrong("It does not say what holds for all other servers, so it forbids nothing.".to_owned()),
            _ => Fit::Wrong("There are several, which counts as an error (RFC 7208 section 4.5).".to_owned()),
        };
        let judgement = judge(&asker.ask(name, Kind::Txt).await, is_spf, fit);
        let mut check = record("spf", name, "TXT", false, vec!["v=spf1 -all".to_owned()], judgement);
        say(
            &mut check,
            "Says who may send in the domain's name. This server sends nothing.",
            "Where the domain sends no mail at all, set the TXT record as wanted, so that nobody can in its name.",
        );
        check
    }
}

/// A record as it compares; a thing that is not needed and not there is not missing.
fn record(id: &str, name: &str, kind: &str, is_needed: bool, wanted: Vec<String>, judgement: Judgement) -> RecordCheck {
    let verdict = match judgement.verdict {
        Verdict::Missing | Verdict::Unanswered if !is_needed => Verdict::NotNeeded,
        verdict => verdict,
    };
    RecordCheck {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        is_needed,
        wanted,
        found: judgement.found,
        verdict,
        lagging: judgement.lagging,
        reason: judgement.reason.unwrap_or_default(),
        advice: String::new(),
    }
}

/// Completes the reason with what the record is for, and says what to do where something is to be done.
fn say(check: &mut RecordCheck, purpose: &str, advice: &str) {
    let verdict = match check.verdict {
        Verdict::Right => "It is as wanted.",
        Verdict::Wrong => "",
        Verdict::Missing => "It is missing.",
        Verdict::NotEverywhere => "Not all servers have it yet.",
        Verdict::NotNeeded => "Mail comes without it.",
        Verdict::Unanswered => "No server answered.",
    };
    let parts = [purpose, verdict, &check.reason];
    let reason: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    check.reason = reason.join(" ");
    check.advice = match check.verdict {
        Verdict::Right => String::new(),
        Verdict::NotEverywhere => {
            format!(
                "Wait until {} have it too; if that takes longer than a day, look at the zone there.",
                check.lagging.join(", ")
            )
        }
        Verdict::Unanswered => {
            "See whether the domain is registered and its name servers answer; PILLARBOX_DNS_SERVERS names the resolver."
                .to_owned()
        }
        Verdict::NotNeeded => format!("Optional. {advice}"),
        Verdict::Wrong | Verdict::Missing => advice.to_owned(),
    };
}

fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches(';')
}

fn is_spf(text: &str) -> bool {
    text == "v=spf1" || text.starts_with("v=spf1 ")
}

fn alias_of(seen: &[Seen]) -> Option<String> {
    seen.iter().filter_map(|seen| seen.records.as_ref().ok()).flatten().next().cloned()
}

/// Addresses that the world cannot reach.
fn is_not_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
