//! The pieces that messages and questions are cut into, and how a `tsvector` and a `tsquery` write them.
//!
//! | Piece | Written | Found by |
//! | --- | --- | --- |
//! | a word of the text | `word` | its beginning, or the whole word |
//! | two neighbours in a script without spaces | `验证` | any part of a sentence |
//! | three neighbours in a subject, name, address | `s\|abc` | any part of it |
//! | a fact: the mailbox, a code, the host of a link | `m\|hello@inbox.example` | the whole |

use std::collections::HashMap;
use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// How many messages share a block: the unit in which the newest are looked through first.
pub const BLOCK: i64 = 1 << 14;
/// Letters of a word that count; longer words are found by these.
const WORD_CHARS: usize = 40;
/// A `tsvector` counts no further, and keeps no more places of one piece.
const LAST_PLACE: usize = 16_382;
const MOST_PLACES: usize = 255;

/// The fields that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    From,
    To,
    Cc,
    Bcc,
    ReplyTo,
    Subject,
    Filename,
    MessageId,
    ListId,
    Mailbox,
    Domain,
    Code,
    LinkHost,
    Has,
    Spf,
    Dkim,
    Dmarc,
}

impl Field {
    fn mark(self) -> char {
        match self {
            Self::From => 'f',
            Self::To => 't',
            Self::Cc => 'c',
            Self::Bcc => 'b',
            Self::ReplyTo => 'r',
            Self::Subject => 's',
            Self::Filename => 'n',
            Self::MessageId => 'i',
            Self::ListId => 'l',
            Self::Mailbox => 'm',
            Self::Domain => 'd',
            Self::Code => 'k',
            Self::LinkHost => 'h',
            Self::Has => 'x',
            Self::Spf => 'p',
            Self::Dkim => 'y',
            Self::Dmarc => 'z',
        }
    }

    /// A piece of this field. No word of a text has the stroke in it, so that fields and text cannot be confused.
    fn piece(self, text: &str) -> String {
        format!("{}|{text}", self.mark())
    }
}

/// The piece that all messages of a block have.
pub fn block_term(block: i64) -> String {
    format!("#{block}")
}

/// A character in the spelling in which everything is compared: lower case, without accents. Nothing for what is not seen.
pub(super) fn fold(c: char) -> impl Iterator<Item = char> {
    let plain = c.is_ascii() || is_dense(c);
    let whole = plain.then_some(c);
    let parts = (!plain).then(|| std::iter::once(c).nfkd().filter(|part| !('\u{300}'..='\u{36f}').contains(part)));
    let hidden = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    whole.into_iter().chain(parts.into_iter().flatten()).flat_map(char::to_lowercase).filter(move |_| !hidden)
}

pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(fold).collect()
}

/// Whether a character belongs to a script that writes no spaces between words, or glues its particles on.
pub(super) fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// A run of one kind in a folded text.
#[derive(Debug, PartialEq, Eq)]
enum Run<'a> {
    Word(&'a str),
    Dense(&'a str),
}

fn runs(folded: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = folded;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| c.is_alphanumeric())?;
        rest = rest.get(start..).unwrap_or_default();
        let dense = rest.chars().next().is_some_and(is_dense);
        let belongs = |c: char| is_dense(c) == dense && (c.is_alphanumeric() || is_combining_mark(c) || (dense && is_dense(c)));
        let end = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end.max(rest.chars().next().map_or(1, char::len_utf8)));
        rest = after;
        Some(if dense { Run::Dense(run) } else { Run::Word(run) })
    })
}

/// Neighbours of `n` characters, and at the end the shorter rest, so that every place is the beginning of a piece.
fn grams(text: &str, n: usize) -> impl Iterator<Item = &str> {
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let count = bounds.len() - 1;
    (0..count).filter_map(move |i| text.get(*bounds.get(i)?..*bounds.get((i + n).min(count))?))
}

/// The pieces of a message with their places.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    places: HashMap<String, Vec<usize>>,
    next: usize,
}

impl Pieces {
    /// Adds the words of a text; answers false once there is no more room.
    pub(super) fn text(&mut self, text: &str) {
        for run in runs(&folded(text)) {
            match run {
                Run::Word(word) => self.add(cut(word).to_owned()),
                Run::Dense(run) => grams(run, 2).for_each(|gram| self.add(gram.to_owned())),
            }
        }
        // What ends one text and begins the next are no neighbours.
        self.next += 1;
    }

    /// Adds a short field, to be found by any part of it.
    pub(super) fn field(&mut self, field: Field, text: &str) {
        let text = one_spaced(&folded(text));
        for gram in grams(&text, 3) {
            self.add(field.piece(gram));
        }
        self.next += 1;
    }

    /// Adds a fact, to be found as a whole.
    pub(super) fn fact(&mut self, field: Field, value: &str) {
        self.places.entry(field.piece(&folded(value))).or_default();
    }

    fn add(&mut self, piece: String) {
        if self.next < LAST_PLACE {
            self.next += 1;
            let places = self.places.entry(piece).or_default();
            if places.len() < MOST_PLACES {
                places.push(self.next);
            }
        }
    }

    /// As PostgreSQL reads a `tsvector`.
    pub(super) fn into_tsvector(self) -> String {
        let mut vector = String::with_capacity(self.places.len() * 16);
        for (piece, places) in self.places {
            push_quoted(&mut vector, &piece);
            for (i, place) in places.iter().enumerate() {
                // Writing to a String cannot fail.
                let _ = write!(vector, "{}{place}", if i == 0 { ':' } else { ',' });
            }
            vector.push(' ');
        }
        vector
    }
}

/// What asks for a text: the beginning of its last word is enough unless it must be `whole`. `None` where there is nothing to find.
pub(super) fn text_query(text: &str, whole: bool) -> Option<String> {
    let folded = folded(text);
    let all: Vec<Run<'_>> = runs(&folded).collect();
    let mut pieces = Vec::new();
    for (i, run) in all.iter().enumerate() {
        let last = i + 1 == all.len();
        match run {
            Run::Word(word) => pieces.push(quoted(cut(word), last && !whole)),
            Run::Dense(run) if run.chars().nth(1).is_none() => pieces.push(quoted(run, true)),
            // The shorter rest at the end is there only where the message's run ends too.
            Run::Dense(run) => {
                pieces.extend(grams(run, 2).filter(|gram| gram.chars().nth(1).is_some()).map(|gram| quoted(gram, false)));
            }
        }
    }
    joined(&pieces)
}

/// What asks for a part of a short field.
pub(super) fn field_query(field: Field, text: &str) -> Option<String> {
    let text = one_spaced(&folded(text));
    let count = text.chars().count();
    let pieces: Vec<String> = if count < 3 {
        (count > 0).then(|| quoted(&field.piece(&text), true)).into_iter().collect()
    } else {
        grams(&text, 3).filter(|gram| gram.chars().nth(2).is_some()).map(|gram| quoted(&field.piece(gram), false)).collect()
    };
    joined(&pieces)
}

/// What asks for a fact.
pub(super) fn fact_query(field: Field, value: &str) -> String {
    quoted(&field.piece(&folded(value)), false)
}

fn joined(pieces: &[String]) -> Option<String> {
    (!pieces.is_empty()).then(|| format!("({})", pieces.join("<->")))
}

fn quoted(piece: &str, beginning: bool) -> String {
    let mut query = String::with_capacity(piece.len() + 4);
    push_quoted(&mut query, piece);
    if beginning {
        query.push_str(":*");
    }
    query
}

fn push_quoted(to: &mut String, piece: &str) {
    to.push('\'');
    for c in piece.chars().filter(|c| *c != '\0') {
        if matches!(c, '\'' | '\\') {
            to.push(c);
        }
        to.push(c);
    }
    to.push('\'');
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(WORD_CHARS).and_then(|(at, _)| word.get(..at)).unwrap_or(word)
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_words_and_neighbours() {
        let cases: &[(&str, &[Run<'_>])] = &[
            ("Hello, World", &[Run::Word("hello"), Run::Word("world")]),
            ("Café", &[Run::Word("cafe")]),
            ("您的验证码是 482913。", &[Run::Dense("您的验证码是"), Run::Word("482913")]),
            ("인증번호 123", &[Run::Dense("인증번호"), Run::Word("123")]),
            ("ＡＢＣ１２", &[Run::Word("abc12")]),
            ("— · —", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(runs(&folded(text)).collect::<Vec<_>>(), *expected, "{text}");
        }
    }

    #[test]
    fn questions_are_written_as_postgresql_reads_them() {
        let cases = [
            (text_query("verif", false), Some("('verif':*)")),
            (text_query("Your Code", true), Some("('your'<->'code')")),
            (text_query("a@b.example", false), Some("('a'<->'b'<->'example':*)")),
            (text_query("验证码", false), Some("('验证'<->'证码')")),
            (text_query("码", false), Some("('码':*)")),
            (text_query("!?", false), None),
            (field_query(Field::From, "shop"), Some("('f|sho'<->'f|hop')")),
            (field_query(Field::From, "o'"), Some("('f|o''':*)")),
        ];
        for (query, expected) in cases {
            assert_eq!(query.as_deref(), expected);
        }
    }
}
