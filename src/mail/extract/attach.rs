//! How strongly a phrase near a token speaks of it: distance, sentences, lines and other tokens between.

use crate::mail::extract::page::Page;
use crate::mail::extract::token::Token;
use crate::mail::extract::wording::Hit;

/// How a token stands in its line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) line: usize,
    /// Nothing else of weight is on the line.
    pub(super) alone: bool,
    pub(super) weight: u8,
    pub(super) distinct: bool,
}

/// A phrase near a token.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a piece of evidence of its own")]
pub(super) struct Attachment {
    /// From 0 to 1.
    pub(super) strength: f32,
    /// It stands behind the token.
    pub(super) after: bool,
    /// Next to nothing stands between.
    pub(super) direct: bool,
    /// It stands in the same sentence or, for a token alone on its line, in the line before or after.
    pub(super) near: bool,
    /// Characters between.
    pub(super) length: usize,
    /// Nothing but punctuation or a word such as "is" between.
    pub(super) tight: bool,
    /// A verb such as "is", or a colon, stands right before the token, and the phrase before that.
    pub(super) copula: bool,
    /// Other tokens between, as far as they are counted.
    pub(super) between: usize,
}

/// Where a token stands.
pub(super) fn place(page: &Page, token: &Token) -> Place {
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

/// What a phrase has to do with a token; `others` are the tokens of the page, in order.
pub(super) fn attach(page: &Page, token: &Token, others: &[Token], place: &Place, hit: &Hit) -> Option<Attachment> {
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
        let follower = others.get(others.partition_point(|other| other.start < hit.end));
        let claimed = follower.is_some_and(|next| is_direct(page.folded.text.get(hit.end..next.start)));
        after_strength(length, sentences, lines, place) * if claimed && length > 3 { 0.25 } else { 1.0 }
    } else {
        before_strength(length, sentences, lines, place)
    };
    let crowd = match between {
        0 => 1.0,
        1 => 0.45,
        _ => 0.25,
    };
    let direct = between == 0 && sentences == 0 && length <= 16 && lines <= 1;
    let letters = gap.chars().take(40).filter(|c| c.is_alphabetic()).count();
    let tight = direct && letters <= 4;
    let copula = !after && between == 0 && sentences == 0 && length <= 60 && ends_with_copula(gap);
    let near = sentences == 0 && lines <= 1 && length <= 120;
    Some(Attachment { strength: strength * crowd, after, direct, near, length, tight, copula, between })
}

/// "is" in many languages, or what stands for it in writing.
fn ends_with_copula(gap: &str) -> bool {
    const WORDS: [&str; 34] = [
        "is",
        "es",
        "est",
        "ist",
        "lautet",
        "e",
        "sono",
        "jest",
        "to",
        "ar",
        "er",
        "on",
        "je",
        "este",
        "esta",
        "sunt",
        "adalah",
        "ialah",
        "ni",
        "la",
        "ειναι",
        "это",
        "є",
        "—",
        "هو",
        "هي",
        "הוא",
        "היא",
        "הינו",
        "است",
        "है",
        "হল",
        "হলো",
        "ہے",
    ];
    let trimmed = gap.trim_end_matches([' ', '\n', '"', '*', '[', '(', '\'', '«', '「', '【', '“']);
    if trimmed.ends_with([':', '：', '是', '为', '為', '=', '-', 'は']) || trimmed.ends_with("คือ") {
        return true;
    }
    trimmed.rsplit([' ', '\n']).next().is_some_and(|word| WORDS.contains(&word))
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

/// Whether eight digits could be a year, month and day.
pub(super) fn looks_like_day(own: &str) -> bool {
    let number = |from: usize, to: usize| own.get(from..to).and_then(|t| t.parse::<u8>().ok()).unwrap_or(99);
    (own.starts_with("19") || own.starts_with("20")) && (1..=12).contains(&number(4, 6)) && (1..=31).contains(&number(6, 8))
}
