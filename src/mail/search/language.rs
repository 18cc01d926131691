//! The language of questions: words, "phrases", `operator:value`, each also with `-` or `!` before it. All must hold.

use chrono::{DateTime, Utc};

use super::operators::{Asked, Condition, OPERATORS, Operator};
use super::terms::{Field, fact_query, text_query};

/// A question may have so many words and operators.
const MOST_PARTS: usize = 32;
/// And so many characters.
const MOST_CHARS: usize = 1000;

/// A question, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What the words ask for, as PostgreSQL reads a `tsquery`; `None` where nothing but rows' conditions is asked.
    pub tsquery: Option<String>,
    /// What rows must hold besides.
    pub conditions: Vec<Condition>,
    /// Services by name, each with whether the mailbox must have it or must not.
    pub services: Vec<(String, bool)>,
    /// What to show in the texts that were found.
    pub(super) needles: Vec<Needle>,
}

/// A text that was asked for, and where it must stand: in these fields, or anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    pub(super) text: String,
    pub(super) fields: &'static [Field],
}

/// What is wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {reason}")]
pub struct Fault {
    /// Where, in characters from 1.
    pub position: usize,
    /// A sentence for people, which says what to do.
    pub reason: String,
}

/// A word, phrase or operator as it stands in the question.
struct Part<'a> {
    position: usize,
    negated: bool,
    operator: Option<&'a str>,
    value: &'a str,
    quoted: bool,
}

impl Query {
    /// Asks for a text in one operator's fields, as the separate inputs of a search do.
    pub fn and(&mut self, operator: &str, value: &str, now: DateTime<Utc>) -> Result<(), Fault> {
        self.add(&Part { position: 1, negated: false, operator: Some(operator), value, quoted: true }, now)
    }

    /// Asks for a text anywhere in the message.
    pub fn and_text(&mut self, text: &str) {
        let part = Part { position: 1, negated: false, operator: None, value: text, quoted: false };
        // A text alone has nothing that could be wrong.
        let _ = self.add(&part, DateTime::UNIX_EPOCH);
    }

    /// Asks for messages with a code or link, or for those without.
    pub fn and_has_code(&mut self, has: bool) {
        let any = format!("({} | {})", fact_query(Field::Has, "code"), fact_query(Field::Has, "link"));
        self.words(if has { any } else { format!("!{any}") });
    }

    fn add(&mut self, part: &Part<'_>, now: DateTime<Utc>) -> Result<(), Fault> {
        let fault = |reason: String| Fault { position: part.position, reason };
        let Some(name) = part.operator else {
            if let Some(query) = text_query(part.value, part.quoted) {
                self.words(if part.negated { format!("!{query}") } else { query });
                self.needle(part, &[]);
            }
            return Ok(());
        };
        let operator = Operator::find(name).ok_or_else(|| fault(unknown(name)))?;
        match operator.ask(part.value, part.negated, now).map_err(fault)? {
            Asked::Words(query) => {
                self.words(query);
                if !operator.fields().is_empty() {
                    self.needle(part, operator.fields());
                }
            }
            Asked::Row(condition) => self.conditions.push(condition),
            Asked::Service(name, has) => self.services.push((name, has)),
        }
        Ok(())
    }

    fn words(&mut self, query: String) {
        self.tsquery = Some(match self.tsquery.take() {
            Some(before) => format!("{before} & {query}"),
            None => query,
        });
    }

    fn needle(&mut self, part: &Part<'_>, fields: &'static [Field]) {
        if !part.negated {
            self.needles.push(Needle { text: part.value.to_owned(), fields });
        }
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = OPERATORS.iter().map(|operator| operator.name).collect();
    format!("there is no operator `{name}:`; there are {}. To search for the text itself, put it in quotes", names.join(", "))
}

/// Reads a question. `now` is what `7d` counts from.
pub fn parse(question: &str, now: DateTime<Utc>) -> Result<Query, Fault> {
    if let Some((at, _)) = question.char_indices().nth(MOST_CHARS) {
        let position = question.get(..at).map_or(MOST_CHARS, |t| t.chars().count()) + 1;
        return Err(Fault { position, reason: format!("a search has at most {MOST_CHARS} characters") });
    }
    let mut query = Query::default();
    for (count, part) in parts(question)?.into_iter().enumerate() {
        if count == MOST_PARTS {
            return Err(Fault {
                position: part.position,
                reason: format!("a search has at most {MOST_PARTS} words and operators"),
            });
        }
        query.add(&part, now)?;
    }
    Ok(query)
}

fn parts(question: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = question.trim_start();
    while !rest.is_empty() {
        let position = position(question, rest);
        let (negated, body) = match rest.strip_prefix(['-', '!']) {
            Some(body) if body.starts_with(|c: char| !c.is_whitespace()) => (true, body),
            _ => (false, rest),
        };
        let (operator, body) = operator(body);
        let (value, quoted, after) = value(body).ok_or_else(|| Fault {
            position: self::position(question, body),
            reason: "the quotation mark is not closed; add a second one".to_owned(),
        })?;
        parts.push(Part { position, negated, operator, value, quoted });
        rest = after.trim_start();
    }
    Ok(parts)
}

/// The number of a rest's first character.
fn position(question: &str, rest: &str) -> usize {
    question.get(..question.len() - rest.len()).map_or(0, |before| before.chars().count()) + 1
}

/// The name before a colon, where it has the form of an operator's. An address of a page has none.
fn operator(body: &str) -> (Option<&str>, &str) {
    match body.split_once(':') {
        Some((name, value))
            if name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && !value.starts_with("//") =>
        {
            (Some(name), value)
        }
        _ => (None, body),
    }
}

/// A value, whether it stood in quotes, and what comes after it; `None` where the quotes are not closed.
fn value(body: &str) -> Option<(&str, bool, &str)> {
    if let Some(inner) = body.strip_prefix('"') {
        let (value, after) = inner.split_once('"')?;
        return Some((value, true, after));
    }
    let end = body.find(char::is_whitespace).unwrap_or(body.len());
    let (value, after) = body.split_at(end);
    Some((value, false, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default()
    }

    #[test]
    fn words_phrases_and_operators_must_all_hold() {
        let query = parse(r#"verif "your code" -from:shop is:unread larger:1k"#, now()).unwrap_or_default();
        assert_eq!(query.tsquery.as_deref(), Some("('verif':*) & ('your'<->'code') & !(('f|sho'<->'f|hop'))"));
        assert_eq!(query.conditions, [Condition::Read(false), Condition::Larger(1024)]);
    }

    #[test]
    fn verdicts_are_facts_and_services_are_asked_of_the_mailbox() {
        let query = parse(r#"spf:pass -dkim:fail service:"My shop" !service:old"#, now()).unwrap_or_default();
        assert_eq!(query.tsquery.as_deref(), Some("'p|pass' & !'y|fail'"));
        assert_eq!(query.services, [("My shop".to_owned(), true), ("old".to_owned(), false)]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases = [
            ("hello colour:red", 7, "there is no operator `colour:`"),
            ("is:blue", 1, "`is:` takes read"),
            ("a \"b", 3, "not closed"),
            ("码 after:soon", 3, "takes a day"),
            ("larger:big", 1, "takes a size"),
            ("spf:good", 1, "`spf:` takes pass, fail, softfail"),
            ("a service:\"\"", 3, "needs the name"),
            ("from:!", 1, ""),
        ];
        for (question, position, reason) in cases {
            match parse(question, now()) {
                Err(fault) => assert!(fault.position == position && fault.reason.contains(reason), "{question}: {fault}"),
                Ok(query) => assert!(reason.is_empty(), "{question}: {query:?}"),
            }
        }
    }

    #[test]
    fn addresses_of_pages_and_clock_times_are_words() {
        for question in ["https://shop.example/verify", "12:30", "Re: hello"] {
            assert!(parse(question, now()).is_ok_and(|query| query.tsquery.is_some()), "{question}");
        }
    }

    #[test]
    fn times_are_days_instants_or_spans() {
        let after = |value: &str| match parse(&format!("after:{value}"), now()).map(|query| query.conditions) {
            Ok(conditions) => conditions.first().copied(),
            Err(_) => None,
        };
        let at = |seconds| Timestamp::from_unix(seconds).map(Condition::After);
        assert_eq!(after("2026-09-21"), at(1_789_948_800));
        assert_eq!(after("2026-09-21T00:00:01Z"), at(1_789_948_801));
        assert_eq!(after("1789948800"), at(1_789_948_800));
        assert_eq!(after("1d"), at(1_789_913_600));
    }

    use crate::types::Timestamp;

    proptest::proptest! {
        #[test]
        fn no_question_breaks_the_reader(question in "\\PC{0,60}") {
            let _ = parse(&question, now());
        }
    }
}
