//! Where in a text the words of a question stand.

use schemars::JsonSchema;
use serde::Serialize;

use super::language::Query;
use super::terms::{Field, fold};

/// Characters that are shown before the first place, and all in all.
const BEFORE: usize = 40;
const SHOWN: usize = 200;
/// Places that are marked in one text.
const MOST_RANGES: usize = 20;

/// A piece of a text with the places that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Highlight {
    /// Where the text is from: `subject`, `from` or `text`.
    #[schemars(example = &"text")]
    pub field: &'static str,
    /// At most 200 characters around the first place. Written by the sender, not to be trusted.
    #[schemars(example = &"… Your code is 482913. It is valid …")]
    pub text: String,
    /// The places: first character and the one after the last, counted in characters of `text` from 0.
    pub ranges: Vec<[usize; 2]>,
}

/// The places of a question's words in a message; those texts only that have any.
pub fn highlights(query: &Query, subject: &str, from: &str, text: &str) -> Vec<Highlight> {
    let all = [("subject", subject, Field::Subject), ("from", from, Field::From)];
    let fields = all.into_iter().map(|(name, text, field)| (name, text, Some(field)));
    fields
        .chain([("text", text, None)])
        .filter_map(|(name, text, field)| {
            let asked: Vec<&str> = query
                .needles
                .iter()
                .filter(|needle| needle.fields.is_empty() || field.is_some_and(|field| needle.fields.contains(&field)))
                .map(|needle| needle.text.as_str())
                .collect();
            highlight(name, text, &asked)
        })
        .collect()
}

fn highlight(field: &'static str, text: &str, needles: &[&str]) -> Option<Highlight> {
    let original: Vec<char> = text.chars().collect();
    // The folded text, with the number of the character that each of its characters is from.
    let (mut folded, mut from) = (Vec::with_capacity(original.len()), Vec::with_capacity(original.len()));
    for (i, c) in original.iter().enumerate() {
        for part in fold(*c) {
            folded.push(part);
            from.push(i);
        }
    }
    let mut ranges = Vec::new();
    for needle in needles {
        let needle: Vec<char> = needle.chars().flat_map(fold).collect();
        find(&folded, &needle, &mut ranges);
    }
    ranges.sort_unstable();
    let mut marked: Vec<(usize, usize)> = Vec::new();
    for (start, end) in ranges {
        let (start, end) = (*from.get(start)?, *from.get(end - 1)? + 1);
        match marked.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => marked.push((start, end)),
        }
    }
    let first = marked.first()?.0;
    let start = first.saturating_sub(BEFORE);
    let end = (start + SHOWN).min(original.len());
    let mut shown = String::new();
    let lead = usize::from(start > 0) * 2;
    if start > 0 {
        shown.push_str("… ");
    }
    shown.extend(original.get(start..end)?);
    if end < original.len() {
        shown.push_str(" …");
    }
    let ranges = marked.into_iter().filter(|range| range.1 <= end).take(MOST_RANGES);
    Some(Highlight { field, text: shown, ranges: ranges.map(|(a, b)| [a - start + lead, b - start + lead]).collect() })
}

/// All places of a needle that begin where a word does, or anywhere in scripts without spaces.
fn find(text: &[char], needle: &[char], ranges: &mut Vec<(usize, usize)>) {
    let Some(first) = needle.first() else { return };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|c| c == first)) {
        at += found;
        if text.get(at..).is_some_and(|rest| rest.starts_with(needle)) && ranges.len() < MOST_RANGES * 4 {
            ranges.push((at, at + needle.len()));
            at += needle.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::search::parse;

    #[test]
    fn places_are_those_of_the_text_as_it_was() {
        let query = parse("code 验证码 from:Café", chrono::DateTime::UNIX_EPOCH).unwrap_or_default();
        let found = highlights(&query, "Your CODE", "CAFE <a@cafe.example>", "您的验证码是 1");
        let brief: Vec<_> = found.iter().map(|h| (h.field, h.ranges.clone())).collect();
        assert_eq!(brief, [("subject", vec![[5, 9]]), ("from", vec![[0, 4], [8, 12]]), ("text", vec![[2, 5]])]);
    }

    #[test]
    fn a_long_text_is_shown_around_the_first_place() {
        let text = format!("{} needle {}", "word ".repeat(100), "word ".repeat(100));
        let query = parse("needle", chrono::DateTime::UNIX_EPOCH).unwrap_or_default();
        let found = highlights(&query, "", "", &text);
        let shown = &found[0];
        let [start, end] = shown.ranges[0];
        assert_eq!(shown.text.chars().skip(start).take(end - start).collect::<String>(), "needle");
        assert!(shown.text.chars().count() < 210);
    }
}
