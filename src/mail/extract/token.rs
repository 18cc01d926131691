//! Everything in a text that has the form of a code, whatever it may mean.

use crate::mail::extract::page::Page;

/// The form of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Digits in one piece, or in groups.
    Digits { groups: usize },
    /// Letters and digits in one piece.
    Mixed,
    /// Groups of letters or digits joined by hyphens.
    Joined,
    /// Letters only, in one piece.
    Letters,
    /// Single characters, each in a cell of its own.
    Cells,
    /// Words joined by hyphens, with or without a number.
    Words,
    /// A letter or two before the hyphen, digits behind it.
    Prefixed,
}

/// A token: a range of the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shape: Shape,
    /// How many digits it has.
    pub(super) digits: usize,
    /// How many letters it has.
    pub(super) letters: usize,
}

/// A run of ASCII letters and digits.
#[derive(Debug, Clone, Copy)]
struct Atom {
    start: usize,
    end: usize,
    digits: usize,
}

impl Atom {
    fn len(&self) -> usize {
        self.end - self.start
    }
    fn all_digits(&self) -> bool {
        self.digits == self.len()
    }
}

/// Tokens that are kept in one part.
const MAX_TOKENS: usize = 1500;

/// The tokens of a page, in order.
pub(super) fn tokens(page: &Page) -> Vec<Token> {
    let text = page.folded.text.as_str();
    let atoms = atoms(text);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < atoms.len() && tokens.len() < MAX_TOKENS {
        let rest = atoms.get(at..).unwrap_or_default();
        let found = cells(text, rest).or_else(|| grouped(text, rest)).or_else(|| joined(text, rest)).or_else(|| single(rest));
        let Some((token, used)) = found else { break };
        if is_code_like(&token) && has_code_case(page, &token) {
            tokens.push(token);
        }
        at += used;
    }
    tokens
}

/// Splits into atoms, leaving out what belongs to an address, a link or a path.
fn atoms(text: &str) -> Vec<Atom> {
    let bytes = text.as_bytes();
    let mut atoms = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let word = bytes.get(at..).unwrap_or_default();
        let length = word.iter().position(|b| !b.is_ascii_graphic()).unwrap_or(word.len());
        if length == 0 {
            let letters = foreign_letters(text.get(at..).unwrap_or_default());
            push(&mut atoms, Atom { start: at, end: at + letters, digits: 0 });
            at += letters.max(1);
            continue;
        }
        let word = word.get(..length).unwrap_or_default();
        let kept = free_of_addresses(word);
        let mut from = 0;
        while from < kept {
            let Some(start) = word.iter().take(kept).skip(from).position(u8::is_ascii_alphanumeric).map(|p| p + from) else {
                break;
            };
            let end = word.iter().take(kept).skip(start).position(|b| !b.is_ascii_alphanumeric()).map_or(kept, |p| p + start);
            let digits = word.iter().take(end).skip(start).filter(|b| b.is_ascii_digit()).count();
            push(&mut atoms, Atom { start: at + start, end: at + end, digits });
            from = end;
        }
        at += length;
    }
    atoms
}

/// Adds an atom. A few letters of another script that touch digits are one with them: `Ж7К`.
fn push(atoms: &mut Vec<Atom>, new: Atom) {
    let few = |atom: &Atom| atom.len() <= 6;
    match atoms.last_mut() {
        _ if new.len() == 0 => {}
        Some(last) if last.end == new.start && few(last) && few(&new) && last.digits + new.digits > 0 => {
            last.end = new.end;
            last.digits += new.digits;
        }
        _ => atoms.push(new),
    }
}

/// How many octets of Greek or Cyrillic letters a text begins with; code words may be of these.
fn foreign_letters(text: &str) -> usize {
    text.chars().take_while(|c| ('\u{370}'..'\u{530}').contains(c) && c.is_alphabetic()).map(char::len_utf8).sum()
}

/// How much of a word (ASCII without spaces) stands before a link or address in it.
fn free_of_addresses(word: &[u8]) -> usize {
    if let Some(at) = memchr::memmem::find(word, b"://") {
        let scheme = word.iter().take(at).rev().take_while(|b| b.is_ascii_alphabetic()).count();
        return at - scheme;
    }
    if word.starts_with(b"www.") || memchr::memmem::find(word, b"mailto:").is_some() {
        return 0;
    }
    match memchr::memchr(b'@', word) {
        Some(at) if at > 0 && word.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => 0,
        Some(0) if word.contains(&b'.') => 0,
        _ if has_domain_path(word) => 0,
        _ => word.len(),
    }
}

/// `shop.example/p/123456` and the like: a dot between letters, then a slash.
fn has_domain_path(word: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', word) else { return false };
    let host = word.get(..slash).unwrap_or_default();
    host.windows(3).any(|w| matches!(w, [a, b'.', c] if a.is_ascii_alphanumeric() && c.is_ascii_alphabetic()))
}

fn gap<'t>(text: &'t str, left: &Atom, right: &Atom) -> &'t str {
    text.get(left.end..right.start).unwrap_or_default()
}

/// `4 8 2 9 1 3`, one a cell or a line.
fn cells(text: &str, atoms: &[Atom]) -> Option<(Token, usize)> {
    let single = |atom: &&Atom| atom.len() == 1;
    let first = atoms.first().filter(single)?;
    let mut count = 1;
    for pair in atoms.windows(2).take(15) {
        let [left, right] = pair else { break };
        let between = gap(text, left, right);
        let blank = between.chars().all(|c| c.is_whitespace() || matches!(c, '|' | '-' | '·' | '*' | '│' | '[' | ']' | '('));
        if right.len() != 1 || !blank || between.is_empty() || between.chars().count() > 6 {
            break;
        }
        count += 1;
    }
    let last = atoms.get(count - 1)?;
    let digits = atoms.iter().take(count).map(|a| a.digits).sum();
    let letters = count - digits;
    let token = Token { start: first.start, end: last.end, shape: Shape::Cells, digits, letters };
    ((4..=10).contains(&count) && digits >= 2).then_some((token, count))
}

/// `482 913`, `482-913`, `12 34 56`: groups of digits with one separator.
fn grouped(text: &str, atoms: &[Atom]) -> Option<(Token, usize)> {
    let first = atoms.first().filter(|a| a.all_digits() && (2..=4).contains(&a.len()))?;
    let separator = gap(text, first, atoms.get(1)?);
    if !matches!(separator, " " | "-" | "·" | "  " | " - " | "‑" | ".") {
        return None;
    }
    let mut count = 1;
    for pair in atoms.windows(2).take(5) {
        let [left, right] = pair else { break };
        if gap(text, left, right) != separator || !right.all_digits() || !(2..=4).contains(&right.len()) {
            break;
        }
        count += 1;
    }
    let last = atoms.get(count - 1)?;
    let digits: usize = atoms.iter().take(count).map(|a| a.digits).sum();
    let even = atoms.iter().take(count).all(|a| a.len() == first.len());
    // A dot joins thousands and decimals too, so only even pairs or triples in a run count as a code.
    let fits = count >= 2 && (4..=10).contains(&digits) && (separator != "." || (even && first.len() < 3 && count > 2));
    let token = Token { start: first.start, end: last.end, shape: Shape::Digits { groups: count }, digits, letters: 0 };
    fits.then_some((token, count))
}

/// `XK4-9TQ`, `WDJB-MJHT`, `amber-falcon-73`, `G-482913`.
fn joined(text: &str, atoms: &[Atom]) -> Option<(Token, usize)> {
    let first = atoms.first()?;
    let mut count = 1;
    for pair in atoms.windows(2).take(8) {
        let [left, right] = pair else { break };
        if gap(text, left, right) != "-" {
            break;
        }
        count += 1;
    }
    let last = atoms.get(count - 1)?;
    let digits = atoms.iter().take(count).map(|a| a.digits).sum::<usize>();
    let total = atoms.iter().take(count).map(Atom::len).sum::<usize>();
    let letters = total - digits;
    if count < 2 || letters == 0 {
        return None;
    }
    let prefixed = count == 2 && first.digits == 0 && first.len() <= 2 && last.all_digits() && (4..=8).contains(&last.len());
    let word = |least: usize| atoms.iter().take(count).filter(|a| a.digits == 0 && a.len() >= least).count();
    let wordy = word(4) >= 1 || word(3) >= 2;
    let apart = atoms.iter().take(count).all(|a| a.digits == 0 || a.all_digits());
    let shape = match (prefixed, wordy && apart) {
        (true, _) => Shape::Prefixed,
        (false, true) => Shape::Words,
        (false, false) => Shape::Joined,
    };
    Some((Token { start: first.start, end: last.end, shape, digits, letters }, count))
}

fn single(atoms: &[Atom]) -> Option<(Token, usize)> {
    let atom = atoms.first()?;
    let letters = atom.len() - atom.digits;
    let shape = match (atom.digits, letters) {
        (_, 0) => Shape::Digits { groups: 1 },
        (0, _) => Shape::Letters,
        _ => Shape::Mixed,
    };
    Some((Token { start: atom.start, end: atom.end, shape, digits: atom.digits, letters }, 1))
}

/// Whether the length is that of a code.
fn is_code_like(token: &Token) -> bool {
    let total = token.digits + token.letters;
    match token.shape {
        Shape::Digits { .. } => (4..=10).contains(&total),
        Shape::Mixed => (4..=16).contains(&total),
        Shape::Joined => (5..=24).contains(&total),
        Shape::Letters => (4..=12).contains(&total),
        Shape::Words => (7..=60).contains(&total),
        Shape::Cells | Shape::Prefixed => true,
    }
}

/// Letters without a digit are a code only in capitals or in wild case; ordinary words are sorted out here.
fn has_code_case(page: &Page, token: &Token) -> bool {
    let (start, end) = page.visible_range(token.start, token.end);
    let written = page.visible.get(start..end).unwrap_or_default();
    if token.digits > 0 {
        // "10мин" is no code, "Ж7К-24М" may be one.
        let foreign = page.folded.text.get(token.start..token.end).is_some_and(|own| !own.is_ascii());
        return !foreign || token.shape == Shape::Words || !written.chars().any(char::is_lowercase);
    }
    if token.shape == Shape::Letters && !written.is_ascii() {
        return false;
    }
    let upper = written.chars().filter(|c| c.is_uppercase()).count();
    let letters = written.chars().filter(|c| c.is_alphabetic()).count();
    let inner = written.chars().skip(1).filter(|c| c.is_uppercase()).count();
    match token.shape {
        Shape::Words => true,
        Shape::Joined => upper == letters,
        _ => upper == letters || (inner >= 1 && upper < letters) || !written.chars().any(|c| "aeiouy".contains(c)),
    }
}
