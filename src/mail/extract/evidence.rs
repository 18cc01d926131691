//! What there is to say for and against a token being the code, as numbers.

use crate::mail::extract::attach;
use crate::mail::extract::attach::Attachment;
use crate::mail::extract::attach::Place;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::nature;
use crate::mail::extract::nature::Nature;
use crate::mail::extract::page::Page;
use crate::mail::extract::page::Zone;
use crate::mail::extract::token::Shape;
use crate::mail::extract::token::Token;
use crate::mail::extract::types::Source;
use crate::mail::extract::weights::COUNT;
use crate::mail::extract::weights::Feature;
use crate::mail::extract::wording::Hit;
use crate::mail::extract::wording::Kind;
use crate::mail::extract::wording::Kinds;

/// The evidence on one token, a number for each [`Feature`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence(pub(super) [f32; COUNT]);

impl Evidence {
    fn set(&mut self, feature: Feature, value: f32) {
        if let Some(place) = self.0.get_mut(feature as usize) {
            *place = place.max(value);
        }
    }
    fn flag(&mut self, feature: Feature, holds: bool) {
        self.set(feature, f32::from(u8::from(holds)));
    }
    /// Neither its form nor the words beside it say that it is something else.
    fn is_unexplained(&self) -> bool {
        const OTHER: [Feature; 14] = [
            Feature::Impossible,
            Feature::PhoneLike,
            Feature::Quantity,
            Feature::Quoted,
            Feature::Forwarded,
            Feature::ThingDirect,
            Feature::PlaceDirect,
            Feature::NumberDirect,
            Feature::OtherCodeDirect,
            Feature::Footer,
            Feature::StateZip,
            Feature::WordUnnamed,
            Feature::WordInText,
            Feature::DigitsMany,
        ];
        OTHER.iter().all(|feature| self.get(*feature) < 0.5)
    }
    pub(super) fn get(&self, feature: Feature) -> f32 {
        self.0.get(feature as usize).copied().unwrap_or(0.0)
    }
}

/// Collects the evidence on a token; `others` are all tokens of the page, in order.
pub(super) fn collect(page: &Page, token: &Token, others: &[Token], mood: &Mood) -> Evidence {
    let mut evidence = Evidence([0.0; COUNT]);
    let place = attach::place(page, token);
    evidence.set(Feature::Bias, 1.0);
    form(page, token, &mut evidence);
    phrases(page, token, others, &place, &mut evidence);
    stand(page, token, others, &place, &mut evidence);
    message(mood, &mut evidence);
    against(page, token, &mut evidence);
    words(page, token, &place, &mut evidence);
    combine(&place, mood, &mut evidence);
    let own = page.folded.text.get(token.start..token.end).unwrap_or_default();
    evidence.flag(Feature::LinkHolds, own.len() >= 4 && mood.links.iter().any(|link| holds(link, own)));
    evidence.flag(Feature::Twice, page.source != Source::Subject && own.len() >= 4 && holds(&mood.subject, own));
    evidence
}

/// Whether a text has the token as a whole word.
fn holds(text: &str, own: &str) -> bool {
    text.match_indices(own).take(4).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + own.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(|c| c.is_ascii_alphanumeric()) && !after.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

/// Evidence from the other tokens of the page: being the only number that nothing else explains.
pub(super) fn compare(page: &mut [Evidence]) {
    let unexplained = page.iter().filter(|one| one.is_unexplained()).count();
    for one in page.iter_mut().filter(|_| unexplained == 1) {
        if one.is_unexplained() {
            let topic = one.get(Feature::Topic) > 0.0 || one.get(Feature::TopicInSubject) > 0.0;
            one.flag(Feature::Sole, true);
            one.flag(Feature::SoleOnTopic, topic);
            let ask = one.get(Feature::AskBefore).max(one.get(Feature::AskAfter));
            one.set(Feature::SoleAsked, ask);
        }
    }
}

fn form(page: &Page, token: &Token, evidence: &mut Evidence) {
    let length = token.digits + token.letters;
    let own = page.folded.text.get(token.start..token.end).unwrap_or_default();
    match token.shape {
        Shape::Digits { groups } => {
            let feature = match length {
                6 => Feature::Digits6,
                4 => Feature::Digits4,
                5 => Feature::Digits5,
                7 => Feature::Digits7,
                8 => Feature::Digits8,
                _ => Feature::DigitsMany,
            };
            evidence.set(feature, 1.0);
            evidence.flag(Feature::Grouped, groups > 1);
            evidence.flag(Feature::LeadingZero, own.starts_with('0'));
            evidence.flag(Feature::YearLike, length == 4 && (own.starts_with("19") || own.starts_with("20")));
            evidence.flag(Feature::Round, length >= 5 && own.ends_with("000"));
            evidence.flag(Feature::Sequence, is_sequence(own));
            evidence.flag(Feature::DayLike, length == 8 && attach::looks_like_day(own));
        }
        Shape::Mixed => {
            evidence.set(Feature::Mixed, 1.0);
            let head = own.bytes().take_while(u8::is_ascii_alphabetic).count();
            let tail = own.bytes().skip(head).take_while(u8::is_ascii_digit).count();
            evidence.flag(Feature::CouponShape, head >= 3 && head + tail + 1 >= own.len() && tail >= 1);
            evidence.flag(Feature::MixedLong, length > 9);
            evidence.flag(Feature::MixedPoor, token.digits == 1 || token.letters == 1);
        }
        Shape::Joined => {
            evidence.set(Feature::Joined, 1.0);
            evidence.flag(Feature::MixedLong, length > 12);
        }
        Shape::Cells => evidence.set(Feature::Cells, 1.0),
        Shape::Prefixed => evidence.set(Feature::Prefixed, 1.0),
        Shape::Letters => evidence.set(Feature::Letters, 1.0),
        Shape::Words if is_random(token, own) => evidence.set(Feature::Joined, 1.0),
        Shape::Words => {
            evidence.set(Feature::Words, 1.0);
            evidence.flag(Feature::WordsOnly, token.digits == 0);
        }
    }
}

/// Groups of letters that nobody could say: `WDJB-MJHT`.
fn is_random(token: &Token, own: &str) -> bool {
    let vowels = own.bytes().filter(|b| b"aeiouy".contains(b)).count();
    matches!(token.shape, Shape::Joined | Shape::Words) && own.is_ascii() && vowels * 4 <= token.letters
}

/// 123456, 654321, 111111.
fn is_sequence(own: &str) -> bool {
    let digits: Vec<u8> = own.bytes().filter(u8::is_ascii_digit).collect();
    let by = |step: u8| digits.windows(2).all(|pair| matches!(pair, [a, b] if a.wrapping_add(step) == *b));
    by(1) || by(255) || by(0)
}

/// Octets before and behind a token that are looked at.
const REACH: (usize, usize) = (500, 260);

fn phrases(page: &Page, token: &Token, others: &[Token], place: &Place, evidence: &mut Evidence) {
    let first = page.lines.get(place.line.saturating_sub(4)).map_or(0, |line| line.start);
    let last = page.lines.get(place.line + 3).map_or(page.folded.text.len(), |line| line.end);
    let from = first.max(token.start.saturating_sub(REACH.0));
    let to = last.min(token.end + REACH.1);
    let hits = page.hits_within(from, to);
    // Another noun counts as the token's own only where no name of a code stands between them.
    let label = hits.iter().filter(|hit| hit.end <= token.start && hit.kinds.any(Kinds::LABELS)).map(|hit| hit.start).max();
    let skipped = hits.partition_point(|hit| hit.start < token.start).saturating_sub(48);
    for hit in hits.iter().skip(skipped).take(80).filter(|hit| hit.kinds.any(Kinds::OF_CODES)) {
        if let Some(mut found) = attach::attach(page, token, others, place, hit) {
            found.direct &= found.after || !hit.kinds.any(Kinds::DECOYS) || label.is_none_or(|label| label <= hit.start);
            phrase(hit, &found, place, evidence);
        }
    }
}

fn phrase(hit: &Hit, found: &Attachment, place: &Place, evidence: &mut Evidence) {
    let kinds = hit.kinds;
    let strength = found.strength;
    let direct = if found.direct { strength } else { 0.0 };
    let near = if found.near { strength } else { 0.0 };
    if kinds.has(Kind::Name) {
        evidence.set(if found.after { Feature::NameAfter } else { Feature::NameBefore }, strength);
        evidence.set(if found.after { Feature::NameAfterDirect } else { Feature::NameDirect }, direct);
    } else if kinds.has(Kind::Loose) && !kinds.any(Kinds::DECOYS) {
        evidence.set(if found.after { Feature::LooseAfter } else { Feature::LooseBefore }, strength);
        evidence.set(if found.after { Feature::LooseAfterDirect } else { Feature::LooseDirect }, direct);
    }
    if kinds.has(Kind::Ask) {
        evidence.set(if found.after { Feature::AskAfter } else { Feature::AskBefore }, near);
        evidence.set(if found.after { Feature::AskAfterDirect } else { Feature::AskDirect }, direct);
        if place.alone && !found.after {
            evidence.set(Feature::AskLine, strength);
        }
    }
    let label = kinds.has(Kind::Name) || (kinds.has(Kind::Loose) && !kinds.any(Kinds::DECOYS)) || kinds.has(Kind::Yours);
    evidence.flag(Feature::Copula, label && found.copula);
    let tight = if found.tight { strength } else { 0.0 };
    if kinds.has(Kind::Name) {
        evidence.set(Feature::NameTight, tight);
    } else if kinds.has(Kind::Loose) && !kinds.any(Kinds::DECOYS) {
        evidence.set(Feature::LooseTight, tight);
    }
    if kinds.has(Kind::Figure) {
        evidence.set(Feature::FigureDirect, if found.length <= 12 { direct } else { 0.0 });
    }
    if kinds.has(Kind::Yours) && !found.after {
        evidence.set(Feature::YoursDirect, direct);
    }
    if kinds.has(Kind::Old) && found.near && found.between == 0 && found.length <= 25 {
        evidence.set(Feature::OldNear, 1.0);
    }
    for (kind, feature) in [
        (Kind::Topic, Feature::TopicNear),
        (Kind::Validity, Feature::ValidityNear),
        (Kind::Recovery, Feature::RecoveryNear),
        (Kind::Coupon, Feature::CouponNear),
        (Kind::Meeting, Feature::MeetingNear),
        (Kind::Door, Feature::DoorNear),
    ] {
        if kinds.has(kind) {
            evidence.set(feature, if matches!(kind, Kind::Topic | Kind::Validity) { near } else { strength });
        }
    }
    if kinds.any(Kinds::DECOYS) && !kinds.has(Kind::Name) {
        decoy(kinds, found, direct, evidence);
    }
}

fn decoy(kinds: Kinds, found: &Attachment, direct: f32, evidence: &mut Evidence) {
    if found.after {
        evidence.set(Feature::DecoyAfterDirect, direct);
        return;
    }
    let feature = if kinds.has(Kind::Thing) {
        Feature::ThingDirect
    } else if kinds.has(Kind::Place) || kinds.has(Kind::Phone) || kinds.has(Kind::Card) || kinds.has(Kind::Version) {
        Feature::PlaceDirect
    } else if kinds.has(Kind::Number) {
        Feature::NumberDirect
    } else {
        Feature::OtherCodeDirect
    };
    evidence.set(feature, direct);
    evidence.set(Feature::DecoyNear, if found.near { found.strength } else { 0.0 });
}

fn stand(page: &Page, token: &Token, others: &[Token], place: &Place, evidence: &mut Evidence) {
    evidence.flag(Feature::Alone, place.alone);
    evidence.set(Feature::Emphasis, if place.distinct { f32::from(place.weight.min(4)) / 4.0 } else { 0.0 });
    let (from, to) = surroundings(page, token);
    let hits = page.hits_within(from, to);
    let notice = |hit: &&Hit| {
        let kinds = [Kind::Place, Kind::Phone, Kind::Unsubscribe, Kind::OtherLink, Kind::Number];
        kinds.iter().any(|kind| hit.kinds.has(*kind))
    };
    let text = page.folded.text.get(from..to).unwrap_or_default();
    let unsubscribes = hits.iter().any(|hit| hit.kinds.has(Kind::Unsubscribe));
    evidence.flag(Feature::Footer, text.contains(['©', '®']) || unsubscribes);
    let sign = text.contains(['©', '·', '|', '®']);
    evidence.flag(Feature::Boilerplate, hits.iter().filter(notice).count() + usize::from(sign) >= 2);
    let first = others.partition_point(|other| other.start < from);
    let line = others.iter().skip(first).take_while(|other| other.end <= to);
    evidence.flag(Feature::Crowded, line.take(64).filter(|other| other.digits >= 3).count() >= 3);
    let start = opens_sentence(page, token);
    let loose = evidence.get(Feature::LooseAfter).max(evidence.get(Feature::NameAfter));
    evidence.set(Feature::StartLoose, if start { loose } else { 0.0 });
    evidence.set(Feature::StartTopic, if start { evidence.get(Feature::TopicNear) } else { 0.0 });
    evidence.flag(Feature::InQuotes, in_quotes(page, token));
    evidence.flag(Feature::StateZip, follows_state(page, token));
    evidence.flag(Feature::InSubject, page.source == Source::Subject);
    match page.zone_at(token.start) {
        Zone::Own => {}
        Zone::Quoted => evidence.set(Feature::Quoted, 1.0),
        Zone::Forwarded => evidence.set(Feature::Forwarded, 1.0),
    }
}

/// The line of a token, as far as it is looked at: lines may be as long as the message.
fn surroundings(page: &Page, token: &Token) -> (usize, usize) {
    let line = page.lines.get(page.line_at(token.start)).copied();
    let (start, end) = line.map_or((token.start, token.end), |line| (line.start, line.end.max(token.end)));
    let text = page.folded.text.as_str();
    let from = (start.max(token.start.saturating_sub(400))..=token.start).find(|at| text.is_char_boundary(*at));
    let to = (token.end..=end.min(token.end + 400)).rev().find(|at| text.is_char_boundary(*at));
    (from.unwrap_or(token.start), to.unwrap_or(token.end))
}

/// Whether a sentence or line begins with the token and goes on.
fn opens_sentence(page: &Page, token: &Token) -> bool {
    let before = page.folded.text.get(..token.start).unwrap_or_default();
    let last = before.trim_end_matches([' ', '*', '"', '[', '(']).chars().next_back();
    let goes_on =
        page.folded.text.get(token.end..).is_some_and(|t| !t.trim_start_matches([' ', '*', '"', ']', ')']).starts_with('\n'));
    goes_on && last.is_none_or(|c| matches!(c, '\n' | '.' | '!' | '?' | '。' | ':' | '।'))
}

/// A quotation mark opens before the token on its line, with other words between.
fn in_quotes(page: &Page, token: &Token) -> bool {
    let (from, _) = surroundings(page, token);
    let before = page.folded.text.get(from..token.start).unwrap_or_default();
    let marks = before.matches('"').count();
    marks % 2 == 1 && before.rsplit('"').next().is_some_and(|inner| inner.chars().filter(|c| c.is_alphabetic()).count() >= 4)
}

/// `OH 45448`: two capitals before five digits.
fn follows_state(page: &Page, token: &Token) -> bool {
    let (start, _) = page.visible_range(token.start, token.end);
    let before: Vec<char> = page.visible.get(..start).unwrap_or_default().chars().rev().take(4).collect();
    matches!(before.as_slice(), [' ', a, b, rest @ ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase()
        && rest.first().is_none_or(|c| !c.is_alphanumeric()))
        && token.digits == 5
        && token.letters == 0
}

fn message(mood: &Mood, evidence: &mut Evidence) {
    evidence.flag(Feature::Named, mood.named);
    evidence.flag(Feature::NamedInSubject, mood.named_in_subject);
    evidence.flag(Feature::LooseInMessage, mood.loosely_named);
    evidence.flag(Feature::LooseInSubject, mood.loose_in_subject);
    evidence.flag(Feature::Topic, mood.topic);
    evidence.flag(Feature::TopicInSubject, mood.topic_in_subject);
    evidence.flag(Feature::Validity, mood.validity);
    evidence.flag(Feature::Warning, mood.warning);
    evidence.flag(Feature::Asks, mood.asks);
    evidence.flag(Feature::Device, mood.device);
    evidence.flag(Feature::MeetingMood, mood.meeting);
    evidence.flag(Feature::CouponMood, mood.coupon);
    evidence.flag(Feature::DoorMood, mood.door);
    evidence.flag(Feature::ReplySubject, mood.reply);
}

fn against(page: &Page, token: &Token, evidence: &mut Evidence) {
    let Some(found) = nature::nature(page, token) else { return };
    let feature = match found {
        Nature::Quantity | Nature::Year => Feature::Quantity,
        Nature::Phone => Feature::PhoneLike,
        _ => Feature::Impossible,
    };
    evidence.set(feature, 1.0);
}

/// Letters alone, or a word with a number, are mostly words.
fn words(page: &Page, token: &Token, place: &Place, evidence: &mut Evidence) {
    let own = page.folded.text.get(token.start..token.end).unwrap_or_default();
    let letters = own.bytes().take_while(u8::is_ascii_alphabetic).count();
    let like_a_word = token.shape == Shape::Mixed && letters >= 3 && token.digits <= 2 && letters + token.digits == own.len();
    let random = is_random(token, own);
    let lettered = matches!(token.shape, Shape::Letters | Shape::Words) || (token.letters > 0 && token.digits == 0);
    let wordy = lettered && !random;
    let apart = place.alone || place.distinct;
    let colon = page.folded.text.get(..token.start).is_some_and(|t| t.trim_end().ends_with([':', '：', '"', '「', '[', '*']));
    let goes_on = page
        .folded
        .text
        .get(token.end..)
        .is_some_and(|t| t.strip_prefix(' ').is_some_and(|t| t.chars().next().is_some_and(char::is_alphabetic)));
    evidence.flag(Feature::WordInText, (wordy || like_a_word) && !apart && (!colon || (like_a_word && goes_on)));
    evidence.flag(Feature::WordApart, wordy && apart);
    let before = evidence.get(Feature::NameBefore).max(evidence.get(Feature::LooseBefore)).max(evidence.get(Feature::AskLine));
    evidence.flag(Feature::WordUnnamed, wordy && before < 0.6 && evidence.get(Feature::AskBefore) < 0.6);
}

/// Evidence that counts more, or less, together.
fn combine(place: &Place, mood: &Mood, evidence: &mut Evidence) {
    let label = [Feature::NameBefore, Feature::NameAfter, Feature::LooseBefore, Feature::LooseAfter];
    let best = label.into_iter().map(|feature| evidence.get(feature)).fold(0.0, f32::max);
    let decoys = [Feature::ThingDirect, Feature::PlaceDirect, Feature::NumberDirect, Feature::OtherCodeDirect];
    let claimed = decoys.into_iter().map(|feature| evidence.get(feature)).fold(0.0, f32::max);
    let direct = evidence.get(Feature::NameDirect).max(evidence.get(Feature::LooseDirect));
    let spoken = mood.named || (mood.loosely_named && (mood.topic || mood.validity || mood.warning));
    let firm = [Feature::NameDirect, Feature::LooseDirect, Feature::NameAfterDirect, Feature::YoursDirect, Feature::Copula];
    let named = firm.into_iter().any(|feature| evidence.get(feature) > 0.5) || best > 0.6;
    let labelled = named || place.alone || evidence.get(Feature::AskDirect) > 0.5;
    evidence.flag(Feature::SequenceUnlabelled, evidence.get(Feature::Sequence) > 0.0 && !labelled);
    evidence.flag(Feature::SequenceQuoted, evidence.get(Feature::Sequence) > 0.0 && evidence.get(Feature::InQuotes) > 0.0);
    evidence.flag(Feature::YearUnlabelled, evidence.get(Feature::YearLike) > 0.0 && !labelled);
    evidence.flag(Feature::AloneAnnounced, place.alone && spoken);
    evidence.flag(Feature::Unlabelled, best < 0.3);
    evidence.set(Feature::ClaimedNotNamed, if direct < 0.5 { claimed } else { 0.0 });
    let ask = evidence.get(Feature::AskDirect).max(evidence.get(Feature::AskAfterDirect));
    evidence.set(Feature::AskUnclaimed, if claimed < 0.5 { ask } else { 0.0 });
    let loose = evidence.get(Feature::LooseBefore).max(evidence.get(Feature::LooseAfter));
    let other = evidence.get(Feature::MeetingNear).max(evidence.get(Feature::DoorNear)).max(evidence.get(Feature::CouponNear));
    let unnamed = evidence.get(Feature::NameBefore).max(evidence.get(Feature::NameAfter)) < 0.5;
    evidence.set(Feature::LooseElsewhere, if unnamed { loose * other } else { 0.0 });
    evidence.set(Feature::LooseOnTopic, if unnamed && mood.topic { loose } else { 0.0 });
    let asked = ask.max(evidence.get(Feature::AskBefore)).max(evidence.get(Feature::AskAfter));
    evidence.set(Feature::FigureAsked, evidence.get(Feature::FigureDirect) * asked);
    let spoken_near = [Feature::TopicNear, Feature::AskBefore, Feature::AskAfter, Feature::AskLine, Feature::FigureDirect];
    let quiet = spoken_near.into_iter().all(|feature| evidence.get(feature) < 0.3);
    evidence.flag(Feature::Bare, best < 0.3 && quiet && !place.alone);
    evidence.set(Feature::CouponOffer, if mood.coupon { evidence.get(Feature::CouponShape) } else { 0.0 });
    evidence.set(Feature::AskOnTopic, if mood.topic { ask } else { 0.0 });
}
