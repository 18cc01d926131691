//! From tokens to candidates: values, merging over the parts, confidence.

use crate::mail::extract::MAX_CANDIDATES;
use crate::mail::extract::expiry;
use crate::mail::extract::fold;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
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

/// The confidence from which a candidate is the answer.
pub(super) const THRESHOLD: f32 = 0.5;

/// A scored token on its way to a candidate.
struct Found<'p> {
    page: &'p Page,
    token: Token,
    verdict: Verdict,
    value: String,
    template: Option<&'p str>,
}

/// The candidates of a message, best first.
pub(super) fn candidates(pages: &[Page], tokens: &[Vec<Token>], mood: &Mood, input: &Input<'_>) -> Vec<CodeCandidate> {
    let mut found: Vec<Found<'_>> = Vec::new();
    for (page, tokens) in pages.iter().zip(tokens) {
        for (token, verdict) in tokens.iter().zip(score::weigh(page, tokens, mood)) {
            if verdict.score > -4.0 {
                let value = value(page, token);
                push(&mut found, Found { page, token: *token, verdict, value, template: None });
            }
        }
        origin_bound(page, &mut found);
    }
    apply_rules(pages, input, &mut found);
    found.sort_by(|a, b| b.verdict.score.total_cmp(&a.verdict.score).then(a.token.start.cmp(&b.token.start)));
    let expiry = expiry::lifetime(pages);
    found.into_iter().take(MAX_CANDIDATES).map(|f| finish(f, mood, expiry)).collect()
}

/// Keeps one of each value: the best place; being said twice, in different parts, is evidence of its own.
fn push<'p>(found: &mut Vec<Found<'p>>, new: Found<'p>) {
    if let Some(old) = found.iter_mut().find(|old| old.value == new.value) {
        let other_part = (old.page.source, old.page.part) != (new.page.source, new.page.part);
        let subject = old.page.source == Source::Subject || new.page.source == Source::Subject;
        let bonus = if other_part && subject && new.verdict.score > -2.0 { 1.0 } else { 0.0 };
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
            plain.filter(|c| c.is_ascii_alphanumeric() || (kept && *c == '-')).collect()
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
fn origin_bound<'p>(page: &'p Page, found: &mut Vec<Found<'p>>) {
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
        let reasons = vec!["it follows the convention for codes that are bound to a site"];
        let verdict = Verdict { score: 5.0, rule: "origin_bound", reasons, recovery: false, evidence: None };
        push(found, Found { page, token, verdict, value: value(page, &token), template: None });
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
                let reasons = vec!["the pattern of a service template finds it"];
                let verdict = Verdict { score: 4.0, rule: "template", reasons, recovery: false, evidence: None };
                let value = value(page, &token);
                push(found, Found { page, token, verdict, value, template: Some(rule.name()) });
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
                one.verdict.reasons.insert(0, "it has the form that a service template asks for");
            }
            None => {
                one.verdict.score -= 4.0;
                one.verdict.reasons.insert(0, "it does not have the form that the service template asks for");
            }
        }
    }
}

fn finish(found: Found<'_>, mood: &Mood, expiry: Option<u32>) -> CodeCandidate {
    let Found { page, token, verdict, value, template } = found;
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
pub(super) fn sentence(pieces: &[&'static str]) -> String {
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
