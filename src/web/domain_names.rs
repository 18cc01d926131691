//! How a domain's DNS and the way to its mailboxes are said in the reader's language.

#![expect(clippy::unused_self, clippy::trivially_copy_pass_by_ref, reason = "templates reach everything through one value")]

use crate::ingest::Finding;
use crate::ingest::Outcome;
use crate::ingest::Step;
use crate::types::CheckState;
use crate::types::MtaSts;
use crate::types::Postmaster;
use crate::types::RecordCheck;
use crate::types::Verdict;
use crate::web::language::Language;
use crate::web::ui::Ui;

impl Ui {
    /// How a record is.
    pub(in crate::web) fn verdict_name(&self, verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Right => self.t("verdict.right"),
            Verdict::Wrong => self.t("verdict.wrong"),
            Verdict::Missing => self.t("verdict.missing"),
            Verdict::NotEverywhere => self.t("verdict.not_everywhere"),
            Verdict::NotNeeded => self.t("verdict.not_needed"),
            Verdict::Unanswered => self.t("verdict.unanswered"),
        }
    }

    /// The colour of a verdict.
    pub(in crate::web) fn verdict_pill(&self, verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Right => "pill-active",
            Verdict::Wrong | Verdict::Missing => "pill-failed",
            Verdict::NotEverywhere | Verdict::Unanswered => "pill-warn",
            Verdict::NotNeeded => "pill-none",
        }
    }

    /// A domain's DNS in a word.
    pub(in crate::web) fn state_name(&self, state: &CheckState) -> &'static str {
        match state {
            CheckState::Ready => self.t("check_state.ready"),
            CheckState::Attention => self.t("check_state.attention"),
            CheckState::Pending => self.t("check_state.pending"),
            CheckState::Broken => self.t("check_state.broken"),
            CheckState::Unanswered => self.t("check_state.unanswered"),
        }
    }

    /// The colour of a domain's state.
    pub(in crate::web) fn state_pill(&self, state: &CheckState) -> &'static str {
        match state {
            CheckState::Ready => "pill-active",
            CheckState::Broken => "pill-failed",
            CheckState::Attention | CheckState::Pending | CheckState::Unanswered => "pill-warn",
        }
    }

    /// What a record is for, and how it is. The check's own words are English; other languages have what holds for all domains.
    pub(in crate::web) fn record_reason(&self, record: &RecordCheck) -> String {
        if self.language == Language::English {
            return record.reason.clone();
        }
        let purpose = match record.id.as_str() {
            "mx" => self.t("check_purpose.mx"),
            "subdomains" => self.t("check_purpose.subdomains"),
            "address" | "ipv6" => self.t("check_purpose.address"),
            "mta_sts" => self.t("check_purpose.mta_sts"),
            "mta_sts_host" => self.t("check_purpose.mta_sts_host"),
            "tls_rpt" => self.t("check_purpose.tls_rpt"),
            "tlsa" => self.t("check_purpose.tlsa"),
            _ => self.t("check_purpose.spf"),
        };
        purpose.to_owned()
    }

    /// What to do about a record; empty where nothing is to be done.
    pub(in crate::web) fn record_advice(&self, record: &RecordCheck) -> String {
        if self.language == Language::English {
            return record.advice.clone();
        }
        let advice = match record.verdict {
            Verdict::Right => return String::new(),
            Verdict::Wrong | Verdict::Missing => self.t("check_advice.set"),
            Verdict::NotEverywhere => self.t("check_advice.wait"),
            Verdict::NotNeeded => self.t("check_advice.optional"),
            Verdict::Unanswered => self.t("check_advice.unanswered"),
        };
        advice.to_owned()
    }

    /// A step on the way of a recipient.
    pub(in crate::web) fn step_name(&self, step: &Step) -> &'static str {
        match step {
            Step::Domain => self.t("step.domain"),
            Step::Mailbox => self.t("step.mailbox"),
            Step::Alias => self.t("step.alias"),
            Step::BaseMailbox => self.t("step.base_mailbox"),
            Step::BaseAlias => self.t("step.base_alias"),
            Step::Postmaster => self.t("step.postmaster"),
            Step::Unknown => self.t("step.unknown"),
        }
    }

    /// What a step found.
    pub(in crate::web) fn finding_name(&self, finding: &Finding) -> &'static str {
        match finding {
            Finding::Found => self.t("finding.found"),
            Finding::Missing => self.t("finding.missing"),
            Finding::Closed => self.t("finding.closed"),
            Finding::Subdomain => self.t("finding.subdomain"),
            Finding::Delivers => self.t("finding.delivers"),
            Finding::Collects => self.t("finding.collects"),
            Finding::Refuses => self.t("finding.refuses"),
        }
    }

    /// What becomes of mail for an address.
    pub(in crate::web) fn recipient_outcome(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered => self.t("recipient.delivered"),
            Outcome::Collected => self.t("recipient.collected"),
            Outcome::Refused => self.t("recipient.refused"),
        }
    }

    /// What senders are told about encryption.
    pub(in crate::web) fn mta_sts_name(&self, mode: &MtaSts) -> &'static str {
        match mode {
            MtaSts::None => self.t("mta_sts.none"),
            MtaSts::Testing => self.t("mta_sts.testing"),
            MtaSts::Enforce => self.t("mta_sts.enforce"),
        }
    }

    /// The mailbox for postmaster and abuse; empty where their mail is collected.
    pub(in crate::web) fn postmaster_target(&self, rule: &Postmaster) -> String {
        match rule {
            Postmaster::Collect => String::new(),
            Postmaster::Deliver(address) => address.to_string(),
        }
    }
}
