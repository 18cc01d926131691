//! Rules that a service template carries: what its codes look like and who sends them.

use crate::types::Alphabet;
use crate::types::ExtractionRules;
use regex::Regex;
use regex::RegexBuilder;

/// The longest pattern, in octets.
const MAX_PATTERN: usize = 512;

/// A rule that is ready to use. Make it once and keep it: its pattern is compiled.
#[derive(Debug, Clone)]
pub struct Rule {
    name: String,
    rules: ExtractionRules,
    pattern: Option<Regex>,
}

/// Why a rule cannot be used: the field of [`ExtractionRules`], and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct InvalidRule {
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong with it, to be read after the name of the field.
    pub reason: String,
}

impl Rule {
    /// Checks and compiles the rules of a service template; `name` is that of the template, for people.
    ///
    /// # Errors
    /// A length that no code has, a sender that is too long, or a pattern that is longer than 512 octets, takes more
    /// than 64 KB compiled or is no regular expression.
    pub fn new(name: impl Into<String>, rules: ExtractionRules) -> Result<Self, InvalidRule> {
        let wrong = |field, reason: &str| Err(InvalidRule { field, reason: reason.to_owned() });
        let possible = |length: Option<u8>| length.is_none_or(|length| (1..=64).contains(&length));
        if !possible(rules.min_length) {
            return wrong("min_length", "is not between 1 and 64");
        }
        if !possible(rules.max_length) {
            return wrong("max_length", "is not between 1 and 64");
        }
        if rules.min_length.zip(rules.max_length).is_some_and(|(min, max)| min > max) {
            return wrong("max_length", "is less than min_length");
        }
        if rules.sender.as_ref().is_some_and(|sender| sender.len() > 254 || sender.trim().is_empty()) {
            return wrong("sender", "is not an address or a domain");
        }
        let pattern = rules.pattern.as_deref().map(compile).transpose()?;
        Ok(Self { name: name.into(), rules, pattern })
    }

    /// The name of the template.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules as they were written.
    pub fn rules(&self) -> &ExtractionRules {
        &self.rules
    }

    /// Whether mail of this sender is what the rule is for.
    pub fn fits_sender(&self, address: Option<&str>) -> bool {
        let Some(wanted) = self.rules.sender.as_deref() else { return true };
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
        let long_enough = self.rules.min_length.is_none_or(|min| length >= usize::from(min));
        let short_enough = self.rules.max_length.is_none_or(|max| length <= usize::from(max));
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
        match self.rules.alphabet {
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

fn compile(pattern: &str) -> Result<Regex, InvalidRule> {
    let wrong = |reason: String| InvalidRule { field: "pattern", reason };
    if pattern.len() > MAX_PATTERN {
        return Err(wrong(format!("has more than {MAX_PATTERN} octets")));
    }
    let built = RegexBuilder::new(pattern).size_limit(1 << 16).dfa_size_limit(1 << 18).build();
    built.map_err(|error| wrong(format!("cannot be used: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_or_a_domain_with_its_subdomains() {
        let rule = |sender: &str| {
            let rules = ExtractionRules { sender: Some(sender.into()), ..ExtractionRules::default() };
            Rule::new("x", rules).unwrap()
        };
        assert!(rule("example.org").fits_sender(Some("no-reply@mail.example.org")));
        assert!(!rule("example.org").fits_sender(Some("no-reply@badexample.org")));
        assert!(rule("A@example.org").fits_sender(Some("a@example.org")));
        assert!(!rule("a@example.org").fits_sender(None));
    }

    #[test]
    fn what_cannot_be_used_is_an_error_that_names_the_field() {
        let pattern = |text: &str| ExtractionRules { pattern: Some(text.into()), ..ExtractionRules::default() };
        let lengths = |min, max| ExtractionRules { min_length: min, max_length: max, ..ExtractionRules::default() };
        let table = [
            (pattern("(\\w{500}){500}"), "pattern"),
            (pattern("(unclosed"), "pattern"),
            (pattern(&"x".repeat(513)), "pattern"),
            (lengths(Some(0), None), "min_length"),
            (lengths(Some(8), Some(6)), "max_length"),
        ];
        for (rules, field) in table {
            assert_eq!(Rule::new("x", rules).unwrap_err().field, field);
        }
    }
}
