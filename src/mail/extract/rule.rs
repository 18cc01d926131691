//! Rules that a service template carries: what its codes look like and who sends them.

use regex::Regex;
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;

/// The characters that a code consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// 0 to 9 only.
    Digits,
    /// Letters only.
    Letters,
    /// Letters and digits.
    LettersAndDigits,
}

/// A rule as it is written down and stored. Everything left out allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSpec {
    /// A name for people; the rule of a candidate reads `template:<name>`.
    pub name: String,
    /// The sender that the rule is for: an address, or a domain with its subdomains.
    pub sender: Option<String>,
    /// The fewest characters, separators not counted.
    pub min_length: Option<u8>,
    /// The most characters, separators not counted.
    pub max_length: Option<u8>,
    /// The characters that the code consists of.
    pub alphabet: Option<Alphabet>,
    /// A regular expression; its first group, or all of it, is the code.
    pub pattern: Option<String>,
}

/// A rule that is ready to use. Make it once and keep it: its pattern is compiled.
#[derive(Debug, Clone)]
pub struct Rule {
    spec: RuleSpec,
    pattern: Option<Regex>,
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern of rule \"{name}\" cannot be used: {reason}")]
pub struct InvalidRule {
    name: String,
    reason: String,
}

impl Rule {
    /// Checks and compiles a rule; a pattern may take at most 64 KB compiled.
    pub fn new(spec: RuleSpec) -> Result<Self, InvalidRule> {
        let compile = |pattern: &String| RegexBuilder::new(pattern).size_limit(1 << 16).dfa_size_limit(1 << 18).build();
        let pattern = spec
            .pattern
            .as_ref()
            .map(compile)
            .transpose()
            .map_err(|error| InvalidRule { name: spec.name.clone(), reason: error.to_string() })?;
        Ok(Self { spec, pattern })
    }

    /// The rule as it was written.
    pub fn spec(&self) -> &RuleSpec {
        &self.spec
    }

    /// Whether mail of this sender is what the rule is for.
    pub fn fits_sender(&self, address: Option<&str>) -> bool {
        let Some(wanted) = self.spec.sender.as_deref() else { return true };
        let Some(address) = address else { return false };
        let (wanted, address) = (wanted.to_lowercase(), address.to_lowercase());
        if wanted.contains('@') && !wanted.starts_with('@') {
            return wanted == address;
        }
        let domain = wanted.trim_start_matches('@');
        let host = address.rsplit('@').next().unwrap_or_default();
        host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }

    /// Whether a code has the length and the characters that the rule asks for.
    pub fn fits_value(&self, value: &str) -> bool {
        let length = value.chars().filter(|c| c.is_alphanumeric()).count();
        let long_enough = self.spec.min_length.is_none_or(|min| length >= usize::from(min));
        let short_enough = self.spec.max_length.is_none_or(|max| length <= usize::from(max));
        long_enough && short_enough && self.fits_alphabet(value) && self.fits_pattern(value)
    }

    /// The places where the pattern finds a code; none where the rule has no pattern.
    pub(super) fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let Some(pattern) = &self.pattern else { return Vec::new() };
        let place = |found: regex::Captures<'_>| found.get(1).or_else(|| found.get(0)).map(|m| (m.start(), m.end()));
        pattern.captures_iter(text).take(4).filter_map(place).filter(|(start, end)| start < end).collect()
    }

    fn fits_alphabet(&self, value: &str) -> bool {
        let mut characters = value.chars().filter(|c| c.is_alphanumeric());
        match self.spec.alphabet {
            None | Some(Alphabet::LettersAndDigits) => true,
            Some(Alphabet::Digits) => characters.all(|c| c.is_ascii_digit()),
            Some(Alphabet::Letters) => characters.all(char::is_alphabetic),
        }
    }

    /// A pattern with a group speaks of the words around, so only one without is held against the bare value.
    fn fits_pattern(&self, value: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.captures_len() > 1 || pattern.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_or_a_domain_with_its_subdomains() {
        let rule = |sender: &str| Rule::new(RuleSpec { sender: Some(sender.into()), ..RuleSpec::default() }).unwrap();
        assert!(rule("example.org").fits_sender(Some("no-reply@mail.example.org")));
        assert!(!rule("example.org").fits_sender(Some("no-reply@badexample.org")));
        assert!(rule("A@example.org").fits_sender(Some("a@example.org")));
        assert!(!rule("a@example.org").fits_sender(None));
    }

    #[test]
    fn a_pattern_that_is_too_large_is_an_error_and_no_panic() {
        let spec = RuleSpec { name: "x".into(), pattern: Some("(\\w{500}){500}".into()), ..RuleSpec::default() };
        assert!(Rule::new(spec).is_err());
    }
}
