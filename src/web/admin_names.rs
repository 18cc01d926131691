//! The words of the pages for operators in the reader's language: settings, jobs, figures.

#![expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]

use serde_json::Value;

use crate::web::pages::settings::Field;
use crate::web::pages::settings::Kind;
use crate::web::ui::Ui;

impl Ui {
    /// A setting's name; as programs have it where the catalogue has none.
    pub(in crate::web) fn setting_name<'a>(&self, name: &'a str) -> &'a str {
        self.language.find(&format!("setting.{name}")).unwrap_or(name)
    }

    /// What a setting is for.
    pub(in crate::web) fn setting_text<'a>(&self, field: &'a Field) -> &'a str {
        self.language.find(&format!("setting_text.{}", field.name)).unwrap_or(&field.description)
    }

    /// A group of settings.
    pub(in crate::web) fn setting_group(&self, group: &str) -> String {
        self.language.find(&format!("setting_group.{group}")).unwrap_or_default().to_owned()
    }

    /// One of the words that a setting can hold.
    pub(in crate::web) fn setting_choice(&self, field: &Field, word: &str) -> String {
        let known = self.language.find(&format!("setting_choice.{}_{word}", field.name));
        known.map_or_else(|| word.to_owned(), str::to_owned)
    }

    /// A value of a setting in words.
    pub(in crate::web) fn setting_value(&self, field: &Field, value: &str) -> String {
        match &field.kind {
            Kind::Switch if value == "yes" => self.t("settings.on").to_owned(),
            Kind::Switch => self.t("settings.off").to_owned(),
            Kind::Choice(_) => self.setting_choice(field, value),
            Kind::Number { .. } if value.is_empty() => self.t("settings.nothing").to_owned(),
            Kind::Number { .. } => value.parse().map_or_else(|_| value.to_owned(), |number| self.number(&number)),
        }
    }

    /// What a job does, in a few words.
    pub(in crate::web) fn job_text(&self, name: &str) -> &'static str {
        self.language.find(&format!("job.{}", name.replace('.', "_"))).unwrap_or_default()
    }

    /// What the last run of a job did: figures with their names.
    pub(in crate::web) fn job_figures(&self, result: &Value) -> Vec<(String, String)> {
        let known = |name: &String| self.language.find(&format!("job_figure.{name}"));
        let named = |name: &String| known(name).map_or_else(|| name.clone(), str::to_owned);
        let figure = |value: &Value| value.as_i64().map_or_else(|| value.to_string(), |number| self.number(&number));
        let figures = result.as_object().into_iter().flatten();
        figures.map(|(name, value)| (named(name), figure(value))).collect()
    }

    /// What the codes of a service consist of.
    pub(in crate::web) fn alphabet_name(&self, alphabet: &str) -> &'static str {
        match alphabet {
            "digits" => self.t("services.digits"),
            "letters" => self.t("services.letters"),
            "letters_and_digits" => self.t("services.letters_and_digits"),
            _ => self.t("services.any"),
        }
    }

    /// When bindings end, as a choice.
    pub(in crate::web) fn ends_name(&self, ends: &str) -> &'static str {
        match ends {
            "soon" => self.t("services.ends_soon"),
            "ended" => self.t("services.ends_ended"),
            "going" => self.t("services.ends_going"),
            _ => self.t("services.ends_all"),
        }
    }

    /// What became of a mailbox that was handed over.
    pub(in crate::web) fn given_name(&self, result: &str) -> &'static str {
        match result {
            "owner" => self.t("users.given_owner"),
            "member" => self.t("users.given_member"),
            "wrong" => self.t("users.given_wrong"),
            _ => self.t("users.given_refused"),
        }
    }

    /// A span of time to look at.
    pub(in crate::web) fn span_name(&self, span: &str) -> &'static str {
        match span {
            "24h" => self.t("statistics.day"),
            "7d" => self.t("statistics.week"),
            "90d" => self.t("statistics.quarter"),
            "365d" => self.t("statistics.year"),
            _ => self.t("statistics.month"),
        }
    }

    /// A series of figures.
    pub(in crate::web) fn series_name(&self, name: &str) -> &'static str {
        match name {
            "codes" => self.t("statistics.codes"),
            "refused" => self.t("statistics.refused"),
            _ => self.t("statistics.messages"),
        }
    }

    /// What a series shows, for those who do not see it.
    pub(in crate::web) fn series_label(&self, name: &str, total: &i64) -> String {
        self.t2("statistics.label", self.series_name(name), self.number(total))
    }

    /// What a series counts.
    pub(in crate::web) fn series_text(&self, name: &str) -> &'static str {
        match name {
            "codes" => self.t("statistics.codes_text"),
            "refused" => self.t("statistics.refused_text"),
            _ => self.t("statistics.messages_text"),
        }
    }
}
