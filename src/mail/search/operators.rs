//! The operators of the language, each once: the name, what it takes, what it asks for.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::types::{Outcome, Timestamp};

use super::terms::{Field, fact_query, field_query};

/// Something that a word of a question stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// What stands before the colon.
    pub name: &'static str,
    /// An example of what stands behind it.
    pub example: &'static str,
    /// What it finds, for people.
    pub finds: &'static str,
    takes: Takes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Any part of these fields.
    Part(&'static [Field]),
    /// A fact, as a whole.
    Fact(Field),
    /// The result of a check of the sender.
    Verdict(Field),
    Service,
    Is,
    Has,
    After,
    Before,
    Larger,
    Smaller,
}

/// The results that a check can have.
const OUTCOMES: &[Outcome] =
    &[Outcome::Pass, Outcome::Fail, Outcome::SoftFail, Outcome::Neutral, Outcome::None, Outcome::TempError, Outcome::PermError];

/// What rows must hold besides the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Read, or unread.
    Read(bool),
    /// Starred, or not.
    Starred(bool),
    /// Accepted at this time or later.
    After(Timestamp),
    /// Accepted before this time.
    Before(Timestamp),
    /// Larger than this, in octets.
    Larger(i64),
    /// Smaller than this, in octets.
    Smaller(i64),
}

impl Condition {
    fn not(self) -> Self {
        match self {
            Self::Read(is) => Self::Read(!is),
            Self::Starred(is) => Self::Starred(!is),
            Self::After(time) => Self::Before(time),
            Self::Before(time) => Self::After(time),
            Self::Larger(octets) => Self::Smaller(octets.saturating_add(1)),
            Self::Smaller(octets) => Self::Larger(octets.saturating_sub(1)),
        }
    }
}

const fn operator(name: &'static str, example: &'static str, finds: &'static str, takes: Takes) -> Operator {
    Operator { name, example, finds, takes }
}

/// All operators, in the order in which people read them.
pub const OPERATORS: &[Operator] = &[
    operator("from", "shop.example", "any part of the author's name or address", Takes::Part(&[Field::From])),
    operator("to", "hello@", "any part of a recipient's name or address", Takes::Part(&[Field::To])),
    operator("cc", "team@", "any part of a name or address in Cc", Takes::Part(&[Field::Cc])),
    operator("bcc", "archive@", "any part of a name or address in Bcc", Takes::Part(&[Field::Bcc])),
    operator("reply-to", "support@", "any part of a name or address in Reply-To", Takes::Part(&[Field::ReplyTo])),
    operator(
        "addressed",
        "anna@",
        "any part of a name or address in From, To, Cc, Bcc or Reply-To",
        Takes::Part(&[Field::From, Field::To, Field::Cc, Field::Bcc, Field::ReplyTo]),
    ),
    operator("subject", "\"your code\"", "any part of the subject", Takes::Part(&[Field::Subject])),
    operator("filename", "invoice.pdf", "any part of an attachment's name", Takes::Part(&[Field::Filename])),
    operator("list-id", "news.example", "any part of the List-ID field", Takes::Part(&[Field::ListId])),
    operator("message-id", "7f3@mail.example", "the whole message id", Takes::Fact(Field::MessageId)),
    operator("mailbox", "hello@inbox.example", "messages of this mailbox", Takes::Fact(Field::Mailbox)),
    operator("domain", "inbox.example", "messages of mailboxes of this domain", Takes::Fact(Field::Domain)),
    operator("code", "482913", "messages with this verification code", Takes::Fact(Field::Code)),
    operator("link-host", "shop.example", "messages whose verification link leads there", Takes::Fact(Field::LinkHost)),
    operator("service", "\"My shop\"", "messages of mailboxes with a service of this name", Takes::Service),
    operator("spf", "pass", "messages whose SPF check had this result", Takes::Verdict(Field::Spf)),
    operator("dkim", "pass", "messages with a DKIM signature of this result", Takes::Verdict(Field::Dkim)),
    operator("dmarc", "fail", "messages whose DMARC check had this result", Takes::Verdict(Field::Dmarc)),
    operator("is", "unread", "read, unread, starred or unstarred messages", Takes::Is),
    operator("has", "code", "messages with a code, link, attachment or inline part", Takes::Has),
    operator("after", "2026-11-20", "accepted on this day or later; also 7d, 12h, Unix seconds, RFC 3339", Takes::After),
    operator("before", "2026-11-27", "accepted before this day", Takes::Before),
    operator("larger", "1M", "larger than this size", Takes::Larger),
    operator("smaller", "20k", "smaller than this size", Takes::Smaller),
];

/// What an operator with its value asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Words(String),
    Row(Condition),
    /// The name of a service, and whether mailboxes must have it or must not.
    Service(String, bool),
}

impl Operator {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        OPERATORS.iter().find(|operator| operator.name == name)
    }

    /// The fields in which its value stands.
    pub(super) fn fields(&self) -> &'static [Field] {
        if let Takes::Part(fields) = self.takes { fields } else { &[] }
    }

    /// What a value asks for; a sentence where it is none that this operator takes.
    pub(super) fn ask(&self, value: &str, negated: bool, now: DateTime<Utc>) -> Result<Asked, String> {
        let words = |query: Option<String>| {
            let query = query.ok_or_else(|| format!("`{}:` needs a value with letters or digits", self.name))?;
            Ok(Asked::Words(if negated { format!("!{query}") } else { query }))
        };
        let row = |condition: Condition| Ok(Asked::Row(if negated { condition.not() } else { condition }));
        match self.takes {
            Takes::Part(fields) => {
                let all: Vec<String> = fields.iter().filter_map(|field| field_query(*field, value)).collect();
                words((!all.is_empty()).then(|| format!("({})", all.join(" | "))))
            }
            Takes::Fact(_) if value.is_empty() => words(None),
            Takes::Fact(field) => words(Some(fact_query(field, value.trim_matches(['<', '>'])))),
            Takes::Verdict(field) => match OUTCOMES.iter().find(|outcome| outcome.as_str() == value) {
                Some(outcome) => words(Some(fact_query(field, outcome.as_str()))),
                None => Err(format!("`{}:` takes pass, fail, softfail, neutral, none, temperror or permerror", self.name)),
            },
            Takes::Service if value.trim().is_empty() => Err("`service:` needs the name of a service".to_owned()),
            Takes::Service => Ok(Asked::Service(value.trim().to_owned(), !negated)),
            Takes::Is => match value {
                "read" => row(Condition::Read(true)),
                "unread" => row(Condition::Read(false)),
                "starred" => row(Condition::Starred(true)),
                "unstarred" => row(Condition::Starred(false)),
                _ => Err("`is:` takes read, unread, starred or unstarred".to_owned()),
            },
            Takes::Has => match value {
                "code" | "link" | "attachment" | "inline" => words(Some(fact_query(Field::Has, value))),
                _ => Err("`has:` takes code, link, attachment or inline".to_owned()),
            },
            Takes::After => row(Condition::After(self.time(value, now)?)),
            Takes::Before => row(Condition::Before(self.time(value, now)?)),
            Takes::Larger => row(Condition::Larger(self.size(value)?)),
            Takes::Smaller => row(Condition::Smaller(self.size(value)?)),
        }
    }

    fn time(&self, value: &str, now: DateTime<Utc>) -> Result<Timestamp, String> {
        let day = || value.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
        let instant = || DateTime::parse_from_rfc3339(&value.to_uppercase()).ok().map(|at| at.to_utc());
        let unix =
            || value.parse().ok().filter(|s| (0..=253_402_300_799_i64).contains(s)).and_then(|s| DateTime::from_timestamp(s, 0));
        let ago = || {
            let unit = value.chars().next_back()?;
            let count: i64 = value.strip_suffix(unit)?.parse().ok().filter(|count| (0..=1_000_000).contains(count))?;
            let span = match unit {
                'm' => Duration::minutes(count),
                'h' => Duration::hours(count),
                'd' => Duration::days(count.min(36_500)),
                'w' => Duration::days(count.min(5_000) * 7),
                _ => return None,
            };
            now.checked_sub_signed(span)
        };
        day().or_else(instant).or_else(unix).or_else(ago).map(Timestamp).ok_or_else(|| {
            format!(
                "`{}:` takes a day (2026-11-20), a time (RFC 3339 or Unix seconds), or how long ago (30m, 12h, 7d, 2w)",
                self.name
            )
        })
    }

    fn size(&self, value: &str) -> Result<i64, String> {
        let lower = value.to_ascii_lowercase();
        let number = lower.trim_end_matches('b');
        let (digits, unit) = match number.strip_suffix(['k', 'm', 'g']) {
            Some(digits) if number.ends_with('k') => (digits, 1 << 10),
            Some(digits) if number.ends_with('m') => (digits, 1 << 20),
            Some(digits) => (digits, 1 << 30),
            None => (number, 1),
        };
        let octets = digits.parse::<i64>().ok().filter(|n| *n >= 0).and_then(|n| n.checked_mul(unit));
        octets.ok_or_else(|| format!("`{}:` takes a size in octets, or with k, M or G: 20k, 1M", self.name))
    }
}
