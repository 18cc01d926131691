//! What a token is by its own form and its nearest neighbours: a date, a time, money, a phone number.

use crate::mail::extract::attach;
use crate::mail::extract::page::Page;
use crate::mail::extract::token::Shape;
use crate::mail::extract::token::Token;
use crate::mail::extract::wording::Kind;

/// Why a token is no code, whatever is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Date,
    Time,
    Money,
    Phone,
    Decimal,
    Percent,
    Masked,
    Color,
    Identifier,
    File,
    Quantity,
    Year,
    Version,
}

/// What a token is, where its form tells.
pub(super) fn nature(page: &Page, token: &Token) -> Option<Nature> {
    let text = page.folded.text.as_str();
    let before = tail(text, token.start);
    let after = head(text, token.end);
    let own = text.get(token.start..token.end).unwrap_or_default();
    let rules: [fn(&Surroundings<'_>) -> Option<Nature>; 8] = [decimal, masked, money, date, clock, phone, identifier, unit];
    let around = Surroundings { page, token, own, before, after };
    rules.iter().find_map(|rule| rule(&around))
}

struct Surroundings<'a> {
    page: &'a Page,
    token: &'a Token,
    own: &'a str,
    before: &'a str,
    after: &'a str,
}

impl Surroundings<'_> {
    fn last(&self) -> char {
        self.before.chars().next_back().unwrap_or('\n')
    }
    fn next(&self) -> char {
        self.after.chars().next().unwrap_or('\n')
    }
    fn second_next(&self) -> char {
        self.after.chars().nth(1).unwrap_or('\n')
    }
    fn second_last(&self) -> char {
        self.before.chars().rev().nth(1).unwrap_or('\n')
    }
    fn plain_digits(&self) -> bool {
        matches!(self.token.shape, Shape::Digits { .. })
    }
    /// Whether a phrase of this kind starts right after the token.
    fn followed_by(&self, kind: Kind) -> bool {
        let gap = self.after.len() - self.after.trim_start_matches([' ', '-', '(']).len();
        let at = self.token.end + gap;
        gap <= 2 && self.page.hits_within(at, at + 1).iter().any(|hit| hit.kinds.has(kind))
    }
    /// Whether a phrase of this kind ends right before the token.
    fn preceded_by(&self, kind: Kind) -> bool {
        let gap = self.before.len() - self.before.trim_end_matches([' ', '.', ':', '\u{a0}', ',']).len();
        let at = self.token.start - gap;
        gap <= 3 && self.page.hits_within(at.saturating_sub(40), at).iter().any(|hit| hit.end == at && hit.kinds.has(kind))
    }
    fn year(&self) -> bool {
        self.own.len() == 4 && self.own.parse::<u16>().is_ok_and(|year| (1900..=2099).contains(&year))
    }
}

fn decimal(at: &Surroundings<'_>) -> Option<Nature> {
    let after = matches!(at.next(), '.' | ',') && at.second_next().is_ascii_digit();
    let before = matches!(at.last(), '.' | ',') && at.second_last().is_ascii_digit();
    if (after || before) && at.plain_digits() {
        return Some(Nature::Decimal);
    }
    let percent = at.after.trim_start().starts_with(['%', '‰', '°', '٪']);
    (percent && at.plain_digits()).then_some(Nature::Percent)
}

fn masked(at: &Surroundings<'_>) -> Option<Nature> {
    let trimmed = at.before.trim_end_matches([' ', '-']);
    let stars = trimmed.chars().rev().take_while(|c| matches!(c, '*' | '•' | '·' | '●' | '∙' | '…' | 'x' | '#')).count();
    let dots = trimmed.ends_with("...") || trimmed.ends_with('…');
    // Two stars before and after are Markdown's bold.
    let bold = trimmed.ends_with("**") && !trimmed.ends_with("***") && at.after.starts_with("**");
    let hidden = (stars >= 2 && !bold && at.before.len() - trimmed.len() <= 2) || (dots && at.before.len() - trimmed.len() <= 1);
    let tail_hidden = at.after.starts_with("***") || at.after.starts_with("••") || at.after.starts_with("xx");
    (hidden || tail_hidden).then_some(Nature::Masked)
}

fn money(at: &Surroundings<'_>) -> Option<Nature> {
    let symbol = |c: char| {
        matches!(
            c,
            '$' | '€'
                | '£'
                | '¥'
                | '￥'
                | '₹'
                | '₩'
                | '₺'
                | '₽'
                | '₴'
                | '₫'
                | '฿'
                | '₪'
                | '₱'
                | '₦'
                | '৳'
                | '﷼'
                | '円'
                | '元'
        )
    };
    let before = at.before.trim_end_matches(' ').chars().next_back().is_some_and(symbol) && at.last() != '\n';
    let after = at.after.trim_start_matches(' ').chars().next().is_some_and(symbol);
    ((before || after) && at.plain_digits()).then_some(Nature::Money)
}

fn date(at: &Surroundings<'_>) -> Option<Nature> {
    let slash = |c: char| c == '/' || c == '\\';
    if (slash(at.last()) && at.second_last().is_ascii_alphanumeric())
        || (slash(at.next()) && at.second_next().is_ascii_alphanumeric())
    {
        return Some(Nature::Date);
    }
    if at.next() == '年' || at.after.trim_start().starts_with('년') || (at.year() && at.after.trim_start().starts_with("ปี"))
    {
        return Some(Nature::Date);
    }
    if let Shape::Digits { groups } = at.token.shape {
        let parts: Vec<&str> = at.own.split(['-', '.', ' ']).collect();
        if groups == 3 && is_date(&parts) {
            return Some(Nature::Date);
        }
        if groups == 2 && at.own.contains('-') && parts.iter().all(|part| is_year(part)) {
            return Some(Nature::Date);
        }
    }
    let word = at.before.trim_end().rsplit([' ', '\n']).next().unwrap_or_default();
    let dated = ["on", "am", "le", "el", "em", "op", "dnia", "dne", "den", "от", "від", "vom", "since", "dated"].contains(&word);
    if at.own.len() == 8 && dated && attach::looks_like_day(at.own) {
        return Some(Nature::Date);
    }
    if at.own.len() == 4 && at.plain_digits() && at.before.trim_end().ends_with('©') {
        return Some(Nature::Date);
    }
    if at.year() {
        let sign = at.before.trim_end().ends_with(['©', '®']) || at.before.trim_end().ends_with("(c)");
        if sign || at.preceded_by(Kind::Month) || at.followed_by(Kind::Month) {
            return Some(Nature::Year);
        }
        if at.last() == '-' || at.next() == '-' {
            return Some(Nature::Year);
        }
    }
    None
}

fn is_year(part: &str) -> bool {
    part.len() == 4 && (part.starts_with("19") || part.starts_with("20"))
}

fn is_date(parts: &[&str]) -> bool {
    let number = |part: &str| part.parse::<u16>().unwrap_or(u16::MAX);
    match parts {
        [year, month, day] if year.len() == 4 => is_year(year) && number(month) <= 12 && number(day) <= 31,
        [day, month, year] if year.len() == 4 => is_year(year) && number(month) <= 31 && number(day) <= 31,
        _ => false,
    }
}

fn clock(at: &Surroundings<'_>) -> Option<Nature> {
    let after = at.next() == ':' && at.second_next().is_ascii_digit();
    let before = at.last() == ':' && at.second_last().is_ascii_digit();
    let short = at.token.digits <= 4 || matches!(at.token.shape, Shape::Digits { groups: 2.. });
    ((after || before) && short).then_some(Nature::Time)
}

/// A number that goes on beyond the token, in groups, is a phone, card or account number.
fn phone(at: &Surroundings<'_>) -> Option<Nature> {
    if !at.plain_digits() {
        return None;
    }
    if at.last() == '+' || (at.last() == ')' && at.second_last().is_ascii_digit()) {
        return Some(Nature::Phone);
    }
    let more = run(at.before.chars().rev()) + run(at.after.chars());
    if more > 0 && at.token.digits + more >= 7 {
        return Some(Nature::Phone);
    }
    let digits: String = at.own.chars().filter(char::is_ascii_digit).collect();
    let grouped = matches!(at.token.shape, Shape::Digits { groups: 3.. });
    (grouped && digits.starts_with('0') && digits.len() >= 9).then_some(Nature::Phone)
}

/// How many digits go on in one direction, in groups parted by one character.
fn run(characters: impl Iterator<Item = char>) -> usize {
    let (mut digits, mut gap) = (0, 0);
    for c in characters.take(24) {
        if c.is_ascii_digit() {
            digits += 1;
            gap = 0;
        } else if gap < 1 + usize::from(digits == 0) && matches!(c, ' ' | '-' | '.' | '(' | ')' | '+') {
            gap += 1;
        } else {
            // Letters right after digits: another word, such as "10min".
            return if c.is_ascii_alphabetic() && gap == 0 { 0 } else { digits };
        }
    }
    digits
}

fn identifier(at: &Surroundings<'_>) -> Option<Nature> {
    if at.last() == '_' || at.next() == '_' || (at.last() == '=' && at.second_last().is_ascii_alphanumeric()) || at.last() == '&'
    {
        return Some(Nature::Identifier);
    }
    if at.next() == '.' && file_ending(at.after) {
        return Some(Nature::File);
    }
    if at.last() == '#'
        && at.token.letters > 0
        && at.token.digits + at.token.letters == 6
        && at.own.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return Some(Nature::Color);
    }
    let version = at.last() == 'v' || at.before.ends_with("v.");
    if version && !at.second_last().is_ascii_alphabetic() && at.plain_digits() {
        return Some(Nature::Version);
    }
    let letter = |c: char| c.is_alphabetic() && !c.is_ascii() && ('\u{c0}'..'\u{530}').contains(&c);
    let glued = (letter(at.last()) || letter(at.next())) && at.token.letters > 0;
    let hyphened = at.last() == '-' && at.second_last().is_alphanumeric();
    let cut_off = at.next() == '-' && at.second_next().is_ascii_alphanumeric();
    (glued || ((hyphened || cut_off) && at.token.shape != Shape::Cells)).then_some(Nature::Identifier)
}

fn file_ending(after: &str) -> bool {
    let ending: String = after.chars().skip(1).take_while(char::is_ascii_alphanumeric).collect();
    matches!(
        ending.as_str(),
        "pdf"
            | "png"
            | "jpg"
            | "jpeg"
            | "doc"
            | "docx"
            | "xls"
            | "xlsx"
            | "csv"
            | "zip"
            | "txt"
            | "html"
            | "ics"
            | "gif"
            | "eml"
            | "ppt"
            | "pptx"
    )
}

fn unit(at: &Surroundings<'_>) -> Option<Nature> {
    if at.plain_digits() && !at.own.contains(['-', ' ']) {
        let spoken = [Kind::Minutes, Kind::Hours, Kind::Days, Kind::Seconds, Kind::Unit, Kind::Money];
        if spoken.iter().any(|kind| at.followed_by(*kind)) {
            return Some(Nature::Quantity);
        }
        if at.preceded_by(Kind::Money) {
            return Some(Nature::Money);
        }
    }
    if at.token.shape == Shape::Mixed {
        let digits = at.own.bytes().take_while(u8::is_ascii_digit).count();
        let suffix = at.own.get(digits..).unwrap_or_default();
        let units = [
            "st", "nd", "rd", "th", "mb", "gb", "kb", "tb", "px", "pt", "em", "min", "mins", "h", "hrs", "km", "kg", "am", "pm",
            "ml", "mm", "cm", "kwh", "mhz", "ghz", "mah", "p", "k", "m", "usd", "eur", "x",
        ];
        let hour = suffix.strip_prefix('h').is_some_and(|rest| rest.len() == 2 && rest.bytes().all(|b| b.is_ascii_digit()));
        if digits > 0 && digits <= 2 && hour {
            return Some(Nature::Time);
        }
        if digits > 0 && units.contains(&suffix) {
            return Some(Nature::Quantity);
        }
    }
    None
}

fn tail(text: &str, end: usize) -> &str {
    let mut start = end.saturating_sub(48);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..end).unwrap_or_default()
}

fn head(text: &str, start: usize) -> &str {
    let mut end = (start + 48).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(start..end).unwrap_or_default()
}
