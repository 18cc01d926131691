//! The product's terms in the reader's language.

#![expect(
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option,
    reason = "templates reach everything through one value, and pass references"
)]

use crate::mail::extract::Source;
use crate::types::Lifecycle;
use crate::types::Outcome;
use crate::types::PrincipalId;
use crate::types::SenderTrust;
use crate::types::Timestamp;
use crate::types::UnknownRecipients;
use crate::web::ui::Theme;
use crate::web::ui::Ui;
use crate::web::ui::View;
use crate::web::ui::encode;

impl Ui {
    /// Who is signed in; empty where nobody is.
    pub(in crate::web) fn user(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    /// A text as one segment of a path.
    pub(in crate::web) fn path(&self, text: impl std::fmt::Display) -> String {
        encode(text)
    }

    /// Whether a time is over.
    pub(in crate::web) fn is_past(&self, time: &Option<Timestamp>) -> bool {
        time.is_some_and(|at| at <= Timestamp::now())
    }

    /// Whether a time is here.
    pub(in crate::web) fn is_over(&self, time: &Timestamp) -> bool {
        *time <= Timestamp::now()
    }

    /// A theme.
    pub(in crate::web) fn theme_name(&self, theme: &Theme) -> &'static str {
        match theme {
            Theme::System => self.t("theme.system"),
            Theme::Light => self.t("theme.light"),
            Theme::Dark => self.t("theme.dark"),
        }
    }

    /// The state of a mailbox.
    pub(in crate::web) fn lifecycle(&self, lifecycle: &Lifecycle) -> &'static str {
        match lifecycle {
            Lifecycle::Active => self.t("lifecycle.active"),
            Lifecycle::Disabled => self.t("lifecycle.disabled"),
            Lifecycle::Expired => self.t("lifecycle.expired"),
            Lifecycle::Trashed => self.t("lifecycle.trashed"),
            Lifecycle::Collected => self.t("lifecycle.collected"),
        }
    }

    /// What is known about the sender of a message, in two words.
    pub(in crate::web) fn trust_name(&self, trust: &SenderTrust) -> &'static str {
        match trust {
            SenderTrust::Pass => self.t("trust.pass"),
            SenderTrust::Fail => self.t("trust.fail"),
            SenderTrust::None => self.t("trust.none"),
            SenderTrust::TempError => self.t("trust.temperror"),
        }
    }

    /// What that means, in one sentence.
    pub(in crate::web) fn trust_text(&self, trust: &SenderTrust) -> &'static str {
        match trust {
            SenderTrust::Pass => self.t("trust.pass_text"),
            SenderTrust::Fail => self.t("trust.fail_text"),
            SenderTrust::None => self.t("trust.none_text"),
            SenderTrust::TempError => self.t("trust.temperror_text"),
        }
    }

    /// The look of a verdict.
    pub(in crate::web) fn trust_pill(&self, trust: &SenderTrust) -> &'static str {
        match trust {
            SenderTrust::Pass => "pill-done",
            SenderTrust::Fail => "pill-failed",
            SenderTrust::TempError => "pill-warn",
            SenderTrust::None => "pill-none",
        }
    }

    /// The look of the result of one check.
    pub(in crate::web) fn outcome_pill(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Pass => "pill-done",
            Outcome::Fail => "pill-failed",
            Outcome::SoftFail | Outcome::TempError | Outcome::PermError => "pill-warn",
            Outcome::Neutral | Outcome::None => "pill-none",
        }
    }

    /// What happens to mail that its author's domain disowns.
    pub(in crate::web) fn auth_policy_name(&self, policy: &str) -> &'static str {
        match policy {
            "quarantine" => self.t("auth_policy.quarantine"),
            "reject" => self.t("auth_policy.reject"),
            _ => self.t("auth_policy.accept"),
        }
    }

    /// From which senders a mailbox gives out codes and links.
    pub(in crate::web) fn sender_policy_name(&self, policy: &str) -> &'static str {
        match policy {
            "not_failed" => self.t("sender_policy.not_failed"),
            "aligned" => self.t("sender_policy.aligned"),
            _ => self.t("sender_policy.any"),
        }
    }

    /// A choice of what happens to mail for unknown addresses.
    pub(in crate::web) fn policy_name(&self, policy: &str) -> &'static str {
        match policy {
            "collect" => self.t("policy.collect"),
            "deliver" => self.t("policy.deliver"),
            _ => self.t("policy.reject"),
        }
    }

    /// What happens to mail for unknown addresses, in words.
    pub(in crate::web) fn policy_text(&self, rule: &UnknownRecipients) -> String {
        match rule {
            UnknownRecipients::Deliver(address) => self.t1("policy.deliver_to", address),
            other => self.policy_name(self.policy_of(other)).to_owned(),
        }
    }

    /// The choice that a rule stands for.
    pub(in crate::web) fn policy_of(&self, rule: &UnknownRecipients) -> &'static str {
        match rule {
            UnknownRecipients::Reject => "reject",
            UnknownRecipients::Collect => "collect",
            UnknownRecipients::Deliver(_) => "deliver",
        }
    }

    /// The mailbox that a rule names; empty where it names none.
    pub(in crate::web) fn policy_target(&self, rule: &UnknownRecipients) -> String {
        match rule {
            UnknownRecipients::Deliver(address) => address.to_string(),
            UnknownRecipients::Reject | UnknownRecipients::Collect => String::new(),
        }
    }

    /// A number of days until something ends; 0 is never.
    pub(in crate::web) fn expiry_name(&self, days: &i64) -> String {
        if *days == 0 { self.t("expiry.never").to_owned() } else { self.count("expiry.days", days) }
    }

    /// A user by its name; by the beginning of its id where it has none.
    pub(in crate::web) fn person_name(&self, name: &str, id: &PrincipalId) -> String {
        if name.trim().is_empty() { id.to_string().chars().take(13).collect() } else { name.to_owned() }
    }

    /// The day of a time, as a field for it has it (UTC); empty where there is none.
    pub(in crate::web) fn day(&self, time: &Option<Timestamp>) -> String {
        time.map(|at| at.0.format("%Y-%m-%d").to_string()).unwrap_or_default()
    }

    /// A number of hours until something ends; 0 is never.
    pub(in crate::web) fn hours_name(&self, hours: &i64) -> String {
        if *hours > 0 && *hours < 24 { self.count("mailbox_ways.hours", hours) } else { self.expiry_name(&(hours / 24)) }
    }

    /// A set of scopes that people choose from.
    pub(in crate::web) fn preset_name(&self, preset: &str) -> &'static str {
        match preset {
            "full" => self.t("preset.full"),
            "tester" => self.t("preset.tester"),
            "ci" => self.t("preset.ci"),
            "agent" => self.t("preset.agent"),
            _ => self.t("preset.custom"),
        }
    }

    /// What a set of scopes is good for.
    pub(in crate::web) fn preset_text(&self, preset: &str) -> &'static str {
        match preset {
            "full" => self.t("preset.full_text"),
            "tester" => self.t("preset.tester_text"),
            "ci" => self.t("preset.ci_text"),
            "agent" => self.t("preset.agent_text"),
            _ => self.t("preset.custom_text"),
        }
    }

    /// A way to look at a message.
    pub(in crate::web) fn view_name(&self, view: &View) -> &'static str {
        match view {
            View::Html => self.t("view.html"),
            View::Text => self.t("view.text"),
            View::Headers => self.t("view.headers"),
            View::Raw => self.t("view.raw"),
        }
    }

    /// Where in a message something was found.
    pub(in crate::web) fn source_name(&self, source: &Source) -> &'static str {
        match source {
            Source::Subject => self.t("source.subject"),
            Source::Text => self.t("source.text"),
            Source::Html => self.t("source.html"),
        }
    }

    /// How something that is in the audit log ended.
    pub(in crate::web) fn outcome<'a>(&self, outcome: &'a str) -> &'a str {
        match outcome {
            "done" => self.t("outcome.done"),
            "denied" => self.t("outcome.denied"),
            "failed" => self.t("outcome.failed"),
            other => other,
        }
    }

    /// The keys of the panel and what they do.
    pub(in crate::web) fn shortcuts(&self) -> Vec<(String, String)> {
        let own = [
            ("/", "shortcut.search"),
            ("j k", "shortcut.next"),
            ("Enter", "shortcut.open"),
            ("Esc", "shortcut.back"),
            ("c", "shortcut.code"),
            ("s", "shortcut.star"),
            ("u", "shortcut.unread"),
            ("#", "shortcut.delete"),
            ("n", "shortcut.new"),
            ("?", "shortcut.help"),
        ];
        // A key for something that the page does not have would do nothing.
        let has = |label: &str| match label {
            "shortcut.star" | "shortcut.unread" | "shortcut.delete" => self.may_mark,
            "shortcut.new" => !self.is_portal(),
            _ => true,
        };
        let own =
            own.into_iter().filter(|(_, label)| has(label)).map(|(keys, label)| (keys.to_owned(), self.t(label).to_owned()));
        let go =
            self.navigation().iter().map(|entry| (format!("g {}", entry.shortcut), self.t1("shortcut.go", self.t(entry.label))));
        own.chain(go).collect()
    }
}
