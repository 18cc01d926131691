//! What can be measured about a token and its message besides the evidence: counts, places, distances.
//!
//! Most of it needs no wording at all, so that it helps in languages that have no file. The judge weighs it together
//! with the evidence (`judge.rs`); only the few best candidates of a message are measured.

use crate::mail::extract::attach::Place;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
use crate::mail::extract::token::Token;
use crate::mail::extract::types::Source;
use crate::mail::extract::wording::Hit;
use crate::mail::extract::wording::Kind;
use crate::mail::extract::wording::Kinds;

/// Measures: the name of the list, then name, rule and reason of each.
macro_rules! measures {
    ($list:ident $($name:ident $rule:literal $reason:literal)*) => {
        /// The measures, in the order of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $list { $($name,)* }
        /// Rule and reason of each.
        pub(super) const MEASURES: &[(&str, &str)] = &[$(($rule, $reason),)*];
        /// Their names, for the model.
        pub(super) const MEASURE_NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}
pub(super) use measures;

measures! { Measure
    Score            "evidence"      "all in all the words around it"
    Margin           "rivals"        "the distance to the next best number"
    Rank             "rivals"        "its rank among the numbers of the message"
    Rivals           "rivals"        "other numbers that could be it as well"
    Places           "repeated"      "how often the message shows it"
    Parts            "repeated"      "how many parts of the message show it"
    SubjectToo       "repeated"      "the subject shows it too"
    Size             "message"       "the length of the message"
    Lines            "message"       "the length of the message"
    Numbers          "message"       "how many numbers the message has"
    Links            "message"       "how many links the message has"
    NameWords        "message"       "how often the message speaks of verification codes"
    LooseWords       "message"       "how often the message speaks of codes"
    AskWords         "message"       "how often the message asks for entry"
    TopicWords       "message"       "how often the message speaks of signing in or proving something"
    ValidityWords    "message"       "how often the message speaks of validity"
    WarningWords     "message"       "the warnings in the message"
    DecoyWords       "message"       "how often the message speaks of orders, invoices and the like"
    NewsWords        "message"       "the message reads like news, a report or documentation"
    ExampleWords     "message"       "the message gives examples"
    PastWords        "message"       "the message tells of what is over"
    CouponWords      "message"       "the message speaks of offers"
    MeetingWords     "message"       "the message speaks of meetings"
    DoorWords        "message"       "the message speaks of doors, lockers or networks"
    HandoverWords    "message"       "the message speaks of handing something over"
    OtherLinkWords   "message"       "the message has links of other purposes"
    LeaveWords       "message"       "the message can be unsubscribed from"
    MoneyWords       "message"       "the message speaks of money"
    MonthWords       "message"       "the dates in the message"
    UnitWords        "message"       "the amounts in the message"
    CardWords        "message"       "the message speaks of cards"
    PhoneWords       "message"       "the message gives phone numbers"
    OldWords         "message"       "the message speaks of codes that are no longer valid"
    Masked           "message"       "the message shows a number with hidden digits, such as that of a card"
    SenderAccounts   "sender"        "the sender's address is one for accounts"
    SenderOthers     "sender"        "the sender's address is one for other business"
    SubjectTagged    "subject"       "the subject begins like that of a list or tracker"
    SubjectNumbers   "subject"       "the subject has numbers"
    Position         "place"         "how far down it stands"
    Ending           "place"         "it stands in the last lines"
    LineSize         "place"         "the length of its line"
    WordsBefore      "place"         "the words before it in its sentence"
    WordsAfter       "place"         "the words after it in its sentence"
    ColonBefore      "place"         "a colon stands before it"
    WordFollows      "place"         "a word follows it, as with amounts"
    WordPrecedes     "place"         "a word stands right before it"
    Parens           "place"         "it stands in brackets"
    Hash             "place"         "a number sign stands before it"
    SameForm         "place"         "other numbers look like it"
    FirstNumber      "place"         "it is the first number"
    OnlyEmphasis     "emphasis"      "it stands out more than any other number"
    RowsNear         "place"         "it is one of several rows of data"
    Source           "place"         "it stands in what looks like source text"
    Question         "place"         "its sentence is a question"
    Company          "boilerplate"   "its line is that of a company's name and address"
    ExampleNear      "example"       "an example is announced beside it"
    NewsNear         "message"       "news or documentation is spoken of beside it"
    HandoverNear     "other_purpose" "handing over is spoken of beside it"
    PastNear         "past"          "what is over is spoken of beside it"
    UnitNear         "place"         "an amount is spoken of beside it"
    NameDistance     "label_before"  "how near the name of a verification code is"
    LooseDistance    "loose_label_before" "how near a word such as \"code\" is"
    AskDistance      "asked_for"     "how near the request to enter it is"
    DecoyDistance    "decoy"         "how near the name of something else is"
    TimeDistance     "validity"      "how near a time span is"
    DigitCount       "form"          "how many digits it has"
    LetterCount      "form"          "how many letters it has"
    InText           "place"         "it stands in the text part"
    OriginBound      "origin_bound"  "it follows the convention for codes that are bound to a site"
}

/// The measures before this one are not told as reasons of their own.
pub(super) const TOLD_FROM: usize = 3;
/// How many measures there are.
pub(super) const MEASURE_COUNT: usize = MEASURES.len();

/// The measures of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measures(pub(super) [f32; MEASURE_COUNT]);

impl Measures {
    /// The measures of a message, the same for each of its candidates.
    pub(super) fn of_message(mood: &Mood) -> Self {
        let mut own = Self([0.0; MEASURE_COUNT]);
        own.set(Measure::Size, log(mood.size));
        own.set(Measure::Lines, log(mood.lines));
        own.set(Measure::Numbers, log(mood.numbers));
        own.set(Measure::Links, log(mood.link_count));
        for (measure, kinds) in COUNTED {
            own.set(*measure, kinds.iter().map(|kind| mood.count(*kind)).sum::<f32>().ln_1p());
        }
        own.flag(Measure::Masked, mood.masked);
        own.flag(Measure::SenderAccounts, mood.sender.accounts);
        own.flag(Measure::SenderOthers, mood.sender.others);
        let subject = mood.subject.trim_start();
        own.flag(Measure::SubjectTagged, subject.starts_with(['[', '<', '(', '【']) || subject.contains('#'));
        let digits = subject.bytes().filter(u8::is_ascii_digit).count();
        own.set(Measure::SubjectNumbers, log(digits));
        own
    }

    pub(super) fn set(&mut self, measure: Measure, value: f32) {
        if let Some(place) = self.0.get_mut(measure as usize) {
            *place = value;
        }
    }

    pub(super) fn flag(&mut self, measure: Measure, holds: bool) {
        self.set(measure, f32::from(u8::from(holds)));
    }

    /// Adds what can be measured of a token; `others` are the tokens of its page, in order.
    pub(super) fn measure(&mut self, page: &Page, token: &Token, others: &[Token], place: &Place) {
        self.form(page, token);
        self.line(page, token, place);
        self.beside(page, token);
        self.among(page, token, others);
        self.distances(page, token, others);
    }

    fn form(&mut self, page: &Page, token: &Token) {
        self.set(Measure::DigitCount, small(token.digits));
        self.set(Measure::LetterCount, small(token.letters));
        self.flag(Measure::InText, page.source == Source::Text);
    }

    fn line(&mut self, page: &Page, token: &Token, place: &Place) {
        let text = page.folded.text.as_str();
        let whole = text.len().max(1);
        self.set(Measure::Position, share(token.start, whole));
        self.flag(Measure::Ending, place.line + 3 >= page.lines.len() && page.lines.len() > 4);
        let (from, to) = sentence(text, token);
        let (before, after) = (text.get(from..token.start).unwrap_or_default(), text.get(token.end..to).unwrap_or_default());
        self.set(Measure::WordsBefore, log(words(before)));
        self.set(Measure::WordsAfter, log(words(after)));
        self.flag(Measure::Question, text.get(to..).is_some_and(|t| t.starts_with(['?', '？', '؟', ';'])));
        let line = page.lines.get(place.line).copied();
        let (start, end) = line.map_or((token.start, token.end), |line| (line.start, line.end));
        self.set(Measure::LineSize, log(end.saturating_sub(start)));
        let own_line = clip(text, start.max(token.start.saturating_sub(200)), end.min(token.end + 200));
        let company = own_line.split(|c: char| !c.is_alphanumeric()).any(|word| COMPANY.contains(&word));
        self.flag(Measure::Company, company || own_line.contains(['©', '®']));
        self.flag(Measure::Source, own_line.contains(['{', '}', ';', '\\', '<', '=']));
        let rows = (place.line.saturating_sub(3)..place.line + 4).filter(|at| *at != place.line);
        let row =
            |at: usize| page.lines.get(at).is_some_and(|line| is_row(clip(text, line.start, line.end.min(line.start + 120))));
        self.set(Measure::RowsNear, small(rows.filter(|at| row(*at)).count()));
    }

    fn beside(&mut self, page: &Page, token: &Token) {
        let text = page.folded.text.as_str();
        let before = text.get(..token.start).unwrap_or_default();
        let after = text.get(token.end..).unwrap_or_default();
        let last = before.trim_end_matches([' ', '*', '"', '\'']).chars().next_back().unwrap_or('\n');
        let next = after.trim_start_matches(['*', '"', '\'']).chars().next().unwrap_or('\n');
        let second = after.chars().nth(1).unwrap_or('\n');
        self.flag(Measure::ColonBefore, matches!(last, ':' | '：' | '='));
        self.flag(Measure::WordPrecedes, last.is_alphabetic());
        self.flag(Measure::WordFollows, (next == ' ' && second.is_alphabetic()) || next.is_alphabetic());
        self.flag(Measure::Parens, matches!(last, '(' | '（' | '[') || matches!(next, ')' | '）' | ']'));
        let number = ["no.", "no", "nr", "nr.", "№", "#", "nº", "n°", "n.º", "num.", "број", "番", "第"];
        let word = before.trim_end_matches([' ', ':', '\u{a0}']).rsplit([' ', '\n', '(']).next().unwrap_or_default();
        self.flag(Measure::Hash, last == '#' || last == '№' || number.contains(&word));
    }

    fn among(&mut self, page: &Page, token: &Token, others: &[Token]) {
        let like = |other: &&Token| other.start != token.start && other.digits == token.digits && other.letters == token.letters;
        let own = page.folded.text.get(token.start..token.end);
        let same = others.iter().take(200).filter(like).filter(|other| page.folded.text.get(other.start..other.end) != own);
        self.set(Measure::SameForm, log(same.count()));
        let first = others.iter().find(|other| other.digits >= 4);
        self.flag(Measure::FirstNumber, first.is_some_and(|first| first.start == token.start));
        let weight = page.weight_of(token.start, token.end);
        let rest = others.iter().take(64).filter(|other| other.start != token.start && other.digits >= 3);
        let most = rest.map(|other| page.weight_of(other.start, other.end)).max().unwrap_or(0);
        self.set(Measure::OnlyEmphasis, f32::from(weight.saturating_sub(most)));
    }

    /// How near the phrases of some kinds are: 1 right beside it, less with each other number or sentence between.
    fn distances(&mut self, page: &Page, token: &Token, others: &[Token]) {
        let text = page.folded.text.as_str();
        let hits = page.hits_within(token.start.saturating_sub(400), token.end + 240);
        let skipped = hits.partition_point(|hit| hit.start < token.start).saturating_sub(48);
        for hit in hits.iter().skip(skipped).take(80) {
            let near = nearness(text, token, hit, others);
            for (measure, kinds) in NEAR {
                if near > 0.0 && hit.kinds.any(*kinds) {
                    let before = self.0.get(*measure as usize).copied().unwrap_or(0.0);
                    self.set(*measure, before.max(near));
                }
            }
        }
    }
}

const COUNTED: &[(Measure, &[Kind])] = &[
    (Measure::NameWords, &[Kind::Name]),
    (Measure::LooseWords, &[Kind::Loose]),
    (Measure::AskWords, &[Kind::Ask]),
    (Measure::TopicWords, &[Kind::Topic]),
    (Measure::ValidityWords, &[Kind::Validity]),
    (Measure::WarningWords, &[Kind::Warning, Kind::NotMe]),
    (Measure::DecoyWords, &[Kind::Number, Kind::Thing]),
    (Measure::NewsWords, &[Kind::News]),
    (Measure::ExampleWords, &[Kind::Example]),
    (Measure::PastWords, &[Kind::Past]),
    (Measure::CouponWords, &[Kind::Coupon]),
    (Measure::MeetingWords, &[Kind::Meeting]),
    (Measure::DoorWords, &[Kind::Door]),
    (Measure::HandoverWords, &[Kind::Handover]),
    (Measure::OtherLinkWords, &[Kind::OtherLink]),
    (Measure::LeaveWords, &[Kind::Unsubscribe]),
    (Measure::MoneyWords, &[Kind::Money]),
    (Measure::MonthWords, &[Kind::Month]),
    (Measure::UnitWords, &[Kind::Unit]),
    (Measure::CardWords, &[Kind::Card]),
    (Measure::PhoneWords, &[Kind::Phone]),
    (Measure::OldWords, &[Kind::Old]),
];

const NEAR: &[(Measure, Kinds)] = &[
    (Measure::NameDistance, Kinds::of(&[Kind::Name])),
    (Measure::LooseDistance, Kinds::of(&[Kind::Loose, Kind::Yours])),
    (Measure::AskDistance, Kinds::of(&[Kind::Ask])),
    (Measure::DecoyDistance, Kinds::DECOYS),
    (Measure::TimeDistance, Kinds::of(&[Kind::Seconds, Kind::Minutes, Kind::Hours])),
    (Measure::ExampleNear, Kinds::of(&[Kind::Example])),
    (Measure::NewsNear, Kinds::of(&[Kind::News])),
    (Measure::HandoverNear, Kinds::of(&[Kind::Handover])),
    (Measure::PastNear, Kinds::of(&[Kind::Past])),
    (Measure::UnitNear, Kinds::of(&[Kind::Unit, Kind::Money])),
];

/// Words in the names of companies; the same in most countries of a language.
const COMPANY: [&str; 32] = [
    "ltd", "inc", "llc", "gmbh", "oy", "ab", "aps", "bv", "nv", "sarl", "sas", "srl", "spa", "kft", "doo", "jsc", "plc", "corp",
    "pty", "limited", "ltda", "kg", "ag", "ooo", "ооо", "тов", "cnpj", "nif", "cif", "siret", "kvk", "hrb",
];

fn nearness(text: &str, token: &Token, hit: &Hit, others: &[Token]) -> f32 {
    let after = hit.start >= token.end;
    if !after && hit.end > token.start {
        return 0.0;
    }
    let (from, to) = if after { (token.end, hit.start) } else { (hit.end, token.start) };
    let Some(gap) = text.get(from..to) else { return 0.0 };
    let first = others.partition_point(|other| other.start < from);
    let between = others.iter().skip(first).take_while(|other| other.end <= to).take(3).count();
    let ends = gap.chars().filter(|c| matches!(c, '\n' | '.' | '。' | '!' | '?' | '！' | '？' | '।' | '؟')).take(4).count();
    1.0 / (1.0 + small(gap.len().min(400)) / 16.0 + small(ends) / 2.0 + small(between))
}

/// The sentence around a token, at most 240 octets to each side.
fn sentence(text: &str, token: &Token) -> (usize, usize) {
    let stop = |c: char| matches!(c, '\n' | '。' | '！' | '？' | '।' | '؟' | '!' | '?');
    let before = clip(text, token.start.saturating_sub(240), token.start);
    let start = before.rfind(stop).map_or(0, |at| at + 1).max(before.rfind(". ").map_or(0, |at| at + 2));
    let after = clip(text, token.end, token.end + 240);
    let end = after.find(stop).unwrap_or(after.len()).min(after.find(". ").unwrap_or(after.len()));
    (token.start - before.len() + start.min(before.len()), token.end + end)
}

/// Words, or in scripts without spaces characters by three.
pub(super) fn words(text: &str) -> usize {
    let spaced = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    let dense = text.chars().filter(|c| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{9fff}')).count();
    spaced + dense / 3
}

/// `Label: value`, or two cells.
fn is_row(line: &str) -> bool {
    let colon = line.find([':', '：']).is_some_and(|at| (2..40).contains(&at) && at + 1 < line.len());
    colon || line.contains("  ") || line.contains('\t')
}

fn clip(text: &str, from: usize, to: usize) -> &str {
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let to = (from..=to.min(text.len()).max(from)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    text.get(from..to).unwrap_or_default()
}

pub(super) fn log(count: usize) -> f32 {
    small(count).ln_1p()
}

pub(super) fn small(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

pub(super) fn share(part: usize, whole: usize) -> f32 {
    small(part.min(whole) * 1000 / whole) / 1000.0
}
