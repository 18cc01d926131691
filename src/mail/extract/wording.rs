//! The wording of all languages: read once from the files under `wording/`, looked up in one pass over a text.
//!
//! A file is for speakers to read and mend; `docs/extraction.md` says what each list is for.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use crate::mail::extract::fold;

/// What a phrase says. The order is that of the bits in [`Kinds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Name,
    Loose,
    Ask,
    Topic,
    Validity,
    Warning,
    Device,
    Recovery,
    Number,
    Thing,
    Coupon,
    Meeting,
    Door,
    Place,
    Phone,
    Card,
    Version,
    Unit,
    Money,
    Verify,
    Reset,
    SignIn,
    Invite,
    OtherLink,
    Unsubscribe,
    NotMe,
    Click,
    Seconds,
    Minutes,
    Hours,
    Days,
    Month,
    Reply,
    Forward,
    Old,
    Figure,
    Yours,
    Example,
    Past,
    News,
    Handover,
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kinds(u64);

impl Kinds {
    /// The names of a verification code, certain or not.
    pub(super) const LABELS: Self = Self(1 << Kind::Name as u8 | 1 << Kind::Loose as u8 | 1 << Kind::Recovery as u8);
    /// What names a number that is no verification code.
    pub(super) const DECOYS: Self = Self(0b1_1111_1111 << Kind::Number as u8);
    /// Phrases that swallow shorter ones within them.
    const NOUNS: Self = Self(Self::LABELS.0 | Self::DECOYS.0);
    /// All that is said of a number or of what the message is about; not months, units of time and wording of links.
    pub(super) const OF_CODES: Self = Self(
        Self::LABELS.0
            | Self::DECOYS.0
            | 1 << Kind::Ask as u8
            | 1 << Kind::Topic as u8
            | 1 << Kind::Validity as u8
            | 1 << Kind::Old as u8
            | 1 << Kind::Figure as u8
            | 1 << Kind::Yours as u8
            | 1 << Kind::Example as u8
            | 1 << Kind::Past as u8
            | 1 << Kind::News as u8
            | 1 << Kind::Handover as u8,
    );
    const LINKS: Self = Self(0b1111_1111 << Kind::Verify as u8);

    /// The set of these.
    pub(super) const fn of(kinds: &[Kind]) -> Self {
        let (mut set, mut rest) = (0, kinds);
        while let [first, others @ ..] = rest {
            set |= 1 << *first as u8;
            rest = others;
        }
        Self(set)
    }
    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
    pub(super) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
    pub(super) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }
    /// The numbers of the kinds, for tables over all kinds.
    pub(super) fn each(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (next < 64).then_some(next as usize)
        })
    }
    fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }
}

/// A phrase found in a folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kinds: Kinds,
}

/// The languages, each a file.
const FILES: &[&str] = &[
    include_str!("wording/en.toml"),
    include_str!("wording/zh.toml"),
    include_str!("wording/ja.toml"),
    include_str!("wording/ko.toml"),
    include_str!("wording/es.toml"),
    include_str!("wording/pt.toml"),
    include_str!("wording/fr.toml"),
    include_str!("wording/de.toml"),
    include_str!("wording/it.toml"),
    include_str!("wording/nl.toml"),
    include_str!("wording/pl.toml"),
    include_str!("wording/ru.toml"),
    include_str!("wording/uk.toml"),
    include_str!("wording/tr.toml"),
    include_str!("wording/ar.toml"),
    include_str!("wording/he.toml"),
    include_str!("wording/fa.toml"),
    include_str!("wording/hi.toml"),
    include_str!("wording/vi.toml"),
    include_str!("wording/th.toml"),
    include_str!("wording/id.toml"),
    include_str!("wording/sv.toml"),
    include_str!("wording/cs.toml"),
    include_str!("wording/el.toml"),
    include_str!("wording/more.toml"),
    include_str!("wording/world.toml"),
];

/// One language's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    /// The name of the language, for readers of the file.
    #[expect(dead_code, reason = "the files are read by people too")]
    #[serde(rename = "language")]
    name: String,
    #[serde(default)]
    code: Code,
    #[serde(default)]
    not_a_code: NotACode,
    #[serde(default)]
    link: Link,
    #[serde(default)]
    time: Time,
    #[serde(default)]
    quote: Quote,
}

type Phrases = Vec<String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Code {
    names: Phrases,
    loose: Phrases,
    ask: Phrases,
    topics: Phrases,
    validity: Phrases,
    warnings: Phrases,
    device: Phrases,
    recovery: Phrases,
    old: Phrases,
    figures: Phrases,
    yours: Phrases,
    examples: Phrases,
    past: Phrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NotACode {
    numbers: Phrases,
    things: Phrases,
    coupons: Phrases,
    meetings: Phrases,
    doors: Phrases,
    places: Phrases,
    phones: Phrases,
    cards: Phrases,
    versions: Phrases,
    units: Phrases,
    money: Phrases,
    news: Phrases,
    handover: Phrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Link {
    verify: Phrases,
    reset: Phrases,
    sign_in: Phrases,
    invite: Phrases,
    other: Phrases,
    unsubscribe: Phrases,
    not_me: Phrases,
    click: Phrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Time {
    seconds: Phrases,
    minutes: Phrases,
    hours: Phrases,
    days: Phrases,
    months: Phrases,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Quote {
    reply: Phrases,
    forward: Phrases,
}

/// Everything that is looked for.
pub(super) struct Wording {
    automaton: AhoCorasick,
    phrases: Vec<Phrase>,
}

#[derive(Debug, Clone, Copy)]
struct Phrase {
    kinds: Kinds,
    /// A letter may stand right before, right after it.
    open: (bool, bool),
}

/// The wording of this build.
pub(super) static WORDING: LazyLock<Wording> = LazyLock::new(|| Wording::new(FILES));

impl Wording {
    /// Files that cannot be read are left out here; a test reads each.
    fn new(files: &[&str]) -> Self {
        let mut table: HashMap<String, Phrase> = HashMap::new();
        for language in files.iter().filter_map(|file| toml::from_str::<Language>(file).ok()) {
            for (kind, phrases) in language.lists() {
                for phrase in phrases.iter().flat_map(|phrase| endings(phrase)) {
                    add(&mut table, kind, &phrase);
                }
            }
        }
        let mut table: Vec<(String, Phrase)> = table.into_iter().collect();
        table.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let (texts, phrases): (Vec<_>, Vec<_>) = table.into_iter().unzip();
        let automaton = AhoCorasick::new(&texts).or_else(|_| AhoCorasick::new::<[&str; 0], &str>([]));
        let Ok(automaton) = automaton else { unreachable!("an automaton of nothing is always made") };
        Self { automaton, phrases }
    }

    /// The wording without a share of its phrases, in percent, drawn by a seed.
    #[cfg(test)]
    pub(super) fn forgetful(share: u32, seed: u32) -> Self {
        let mut wording = Self::new(FILES);
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        for phrase in &mut wording.phrases {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            if state % 100 < share {
                phrase.kinds = Kinds::default();
            }
        }
        wording
    }

    /// All phrases in a folded text, in order of their start; those within a longer noun are left out.
    pub(super) fn find(&self, text: &str) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()) else { continue };
            if stands_alone(text, found.start(), found.end(), phrase.open) && hits.len() < MAX_HITS {
                hits.push(Hit { start: found.start(), end: found.end(), kinds: phrase.kinds });
            }
        }
        hits.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        drop_swallowed(&mut hits);
        hits
    }
}

/// Phrases that are kept in one text.
const MAX_HITS: usize = 20_000;

impl Language {
    fn lists(&self) -> [(Kind, &Phrases); 41] {
        let Self { code, not_a_code: no, link, time, quote, .. } = self;
        [
            (Kind::Name, &code.names),
            (Kind::Loose, &code.loose),
            (Kind::Ask, &code.ask),
            (Kind::Topic, &code.topics),
            (Kind::Validity, &code.validity),
            (Kind::Warning, &code.warnings),
            (Kind::Device, &code.device),
            (Kind::Recovery, &code.recovery),
            (Kind::Old, &code.old),
            (Kind::Figure, &code.figures),
            (Kind::Yours, &code.yours),
            (Kind::Number, &no.numbers),
            (Kind::Thing, &no.things),
            (Kind::Coupon, &no.coupons),
            (Kind::Meeting, &no.meetings),
            (Kind::Door, &no.doors),
            (Kind::Place, &no.places),
            (Kind::Phone, &no.phones),
            (Kind::Card, &no.cards),
            (Kind::Version, &no.versions),
            (Kind::Unit, &no.units),
            (Kind::Money, &no.money),
            (Kind::Verify, &link.verify),
            (Kind::Reset, &link.reset),
            (Kind::SignIn, &link.sign_in),
            (Kind::Invite, &link.invite),
            (Kind::OtherLink, &link.other),
            (Kind::Unsubscribe, &link.unsubscribe),
            (Kind::NotMe, &link.not_me),
            (Kind::Click, &link.click),
            (Kind::Seconds, &time.seconds),
            (Kind::Minutes, &time.minutes),
            (Kind::Hours, &time.hours),
            (Kind::Days, &time.days),
            (Kind::Month, &time.months),
            (Kind::Reply, &quote.reply),
            (Kind::Forward, &quote.forward),
            (Kind::Example, &code.examples),
            (Kind::Past, &code.past),
            (Kind::News, &no.news),
            (Kind::Handover, &no.handover),
        ]
    }
}

/// `*` inside a phrase: one of the usual endings of a noun stands there.
fn endings(phrase: &str) -> Vec<String> {
    let Some(at) = phrase.find("* ") else { return vec![phrase.to_owned()] };
    let (head, tail) = phrase.split_at(at);
    let tail = tail.get(1..).unwrap_or_default();
    let cyrillic = head.chars().any(|c| ('\u{400}'..'\u{500}').contains(&c));
    let list: &[&str] = if cyrillic {
        &["", "а", "у", "ом", "и", "і", "ы", "ов", "ів", "е", "ый", "ого", "ым"]
    } else {
        &["", "s", "m", "e"]
    };
    list.iter().map(|ending| format!("{head}{ending}{tail}")).collect()
}

/// `*` at an end of a phrase: letters may go on there.
fn add(table: &mut HashMap<String, Phrase>, kind: Kind, phrase: &str) {
    let open = (phrase.starts_with('*'), phrase.ends_with('*'));
    let plain = phrase.trim_matches('*').trim();
    for text in [fold::fold(plain), fold::fold(&transliterated(plain))] {
        if text.is_empty() {
            continue;
        }
        let entry = table.entry(text).or_insert(Phrase { kinds: Kinds::default(), open });
        entry.kinds.add(kind);
        entry.open = (entry.open.0 || open.0, entry.open.1 || open.1);
    }
}

/// German and Nordic letters as they are written where the keyboard or the gateway has none.
fn transliterated(phrase: &str) -> String {
    let pairs = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("å", "aa"), ("ø", "oe"), ("æ", "ae")];
    pairs.iter().fold(phrase.to_owned(), |text, (letter, spelt)| text.replace(letter, spelt))
}

/// Whether a phrase is whole words, where its script has them.
fn stands_alone(text: &str, start: usize, end: usize, open: (bool, bool)) -> bool {
    let first = text.get(start..).and_then(|t| t.chars().next());
    let last = text.get(..end).and_then(|t| t.chars().next_back());
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    (open.0 || !joins(before, first)) && (open.1 || !joins(last, after))
}

/// Whether two neighbours belong to one word. Scripts without spaces, or with prefixes to their words, never bind.
fn joins(left: Option<char>, right: Option<char>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    let alphabetic = |c: char| c.is_ascii_alphabetic() || ('\u{c0}'..'\u{530}').contains(&c);
    alphabetic(left) && alphabetic(right)
}

/// Takes out labels and decoys that are part of a longer one: "code" in "postal code".
fn drop_swallowed(hits: &mut Vec<Hit>) {
    let mut reach = (0, 0);
    hits.retain(|hit| {
        if !hit.kinds.any(Kinds::NOUNS) {
            // "Reset your password" names no password that is given here.
            if hit.kinds.has(Kind::Reset) && hit.end > reach.1 {
                reach = (hit.start, hit.end);
            }
            return true;
        }
        let swallowed = hit.end <= reach.1 && (hit.start, hit.end) != reach;
        if hit.end > reach.1 {
            reach = (hit.start, hit.end);
        }
        !swallowed || hit.kinds.any(Kinds::LINKS)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_can_be_read() {
        for file in FILES {
            if let Err(error) = toml::from_str::<Language>(file) {
                panic!("{}: {error}", file.lines().next().unwrap_or_default());
            }
        }
    }

    #[test]
    fn the_longest_noun_wins_and_words_are_whole() {
        let kinds = |text: &str| WORDING.find(text).into_iter().map(|hit| hit.kinds).collect::<Vec<_>>();
        assert!(kinds("your verification code").iter().any(|k| k.has(Kind::Name)));
        assert!(!kinds("your postal code").iter().any(|k| k.has(Kind::Loose)));
        assert!(!kinds("encoder").iter().any(|k| k.has(Kind::Loose)));
    }
}
