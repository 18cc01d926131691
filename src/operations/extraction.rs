//! Trying out how codes and links are found.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::mail::extract::{Extraction, Input, Rule, extract};
use crate::mail::reading;
use crate::types::{ExtractionRules, Scope};

use super::{Ctx, Effect, Method, Operation, Spec};

/// Octets of a message that is tried out.
const MAX_OCTETS: usize = 4 * 1024 * 1024;
/// Rules that are tried out together.
const MAX_RULES: usize = 8;

/// Finds the code and the link of a message that is sent along, and stores nothing.
///
/// Give either `raw`, or any of `subject`, `from`, `text` and `html`. The answer holds everything that was weighed, with
/// confidence, source, place, rule and reason: the same engine as for mail that arrives. `rules` are those of a service
/// template to try out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestExtraction {
    /// A whole message as it is sent (RFC 5322), at most 4 MB.
    pub raw: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The address of the author.
    pub from: Option<String>,
    /// The text of the message.
    pub text: Option<String>,
    /// The HTML of the message.
    pub html: Option<String>,
    /// What the codes of the service look like; at most 8.
    #[serde(default)]
    pub rules: Vec<ExtractionRules>,
}

impl Operation for TestExtraction {
    type Output = Extraction;
    const SPEC: Spec = Spec {
        name: "test_extraction",
        title: "Try out the extraction",
        rest: (Method::Post, "/extract/test"),
        scope: Scope::CodeRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, _: &Ctx) -> Result<Extraction> {
        self.check()?;
        let rules = self.rules()?;
        // A large message takes milliseconds, which other requests on this thread need not wait for.
        tokio::task::spawn_blocking(move || self.find(&rules)).await.map_err(|cause| Error::Internal(cause.into()))
    }
}

impl TestExtraction {
    fn check(&self) -> Result<()> {
        let fields = [&self.subject, &self.from, &self.text, &self.html];
        if self.raw.is_some() == fields.iter().any(|field| field.is_some()) {
            return Err(Error::invalid("raw", "is given together with parts of a message, or neither is given"));
        }
        let all = fields.into_iter().chain([&self.raw]).flatten();
        if all.map(String::len).sum::<usize>() > MAX_OCTETS {
            return Err(Error::invalid("raw", format!("and the parts have more than {MAX_OCTETS} octets")));
        }
        Ok(())
    }

    fn rules(&self) -> Result<Vec<Rule>> {
        if self.rules.len() > MAX_RULES {
            return Err(Error::invalid("rules", format!("has more than {MAX_RULES} entries")));
        }
        let ready = |(at, rules): (usize, &ExtractionRules)| {
            let named =
                |wrong: crate::mail::extract::InvalidRule| Error::invalid(format!("rules/{at}/{}", wrong.field), wrong.reason);
            Rule::new(format!("rules/{at}"), rules.clone()).map_err(named)
        };
        self.rules.iter().enumerate().map(ready).collect()
    }

    fn find(&self, rules: &[Rule]) -> Extraction {
        if let Some(raw) = &self.raw {
            return reading::read(raw.as_bytes(), rules).extraction;
        }
        let (text, html) = (self.text.as_deref(), self.html.as_deref());
        extract(&Input {
            subject: self.subject.as_deref().unwrap_or_default(),
            from_address: self.from.as_deref(),
            from_name: None,
            text: text.as_slice(),
            html: html.as_slice(),
            rules,
        })
    }
}
