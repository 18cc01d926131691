//! From tokens to candidates: values, merging over the parts, confidence.

use std::borrow::Cow;

use crate::mail::extract::MAX_CANDIDATES;
use crate::mail::extract::attach;
use crate::mail::extract::expiry;
use crate::mail::extract::fold;
use crate::mail::extract::judge;
use crate::mail::extract::measures;
use crate::mail::extract::measures::Measure;
use crate::mail::extract::measures::Measures;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
use crate::mail::extract::page::Zone;
use crate::mail::extract::rule::Rule;
use crate::mail::extract::score;
use crate::mail::extract::score::Verdict;
use crate::mail::extract::token::Shape;
use crate::mail::extract::token::Token;
use crate::mail::extract::types::CodeCandidate;
use crate::mail::extract::types::CodeKind;
use crate::mail::extract::types::Input;
use crate::mail::extract::types::Source;
use crate::mail::extract::types::Span;
use crate::mail::extract::weights;

/// The confidence from which a candidate is the answer.
pub(super) const THRESHOLD: f32 = 0.55;

/// A scored token on its way to a candidate.
struct Found<'p> {
    page: &'p Page,
    token: Token,
    verdict: Verdict,
    value: String,
    template: Option<&'p str>,
    /// How often it is shown, and in which of subject, text and markup.
    places: usize,
    sources: u8,
    origin_bound: bool,
}

impl<'p> Found<'p> {
    fn new(page: &'p Page, token: Token, verdict: Verdict) -> Self {
        let value = value(page, &token);
        Self { page, token, verdict, value, template: None, places: 1, sources: 1 << page.source as u8, origin_bound: false }
    }
}

/// Log-odds below which a token is left out at once.
const HOPELESS: f32 = -6.0;
/// How many of the best are looked at a second time.
const SHORT_LIST: usize = 6;

/// The names of all that the judge looks at, in the order of a vector.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    weights::NAMES.iter().chain(measures::MEASURE_NAMES).copied()
}

/// The candidates of a message, best first.
pub(super) fn candidates(pages: &[Page], tokens: &[Vec<Token>], mood: &Mood, input: &Input<'_>) -> Vec<CodeCandidate> {
    let mut found = collect(pages, tokens, mood);
    judge_all(&mut found, pages, tokens, mood);
    apply_rules(pages, input, &mut found);
    sort(&mut found);
    let expiry = expiry::lifetime(pages);
    found.into_iter().take(MAX_CANDIDATES).map(|f| finish(f, mood, expiry)).collect()
}

/// Everything with the form of a code that is not hopeless, each value once, best first.
fn collect<'p>(pages: &'p [Page], tokens: &[Vec<Token>], mood: &Mood) -> Vec<Found<'p>> {
    let mut found: Vec<Found<'_>> = Vec::new();
    for (page, tokens) in pages.iter().zip(tokens) {
        for (token, verdict) in tokens.iter().zip(score::weigh(page, tokens, mood)) {
            if verdict.score > HOPELESS {
                push(&mut found, Found::new(page, *token, verdict));
            }
        }
        origin_bound(page, mood, &mut found);
    }
    sort(&mut found);
    found
}

fn sort(found: &mut [Found<'_>]) {
    found.sort_by(|a, b| b.verdict.score.total_cmp(&a.verdict.score).then(a.token.start.cmp(&b.token.start)));
}

/// Looks at the best a second time, together; those that are left out keep the place behind them.
fn judge_all(found: &mut [Found<'_>], pages: &[Page], tokens: &[Vec<Token>], mood: &Mood) {
    if judge::CODES.is_empty() {
        return;
    }
    let vectors = vectors(found, pages, tokens, mood);
    for (one, vector) in found.iter_mut().zip(&vectors) {
        let mut parts = [0.0; weights::COUNT + measures::MEASURE_COUNT];
        let again = judge::CODES.weigh(vector, &mut parts);
        // What is impossible by its form, or was said in an earlier message, stays so; a word in a sentence is no code.
        let word = vector.get(weights::Feature::WordInText as usize).is_some_and(|value| *value > 0.0);
        let again = if word && one.token.digits < 2 { again.min(-1.0) } else { again };
        let vetoed = [weights::Feature::Impossible, weights::Feature::Quoted]
            .iter()
            .any(|veto| vector.get(*veto as usize).is_some_and(|value| *value > 0.0));
        one.verdict.score = if vetoed { again.min(one.verdict.score) } else { again };
        explain(&mut one.verdict.reasons, vector, &parts, (weights::COUNT, measures::MEASURES));
    }
    for one in found.iter_mut().skip(vectors.len()) {
        one.verdict.score = one.verdict.score.min(0.0) - 4.0;
    }
}

/// Adds what weighed most in the second look to the reasons.
pub(super) fn explain(
    reasons: &mut Vec<Cow<'static, str>>,
    vector: &[f32],
    parts: &[f32],
    (first, table): (usize, &[(&'static str, &'static str)]),
) {
    let told = table.iter().map(|(_, reason)| *reason);
    let all = parts.iter().zip(vector).skip(first).zip(told).skip(measures::TOLD_FROM);
    let mut pieces: Vec<(f32, &str)> =
        all.filter(|((part, value), _)| part.abs() >= 0.25 && **value > 0.0).map(|((part, _), reason)| (*part, reason)).collect();
    pieces.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    for (part, reason) in pieces.into_iter().take(2) {
        let told = if part > 0.0 { format!("for it: {reason}") } else { format!("against it: {reason}") };
        reasons.push(told.into());
    }
}

/// What the judge looks at, for each of the best.
fn vectors(found: &[Found<'_>], pages: &[Page], tokens: &[Vec<Token>], mood: &Mood) -> Vec<Vec<f32>> {
    let of_message = Measures::of_message(mood);
    let scores: Vec<f32> = found.iter().map(|one| one.verdict.score).collect();
    let vector = |(rank, one): (usize, &Found<'_>)| {
        let mut own = of_message;
        let at = pages.iter().position(|page| std::ptr::eq(page, one.page)).unwrap_or(0);
        let others = tokens.get(at).map(Vec::as_slice).unwrap_or_default();
        own.measure(one.page, &one.token, others, &attach::place(one.page, &one.token));
        let mut rivals = scores.iter().enumerate().filter(|(other, _)| *other != rank).map(|(_, score)| *score);
        let near = rivals.clone().filter(|score| score + 3.0 > one.verdict.score).count();
        let best = rivals.next().unwrap_or(-8.0).max(-8.0);
        own.set(Measure::Score, one.verdict.score);
        own.set(Measure::Margin, one.verdict.score - best);
        own.set(Measure::Rank, f32::from(u8::try_from(rank).unwrap_or(u8::MAX)));
        own.set(Measure::Rivals, f32::from(u8::try_from(near).unwrap_or(u8::MAX)));
        own.set(Measure::Places, f32::from(u8::try_from(one.places).unwrap_or(u8::MAX)));
        own.set(Measure::Parts, f32::from(u8::try_from(one.sources.count_ones()).unwrap_or(u8::MAX)));
        own.flag(Measure::SubjectToo, one.sources & (1 << Source::Subject as u8) != 0);
        own.flag(Measure::OriginBound, one.origin_bound);
        let evidence = one.verdict.evidence.as_ref().map_or([0.0; weights::COUNT], |evidence| evidence.0);
        evidence.iter().chain(&own.0).copied().collect()
    };
    found.iter().take(SHORT_LIST).enumerate().map(vector).collect()
}

/// The vectors of a message, for fitting.
#[cfg(test)]
pub(super) fn evidence(pages: &[Page], tokens: &[Vec<Token>], mood: &Mood) -> Vec<(String, Vec<f32>)> {
    let found = collect(pages, tokens, mood);
    let vectors = vectors(&found, pages, tokens, mood);
    found.into_iter().map(|one| one.value).zip(vectors).collect()
}

/// Keeps one of each value: the best place; being said twice, in different parts, is evidence of its own.
fn push<'p>(found: &mut Vec<Found<'p>>, mut new: Found<'p>) {
    if let Some(old) = found.iter_mut().find(|old| old.value == new.value) {
        let other_part = (old.page.source, old.page.part) != (new.page.source, new.page.part);
        let subject = old.page.source == Source::Subject || new.page.source == Source::Subject;
        let bonus = if other_part && subject && new.verdict.score > -2.0 { 1.0 } else { 0.0 };
        new.places += old.places;
        new.sources |= old.sources;
        new.origin_bound |= old.origin_bound;
        (old.places, old.sources, old.origin_bound) = (new.places, new.sources, new.origin_bound);
        if new.verdict.score > old.verdict.score {
            *old = new;
        }
        old.verdict.score += bonus;
    } else if found.len() < 256 {
        found.push(new);
    }
}

/// The contract's form of a token.
pub(super) fn value(page: &Page, token: &Token) -> String {
    let (start, end) = page.visible_range(token.start, token.end);
    let written = page.visible.get(start..end).unwrap_or_default();
    let plain = written.chars().filter(|c| !fold::is_invisible(*c)).map(plain_char);
    match token.shape {
        Shape::Digits { .. } => plain.filter(char::is_ascii_digit).collect(),
        Shape::Cells => {
            // A hyphen in a cell of its own belongs to the code; one between all cells does not.
            let hyphens = written.matches(['-', '\u{2010}', '\u{2011}', '\u{2013}']).count();
            let kept = token.letters > 0 && hyphens * 2 < token.digits + token.letters;
            let value: String = plain.filter(|c| c.is_ascii_alphanumeric() || (kept && *c == '-')).collect();
            // A letter before the hyphen, as in `G-482913`, is no part of the code.
            let behind = value.split_once('-').filter(|(head, tail)| {
                head.len() <= 2
                    && head.bytes().all(|b| b.is_ascii_alphabetic())
                    && tail.len() >= 4
                    && tail.bytes().all(|b| b.is_ascii_digit())
            });
            behind.map(|(_, tail)| tail.to_owned()).unwrap_or(value)
        }
        Shape::Prefixed => plain.skip_while(|c| *c != '-').filter(char::is_ascii_digit).collect(),
        _ => plain.collect(),
    }
}

/// ASCII for full-width letters, other scripts' digits and typographic hyphens; case is kept.
fn plain_char(c: char) -> char {
    if let Some(digit) = fold::digit(c) {
        return digit;
    }
    match c {
        '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
        _ => c,
    }
}

/// `@example.org #482913` on the last line: the convention for codes that are bound to a site.
fn origin_bound<'p>(page: &'p Page, mood: &Mood, found: &mut Vec<Found<'p>>) {
    let text = page.folded.text.as_str();
    for (at, _) in text.match_indices('@').take(32) {
        if text.get(..at).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric) {
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let host = rest.bytes().take(255).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')).count();
        let Some(code) = rest.get(host..).and_then(|r| r.strip_prefix(" #")) else { continue };
        let length = code.bytes().take(24).take_while(u8::is_ascii_alphanumeric).count();
        if host < 3 || !(4..=12).contains(&length) {
            continue;
        }
        let start = at + 1 + host + 2;
        let own = text.get(start..start + length).unwrap_or_default();
        let digits = own.bytes().filter(u8::is_ascii_digit).count();
        let shape = if digits == length { Shape::Digits { groups: 1 } } else { Shape::Mixed };
        let token = Token { start, end: start + length, shape, digits, letters: length - digits };
        if page.zone_at(start) == Zone::Quoted {
            continue;
        }
        let mut verdict = score::weigh_one(page, &token, mood);
        verdict.score = verdict.score.max(5.0);
        verdict.rule = "origin_bound";
        verdict.reasons.insert(0, "it follows the convention for codes that are bound to a site".into());
        push(found, Found { origin_bound: true, ..Found::new(page, token, verdict) });
    }
}

/// Rules of templates raise what fits them and lower what does not.
fn apply_rules<'p>(pages: &'p [Page], input: &Input<'p>, found: &mut Vec<Found<'p>>) {
    let rules: Vec<&Rule> = input.rules.iter().filter(|rule| rule.fits_sender(input.from_address)).take(8).collect();
    for rule in &rules {
        for page in pages {
            for (start, end) in rule.find(&page.visible) {
                let (from, to) = (page.folded.folded(start), page.folded.folded(end));
                let own = page.folded.text.get(from..to).unwrap_or_default();
                let digits = own.bytes().filter(u8::is_ascii_digit).count();
                let letters = own.chars().filter(|c| c.is_alphabetic()).count();
                let shape = if letters == 0 { Shape::Digits { groups: 1 } } else { Shape::Joined };
                let token = Token { start: from, end: to, shape, digits, letters };
                let reasons = vec!["the pattern of a service template finds it".into()];
                let verdict = Verdict { score: 4.0, rule: "template", reasons, recovery: false, evidence: None };
                push(found, Found { template: Some(rule.name()), ..Found::new(page, token, verdict) });
            }
        }
    }
    if rules.is_empty() {
        return;
    }
    for one in found.iter_mut().filter(|one| one.template.is_none()) {
        match rules.iter().find(|rule| rule.fits_value(&one.value)) {
            Some(rule) => {
                one.verdict.score += 1.5;
                one.template = Some(rule.name());
                one.verdict.reasons.insert(0, "it has the form that a service template asks for".into());
            }
            None => {
                one.verdict.score -= 4.0;
                one.verdict.reasons.insert(0, "it does not have the form that the service template asks for".into());
            }
        }
    }
}

fn finish(found: Found<'_>, mood: &Mood, expiry: Option<u32>) -> CodeCandidate {
    let Found { page, token, verdict, value, template, .. } = found;
    let (start, end) = page.visible_range(token.start, token.end);
    let written = page.visible.get(start..end).unwrap_or_default();
    let confidence = confidence(verdict.score);
    let kind = match (confidence >= THRESHOLD, verdict.recovery, mood.device) {
        (false, ..) => CodeKind::Other,
        (true, true, _) => CodeKind::Recovery,
        (true, false, true) => CodeKind::Device,
        (true, false, false) => CodeKind::Otp,
    };
    CodeCandidate {
        value: value.chars().take(64).collect(),
        display: written.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(64).collect(),
        kind,
        confidence,
        source: page.source,
        rule: template.map_or_else(|| verdict.rule.to_owned(), |name| format!("template:{name}")),
        span: Span { part: page.part, start, end },
        reason: sentence(&verdict.reasons),
        context: context(&page.visible, start, end),
        expires_in_seconds: expiry.filter(|_| confidence >= THRESHOLD),
    }
}

/// Log-odds to a probability.
pub(super) fn confidence(score: f32) -> f32 {
    let exact = 1.0 / (1.0 + (-score).exp());
    (exact * 1000.0).round() / 1000.0
}

/// "It …; it …." from the pieces.
pub(super) fn sentence(pieces: &[Cow<'static, str>]) -> String {
    let mut sentence = pieces.join("; ");
    if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
        sentence.replace_range(..1, &first);
        sentence.push('.');
    }
    sentence
}

/// At most 80 characters around a place, on one line.
fn context(text: &str, start: usize, end: usize) -> String {
    let own = text.get(start..end).map_or(0, |own| own.chars().count());
    let room = 80_usize.saturating_sub(own);
    let before: Vec<char> = text.get(..start).unwrap_or_default().chars().rev().take(room * 5 / 8).collect();
    let rest = 80_usize.saturating_sub(before.len());
    let around = before.into_iter().rev().chain(text.get(start..).unwrap_or_default().chars().take(rest));
    around.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
