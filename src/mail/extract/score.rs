//! The evidence for a token being the code, added up.

use crate::mail::extract::nature;
use crate::mail::extract::page::Page;
use crate::mail::extract::page::Zone;
use crate::mail::extract::token::Shape;
use crate::mail::extract::token::Token;
use crate::mail::extract::wording::Hit;
use crate::mail::extract::wording::Kind;
use crate::mail::extract::wording::Kinds;

/// What the whole message says, for every token in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mood {
    /// A certain name of a code occurs: in the body, in the subject.
    pub(super) named: bool,
    pub(super) named_in_subject: bool,
    /// A loose name occurs.
    pub(super) loosely_named: bool,
    pub(super) loose_in_subject: bool,
    /// Signing in, proving an address and the like are spoken of.
    pub(super) topic: bool,
    /// Something expires; something must not be shared.
    pub(super) validity: bool,
    pub(super) warning: bool,
    pub(super) asks: bool,
    pub(super) device: bool,
    pub(super) meeting: bool,
    pub(super) coupon: bool,
    pub(super) door: bool,
}

impl Mood {
    /// Takes in the phrases of a part.
    pub(super) fn read(&mut self, page: &Page, subject: bool) {
        for hit in &page.hits {
            if page.zone_at(hit.start) == Zone::Quoted {
                continue;
            }
            let kinds = hit.kinds;
            self.named |= kinds.has(Kind::Name);
            self.loosely_named |= kinds.has(Kind::Loose);
            self.named_in_subject |= subject && kinds.has(Kind::Name);
            self.loose_in_subject |= subject && kinds.has(Kind::Loose);
            self.topic |= kinds.has(Kind::Topic);
            self.validity |= kinds.has(Kind::Validity);
            self.warning |= kinds.has(Kind::Warning);
            self.asks |= kinds.has(Kind::Ask);
            self.device |= kinds.has(Kind::Device);
            self.meeting |= kinds.has(Kind::Meeting);
            self.coupon |= kinds.has(Kind::Coupon);
            self.door |= kinds.has(Kind::Door);
        }
    }
}

/// The sum of the evidence and its strongest piece.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// Log-odds, roughly.
    pub(super) score: f32,
    pub(super) rule: &'static str,
    /// Pieces of the reason, strongest first.
    pub(super) reasons: Vec<&'static str>,
    pub(super) recovery: bool,
}

/// How a token stands in its line.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: usize,
    /// Nothing else of weight is on the line.
    alone: bool,
    weight: u8,
    distinct: bool,
}

/// A name near a token.
#[derive(Debug, Clone, Copy)]
struct Attachment {
    strength: f32,
    after: bool,
    kinds: Kinds,
    /// Nothing but a colon, a verb or white space between.
    direct: bool,
}

/// Weighs one token of a page; `others` are all tokens of the page that could be codes, in order.
pub(super) fn weigh(page: &Page, token: &Token, others: &[Token], mood: &Mood) -> Verdict {
    let place = place(page, token);
    let label = best_label(page, token, others, &place);
    let decoy = best_decoy(page, token, others, &place);
    let mut sum = Sum { score: -4.0, reasons: Vec::new() };
    shape(page, token, &place, &mut sum);
    let strong = name(label.as_ref(), mood, &mut sum);
    ask(page, token, &place, &mut sum);
    isolation(token, &place, mood, label.as_ref(), &mut sum);
    whole_message(mood, &mut sum);
    decoys(page, token, decoy.as_ref(), label.as_ref(), strong, mood, &mut sum);
    zone(page, token, &mut sum);
    letters_only(page, token, &place, label.as_ref(), &mut sum);
    sum.verdict(label.is_some_and(|l| l.kinds.has(Kind::Recovery)))
}

struct Sum {
    score: f32,
    reasons: Vec<(f32, &'static str, &'static str)>,
}

impl Sum {
    fn add(&mut self, weight: f32, rule: &'static str, reason: &'static str) {
        self.score += weight;
        if weight.abs() >= 0.3 {
            self.reasons.push((weight, rule, reason));
        }
    }

    fn verdict(mut self, recovery: bool) -> Verdict {
        self.reasons.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let rule = self.reasons.iter().find(|(weight, ..)| *weight > 0.0).map_or("form", |(_, rule, _)| rule);
        let reasons = self.reasons.iter().map(|(_, _, reason)| *reason).take(4).collect();
        Verdict { score: self.score, rule, reasons, recovery }
    }
}

fn place(page: &Page, token: &Token) -> Place {
    let line = page.line_at(token.start);
    let whole = page.lines.get(line).copied();
    let end_line = page.lines.get(page.line_at(token.end.saturating_sub(1))).copied();
    let alone = whole.zip(end_line).is_some_and(|(first, last)| {
        let before = page.folded.text.get(first.start..token.start).unwrap_or_default();
        let after = page.folded.text.get(token.end..last.end).unwrap_or_default();
        let trivial = |t: &str| t.chars().all(|c| !c.is_alphanumeric()) && t.chars().count() <= 12;
        trivial(before) && trivial(after) && !before.contains(['$', '€', '£', '¥', '#'])
    });
    Place { line, alone, weight: page.weight_of(token.start, token.end), distinct: page.stands_out_alone(token.start, token.end) }
}

fn shape(page: &Page, token: &Token, place: &Place, sum: &mut Sum) {
    let length = token.digits + token.letters;
    let weight = match token.shape {
        Shape::Digits { groups } => {
            let base = match length {
                6 => 0.9,
                4 => 0.0,
                5 => 0.2,
                7 => 0.0,
                8 => 0.4,
                9 => -0.6,
                _ => -1.5,
            };
            base - if groups > 1 { 0.3 } else { 0.0 }
        }
        Shape::Mixed if length > 10 => -1.0,
        Shape::Mixed if token.digits == 1 => -0.4,
        Shape::Mixed => 0.2,
        Shape::Joined => 0.3,
        Shape::Cells => 1.5,
        Shape::Prefixed => 0.4,
        Shape::Letters => -1.5,
        Shape::Words => -2.0,
        Shape::Phrase => -1.0,
    };
    sum.add(weight, "form", if weight < 0.0 { "its form is not that of most codes" } else { "it has the form of a code" });
    let own = page.folded.text.get(token.start..token.end).unwrap_or_default();
    if length == 4 && token.letters == 0 && (own.starts_with("19") || own.starts_with("20")) && !place.alone {
        sum.add(-1.8, "form", "it could be a year");
    }
    if length == 8 && token.letters == 0 && looks_like_day(own) {
        sum.add(-1.5, "form", "it could be a date");
    }
}

fn looks_like_day(own: &str) -> bool {
    let number = |from: usize, to: usize| own.get(from..to).and_then(|t| t.parse::<u8>().ok()).unwrap_or(99);
    (own.starts_with("19") || own.starts_with("20")) && (1..=12).contains(&number(4, 6)) && (1..=31).contains(&number(6, 8))
}

/// The name that is most likely said of this token.
fn best_label(page: &Page, token: &Token, others: &[Token], place: &Place) -> Option<Attachment> {
    best(page, token, others, place, |hit| hit.kinds.any(Kinds::LABELS))
}

fn best_decoy(page: &Page, token: &Token, others: &[Token], place: &Place) -> Option<Attachment> {
    best(page, token, others, place, |hit| hit.kinds.any(Kinds::DECOYS) && !hit.kinds.has(Kind::Name))
}

fn best(page: &Page, token: &Token, others: &[Token], place: &Place, wanted: impl Fn(&Hit) -> bool) -> Option<Attachment> {
    let from = page.lines.get(place.line.saturating_sub(4)).map_or(0, |line| line.start).max(token.start.saturating_sub(600));
    let to = page.lines.get(place.line + 3).map_or(page.folded.text.len(), |line| line.end).min(token.end + 300);
    let mut best: Option<Attachment> = None;
    for hit in page.hits_within(from, to).iter().filter(|hit| wanted(hit)).take(64) {
        let Some(found) = attach(page, token, others, place, hit) else { continue };
        let bonus = |a: &Attachment| if a.kinds.has(Kind::Name) { a.strength * 1.6 } else { a.strength };
        if best.as_ref().is_none_or(|b| bonus(&found) > bonus(b)) {
            best = Some(found);
        }
    }
    best
}

fn attach(page: &Page, token: &Token, others: &[Token], place: &Place, hit: &Hit) -> Option<Attachment> {
    let after = hit.start >= token.end;
    let (from, to) = if after { (token.end, hit.start) } else { (hit.end, token.start) };
    if !after && hit.end > token.start {
        return None;
    }
    let gap = page.folded.text.get(from..to)?;
    let between = tokens_between(others, from, to);
    let length = gap.chars().take(400).count();
    let sentences = sentence_ends(gap);
    let lines =
        page.line_at(to.saturating_sub(usize::from(after))).abs_diff(page.line_at(from.saturating_sub(usize::from(!after))));
    let strength = if after {
        // A name that has a code of its own right behind it speaks of that one.
        let taken = others.iter().any(|other| other.start >= hit.end && is_direct(page.folded.text.get(hit.end..other.start)));
        after_strength(length, sentences, lines, place) * if taken && length > 3 { 0.25 } else { 1.0 }
    } else {
        before_strength(length, sentences, lines, place)
    };
    let crowd = match between {
        0 => 1.0,
        1 => 0.45,
        _ => 0.25,
    };
    let direct = between == 0 && sentences == 0 && length <= 16 && lines <= 1;
    Some(Attachment { strength: strength * crowd, after, kinds: hit.kinds, direct })
}

fn tokens_between(others: &[Token], from: usize, to: usize) -> usize {
    let first = others.partition_point(|other| other.start < from);
    others.iter().skip(first).take_while(|other| other.end <= to).take(3).filter(|other| other.digits >= 3).count()
}

fn is_direct(gap: Option<&str>) -> bool {
    gap.is_some_and(|gap| gap.len() <= 8 && gap.chars().all(|c| !c.is_alphanumeric()) || gap.trim_matches([' ', ':']) == "is")
}

fn sentence_ends(gap: &str) -> usize {
    let mut ends = 0;
    let mut previous = ' ';
    for c in gap.chars().take(400) {
        let stop = matches!(previous, '.' | '!' | '?') && c.is_whitespace();
        ends += usize::from(stop || matches!(c, '。' | '！' | '？' | '؟' | '।' | '۔'));
        previous = c;
    }
    ends + usize::from(matches!(previous, '!' | '?'))
}

fn before_strength(length: usize, sentences: usize, lines: usize, place: &Place) -> f32 {
    if place.alone && lines > 0 {
        return match lines {
            1 => 0.95,
            2 => 0.8,
            3 => 0.6,
            _ => 0.4,
        };
    }
    let near: f32 = match length {
        0..=4 => 1.0,
        5..=30 => 0.95,
        31..=80 => 0.75,
        81..=160 => 0.5,
        _ => 0.25,
    };
    near * match sentences {
        0 => 1.0,
        1 => 0.45,
        _ => 0.2,
    }
}

fn after_strength(length: usize, sentences: usize, lines: usize, place: &Place) -> f32 {
    if place.alone && lines > 0 {
        return match lines {
            1 => 0.7,
            2 => 0.45,
            _ => 0.2,
        };
    }
    let near: f32 = match length {
        0..=24 => 0.9,
        25..=60 => 0.6,
        61..=100 => 0.3,
        _ => 0.1,
    };
    near * match sentences {
        0 => 1.0,
        1 => 0.3,
        _ => 0.1,
    }
}

/// Adds what the name is worth; answers whether a certain name stands near.
fn name(label: Option<&Attachment>, mood: &Mood, sum: &mut Sum) -> bool {
    let Some(label) = label else {
        if mood.named_in_subject {
            sum.add(1.5, "subject_label", "the subject announces a code");
        } else if mood.loose_in_subject {
            sum.add(0.8, "subject_label", "the subject speaks of a code");
        }
        return false;
    };
    let certain = label.kinds.has(Kind::Name);
    let support = mood.named || mood.topic || mood.validity || mood.warning;
    let worth = match (certain, support) {
        (true, _) => 5.2,
        (false, true) => 4.0,
        (false, false) => {
            if label.direct {
                3.5
            } else {
                2.6
            }
        }
    };
    let (rule, reason) = match (certain, label.after) {
        (true, false) => ("label_before", "the name of a verification code stands before it"),
        (true, true) => ("label_after", "the name of a verification code stands after it"),
        (false, false) => ("loose_label_before", "a word such as \"code\" stands before it"),
        (false, true) => ("loose_label_after", "a word such as \"code\" stands after it"),
    };
    sum.add(worth * label.strength, rule, reason);
    if mood.named_in_subject {
        sum.add(0.6, "subject_label", "the subject announces a code");
    }
    certain && label.strength > 0.4
}

/// Wording that asks for entry, in the same sentence or the line before.
fn ask(page: &Page, token: &Token, place: &Place, sum: &mut Sum) {
    let from = if place.alone {
        page.lines.get(place.line.saturating_sub(1)).map_or(token.start, |line| line.start)
    } else {
        token.start.saturating_sub(160)
    };
    let asked = page.hits_within(from, token.start).iter().any(|hit| {
        let gap = page.folded.text.get(hit.end..token.start).unwrap_or_default();
        hit.kinds.has(Kind::Ask) && (place.alone || sentence_ends(gap) == 0)
    });
    if asked {
        sum.add(1.3, "asked_for", "the text asks to enter it");
    }
}

fn isolation(token: &Token, place: &Place, mood: &Mood, label: Option<&Attachment>, sum: &mut Sum) {
    let announced = mood.named || (mood.loosely_named && (mood.topic || mood.validity || mood.warning));
    if place.alone {
        let weight = if announced { 1.6 } else { 0.4 };
        sum.add(weight, "own_line", "it stands alone on its line");
    }
    if place.weight > 0 && place.distinct {
        let weight = f32::from(place.weight.min(4)) * if announced { 0.5 } else { 0.2 };
        sum.add(weight, "emphasis", "it is set apart from the text around it");
    }
    if token.shape == Shape::Cells && label.is_some() {
        sum.add(0.8, "cells", "each character has a cell of its own");
    }
}

fn whole_message(mood: &Mood, sum: &mut Sum) {
    if mood.validity && (mood.named || mood.loosely_named) {
        sum.add(0.4, "validity", "the text says how long it is valid");
    }
    if mood.warning && (mood.named || mood.loosely_named) {
        sum.add(0.4, "warning", "the text warns against sharing it");
    }
    if mood.topic {
        sum.add(0.3, "topic", "the message is about signing in or proving something");
    }
}

fn decoys(
    page: &Page,
    token: &Token,
    decoy: Option<&Attachment>,
    label: Option<&Attachment>,
    strong: bool,
    mood: &Mood,
    sum: &mut Sum,
) {
    if let Some(kind) = nature::nature(page, token) {
        let firmly = strong && label.is_some_and(|l| l.direct);
        let weight = match kind {
            nature::Nature::Quantity | nature::Nature::Year if firmly => -2.0,
            nature::Nature::Phone if firmly => -3.0,
            _ => -9.0,
        };
        sum.add(weight, "nature", "by its form it is a date, an amount, a phone number or the like");
    }
    if let Some(decoy) = decoy.filter(|d| d.direct || d.strength > 0.7) {
        let bare = !decoy.kinds.any(Kinds::DECOYS) || (decoy.kinds.has(Kind::Thing));
        let nearer = label.is_none_or(|l| !l.direct || l.after);
        let weight = match (decoy.direct && !decoy.after, bare, nearer) {
            (true, false, _) => -6.5,
            (true, true, true) => -4.0,
            (true, true, false) => -1.0,
            (false, false, true) => -1.5,
            _ => -0.3,
        };
        sum.add(weight, "decoy", "it is named as something else, such as an order or a phone number");
    }
    let elsewhere = mood.meeting || mood.coupon || mood.door;
    if elsewhere && !strong {
        let weight = if mood.named { -1.0 } else { -4.0 };
        sum.add(weight, "other_purpose", "the message is about a meeting, a coupon or a door");
    }
}

fn zone(page: &Page, token: &Token, sum: &mut Sum) {
    match page.zone_at(token.start) {
        Zone::Own => {}
        Zone::Quoted => sum.add(-6.0, "quoted", "it stands in a quoted earlier message"),
        Zone::Forwarded => sum.add(-1.5, "forwarded", "it stands in a forwarded message"),
    }
}

/// Letters alone are mostly words, so they need a name right before them and a place of their own.
fn letters_only(page: &Page, token: &Token, place: &Place, label: Option<&Attachment>, sum: &mut Sum) {
    let wordy = matches!(token.shape, Shape::Letters | Shape::Words | Shape::Phrase);
    if !wordy && token.digits > 0 {
        let own = page.folded.text.get(token.start..token.end).unwrap_or_default();
        let letters = own.bytes().take_while(u8::is_ascii_alphabetic).count();
        let like_a_word = token.shape == Shape::Mixed && letters >= 3 && token.digits <= 2 && letters + token.digits == own.len();
        if like_a_word && !place.alone && !place.distinct {
            sum.add(-3.0, "word", "it looks like a word with a number");
        }
        return;
    }
    let before = label.is_some_and(|l| !l.after && l.direct);
    let near = label.is_some_and(|l| !l.after && l.strength > 0.7);
    let apart = place.alone || place.distinct;
    let colon = page.folded.text.get(..token.start).is_some_and(|t| t.trim_end().ends_with([':', '：', '"', '「', '[']));
    if (near && apart) || (before && colon) {
        return;
    }
    sum.add(-5.0, "word", "it looks like an ordinary word");
}
