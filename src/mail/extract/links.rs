//! Links: which one completes what the message is for.

use std::borrow::Cow;

use crate::mail::extract::MAX_CANDIDATES;
use crate::mail::extract::codes;
use crate::mail::extract::fold;
use crate::mail::extract::judge;
use crate::mail::extract::link_measures;
use crate::mail::extract::link_measures::LinkMeasure;
use crate::mail::extract::link_measures::LinkMeasures;
use crate::mail::extract::link_weights;
use crate::mail::extract::link_weights::COUNT;
use crate::mail::extract::link_weights::LinkFeature;
use crate::mail::extract::link_weights::TABLE;
use crate::mail::extract::measures;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page;
use crate::mail::extract::page::Page;
use crate::mail::extract::page::Zone;
use crate::mail::extract::types::Input;
use crate::mail::extract::types::LinkCandidate;
use crate::mail::extract::types::LinkKind;
use crate::mail::extract::types::Source;
use crate::mail::extract::types::Span;
use crate::mail::extract::url;
use crate::mail::extract::wording::Hit;
use crate::mail::extract::wording::Kind;
use crate::mail::extract::wording::Kinds;
use crate::mail::extract::wording::WORDING;
use crate::mail::extract::wording::Wording;

/// The confidence from which a link is the answer: a wrong link does more harm than a wrong code.
pub(super) const THRESHOLD: f32 = 0.7;
/// Links that are weighed in one part.
const MAX_LINKS: usize = 256;

/// A link as it stands in a part.
#[derive(Debug, Clone)]
struct Place<'p> {
    page: &'p Page,
    url: &'p str,
    /// What is read on it; empty for a bare address.
    text: &'p str,
    /// In the visible text.
    start: usize,
    end: usize,
    button: bool,
}

#[derive(Debug)]
struct Found<'p> {
    place: Place<'p>,
    kind: LinkKind,
    score: f32,
    rule: &'static str,
    reasons: Vec<Cow<'static, str>>,
    host: String,
    fits: bool,
    /// What the score was made of.
    evidence: [f32; COUNT],
    /// The links before it in its part.
    before: usize,
}

/// The candidates of a message, best first; `code` is the code that was found in it.
pub(super) fn candidates(pages: &[Page], mood: &Mood, code: Option<&str>, input: &Input<'_>) -> Vec<LinkCandidate> {
    let mut found = weigh_all(pages, mood, code, input.from_address, &WORDING);
    judge_all(&mut found, mood);
    found.retain(|one| one.score > -3.0 || one.kind == LinkKind::Unsubscribe);
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.into_iter().take(MAX_CANDIDATES).map(finish).collect()
}

fn weigh_all<'p>(pages: &'p [Page], mood: &Mood, code: Option<&str>, from: Option<&str>, wording: &Wording) -> Vec<Found<'p>> {
    let sender = from.and_then(|address| address.rsplit_once('@')).map(|(_, domain)| url::registered(domain));
    let purpose = purpose(pages);
    let code = code.map(str::to_lowercase);
    let setting = Setting { wording, sender: sender.as_deref(), mood, purpose: &purpose, code: code.as_deref() };
    let mut found: Vec<Found<'_>> = Vec::new();
    for page in pages {
        let places = places(page);
        let fit: Vec<bool> = places.iter().map(|place| could_be(place.url)).collect();
        let count = fit.iter().filter(|fit| **fit).count();
        let first = fit.iter().position(|fit| *fit);
        for (at, place) in places.iter().enumerate() {
            let bound = at.checked_sub(1).and_then(|at| places.get(at)).map_or(0, |before| before.end);
            let next = places.get(at + 1).map_or(page.visible.len(), |next| next.start);
            let only = count == 1 && first == Some(at);
            let among = Among { bounds: (bound, next), first: first == Some(at), only };
            keep(&mut found, Found { before: at, ..weigh(place, among, &setting) });
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// The names of all that the judge looks at, in the order of a vector.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    link_weights::NAMES.iter().chain(link_measures::MEASURE_NAMES).copied()
}

/// Looks at the best a second time, together; those that are left out keep the place behind them.
fn judge_all(found: &mut [Found<'_>], mood: &Mood) {
    if judge::LINKS.is_empty() {
        return;
    }
    let vectors = vectors(found, mood);
    for (one, vector) in found.iter_mut().zip(&vectors) {
        let mut parts = [0.0; COUNT + link_measures::COUNT];
        let again = judge::LINKS.weigh(vector, &mut parts);
        let vetoes = [LinkFeature::Quoted, LinkFeature::AnchorUnsubscribe, LinkFeature::AnchorNotMe];
        let vetoed = vetoes.iter().any(|veto| vector.get(*veto as usize).is_some_and(|value| *value > 0.0));
        one.score = if vetoed { again.min(one.score) } else { again };
        codes::explain(&mut one.reasons, vector, &parts, (COUNT, link_measures::MEASURES));
    }
    for one in found.iter_mut().skip(vectors.len()) {
        one.score = one.score.min(0.0) - 4.0;
    }
}

/// How many of the best are looked at a second time.
const SHORT_LIST: usize = 6;

/// What the judge looks at, for each of the best.
fn vectors(found: &[Found<'_>], mood: &Mood) -> Vec<Vec<f32>> {
    let of_message = LinkMeasures::of_message(mood);
    let buttons = found.iter().filter(|one| one.place.button).count();
    let tokens = found.iter().filter(|one| could_be(one.place.url)).count();
    let vector = |(rank, one): (usize, &Found<'_>)| {
        let mut own = of_message;
        own.measure(one.place.page, (one.place.start, one.place.end), one.place.text, one.place.url);
        let mut rivals = found.iter().enumerate().filter(|(other, _)| *other != rank).map(|(_, other)| other.score);
        let near = rivals.clone().filter(|score| score + 3.0 > one.score).count();
        let best = rivals.next().unwrap_or(-8.0).max(-8.0);
        own.set(LinkMeasure::Score, one.score);
        own.set(LinkMeasure::Margin, one.score - best);
        own.set(LinkMeasure::Rank, measures::small(rank));
        own.set(LinkMeasure::Rivals, measures::small(near));
        own.set(LinkMeasure::TokenLinks, measures::small(tokens));
        own.set(LinkMeasure::Buttons, measures::small(buttons));
        own.flag(LinkMeasure::OnlyButton, buttons == 1 && one.place.button);
        own.set(LinkMeasure::Before, measures::log(one.before));
        own.set(LinkMeasure::SameHost, measures::log(found.iter().filter(|other| other.host == one.host).count()));
        one.evidence.iter().chain(&own.0).copied().collect()
    };
    found.iter().take(SHORT_LIST).enumerate().map(vector).collect()
}

/// The vectors of a message, for fitting.
#[cfg(test)]
pub(super) fn evidence(
    pages: &[Page],
    mood: &Mood,
    code: Option<&str>,
    from: Option<&str>,
    wording: &Wording,
) -> Vec<(String, Vec<f32>)> {
    let found = weigh_all(pages, mood, code, from, wording);
    let vectors = vectors(&found, mood);
    found.iter().map(|one| one.place.url.to_owned()).zip(vectors).collect()
}

/// Whether an address has something that is only for the recipient and does not say that it is for something else.
fn could_be(address: &str) -> bool {
    let signs = url::signs(address);
    (signs.token || signs.random) && !signs.other && !signs.refusal
}

/// Keeps one of each address, the best.
fn keep<'p>(found: &mut Vec<Found<'p>>, new: Found<'p>) {
    let room = found.len() < 512;
    if let Some(old) = found.iter_mut().find(|old| old.place.url == new.place.url) {
        if new.score > old.score {
            *old = new;
        }
    } else if room {
        found.push(new);
    }
}

/// All links of a page, in order: those of the markup, and addresses in the text.
fn places(page: &Page) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for link in page.links.iter().filter(|link| url::is_web(&link.url)).take(MAX_LINKS) {
        let text = page.visible.get(link.start..link.end).unwrap_or_default();
        let text = text.get(..page::cut(text, 300)).unwrap_or_default();
        let text = if url::is_web(text.trim()) { "" } else { text };
        places.push(Place { page, url: &link.url, text, start: link.start, end: link.end, button: link.button });
    }
    let anchors = places.len();
    for (start, end) in url::find(&page.visible).into_iter().take(MAX_LINKS) {
        let inside = places.iter().take(anchors).any(|link| link.start <= start && start < link.end);
        let Some(url) = page.visible.get(start..end).filter(|_| !inside) else { continue };
        places.push(Place { page, url, text: "", start, end, button: false });
    }
    places.sort_by_key(|place| place.start);
    places
}

/// The kinds of phrase in the author's own words: in the subject, and in all else.
#[derive(Debug, Default)]
struct Purpose {
    subject: Kinds,
    body: Kinds,
}

fn purpose(pages: &[Page]) -> Purpose {
    let mut purpose = Purpose::default();
    for page in pages {
        let kinds = page.hits.iter().filter(|hit| page.zone_at(hit.start) == Zone::Own).take(400);
        let into = if page.source == Source::Subject { &mut purpose.subject } else { &mut purpose.body };
        kinds.for_each(|hit| into.join(hit.kinds));
    }
    purpose
}

/// The kinds of link that are an answer, with the phrases for them.
const WANTED: [(Kind, LinkKind); 4] = [
    (Kind::Verify, LinkKind::Verify),
    (Kind::Reset, LinkKind::Reset),
    (Kind::SignIn, LinkKind::SignIn),
    (Kind::Invite, LinkKind::Invite),
];

/// What is known of the message besides the link itself.
struct Setting<'a> {
    wording: &'a Wording,
    sender: Option<&'a str>,
    mood: &'a Mood,
    purpose: &'a Purpose,
    /// The code that was found, lower case.
    code: Option<&'a str>,
}

/// Where a link stands among the others of its part.
#[derive(Debug, Clone, Copy)]
struct Among {
    /// Where the link before it ends and the one behind it starts, in the visible text.
    bounds: (usize, usize),
    first: bool,
    only: bool,
}

/// The evidence on one link, a number for each [`LinkFeature`].
struct Evidence([f32; COUNT]);

impl Evidence {
    fn flag(&mut self, feature: LinkFeature, holds: bool) {
        if let Some(place) = self.0.get_mut(feature as usize) {
            *place = place.max(f32::from(u8::from(holds)));
        }
    }
    fn has(&self, feature: LinkFeature) -> bool {
        self.0.get(feature as usize).is_some_and(|value| *value > 0.0)
    }
}

fn weigh<'p>(place: &Place<'p>, among: Among, setting: &Setting<'_>) -> Found<'p> {
    let host = url::host(place.url);
    let fits = setting.sender.is_some_and(|sender| sender == url::registered(&host));
    let mut evidence = Evidence([0.0; COUNT]);
    let mut kind = LinkKind::Other;
    evidence.flag(LinkFeature::Bias, true);
    anchor(place, setting.wording, &mut kind, &mut evidence);
    around(place, among.bounds, &mut kind, &mut evidence);
    path(place, &mut kind, &mut evidence);
    message(setting, &mut kind, &mut evidence);
    evidence.flag(LinkFeature::HostFits, fits);
    evidence.flag(LinkFeature::Button, place.button);
    evidence.flag(LinkFeature::First, among.first);
    evidence.flag(LinkFeature::OnlyOne, among.only);
    let lower = place.url.to_lowercase();
    evidence.flag(LinkFeature::HoldsCode, setting.code.is_some_and(|code| code.len() >= 4 && lower.contains(code)));
    evidence.flag(LinkFeature::CodeInMessage, setting.code.is_some());
    match place.page.zone_at(place.page.folded.folded(place.start)) {
        Zone::Own => {}
        Zone::Quoted => evidence.flag(LinkFeature::Quoted, true),
        Zone::Forwarded => evidence.flag(LinkFeature::Forwarded, true),
    }
    let wanted = evidence.has(LinkFeature::AnchorWanted);
    evidence.flag(LinkFeature::WantedNoToken, wanted && evidence.has(LinkFeature::NoToken));
    let agreed = evidence.has(LinkFeature::Topic) || evidence.has(LinkFeature::SubjectWanted);
    evidence.flag(LinkFeature::WantedOnTopic, wanted && agreed);
    let (score, rule, reasons) = add_up(&evidence);
    Found { place: place.clone(), kind, score, rule, reasons, host, fits, evidence: evidence.0, before: 0 }
}

/// The sum, the strongest rule and the strongest reasons.
fn add_up(evidence: &Evidence) -> (f32, &'static str, Vec<Cow<'static, str>>) {
    let mut pieces: Vec<(f32, &str, &str)> = Vec::new();
    let mut score = 0.0;
    for (value, (weight, rule, reason)) in evidence.0.iter().zip(TABLE) {
        let part = value * weight;
        score += part;
        if part.abs() >= 0.3 && !reason.is_empty() {
            pieces.push((part, rule, reason));
        }
    }
    pieces.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let rule = pieces.iter().find(|(part, ..)| *part > 0.0).map_or("link", |(_, rule, _)| rule);
    (score, rule, pieces.iter().map(|(_, _, reason)| Cow::Borrowed(*reason)).take(4).collect())
}

/// What is read on the link itself.
fn anchor(place: &Place<'_>, wording: &Wording, kind: &mut LinkKind, evidence: &mut Evidence) {
    let text = fold::Folded::new(place.text.trim()).text;
    if text.is_empty() {
        evidence.flag(LinkFeature::AnchorEmpty, true);
        return;
    }
    let hits = wording.find(&text);
    let covers = |hit: &Hit| (hit.end - hit.start) * 2 >= text.len() || text.len() < 100;
    let longest =
        |wanted: Kind| hits.iter().filter(|hit| hit.kinds.has(wanted) && covers(hit)).map(|hit| hit.end - hit.start).max();
    let refused = [Kind::OtherLink, Kind::Unsubscribe, Kind::NotMe].into_iter().filter_map(longest).max().unwrap_or(0);
    let best = WANTED.iter().filter_map(|(wanted, kind)| Some((longest(*wanted)?, *kind))).max_by_key(|(length, _)| *length);
    evidence.flag(LinkFeature::AnchorClick, longest(Kind::Click).is_some());
    evidence.flag(LinkFeature::AnchorTopic, hits.iter().any(|hit| hit.kinds.has(Kind::Topic)));
    // "Cancel my registration": the verb comes first and has the last word.
    let leaves = hits.iter().any(|hit| hit.start == 0 && hit.kinds.has(Kind::Unsubscribe));
    match best {
        Some((length, found)) if length >= refused && !leaves => {
            *kind = found;
            evidence.flag(LinkFeature::AnchorWanted, true);
            evidence.flag(LinkFeature::AnchorWhole, length * 10 >= text.len() * 7);
        }
        _ if refused > 0 => {
            if leaves || longest(Kind::Unsubscribe) == Some(refused) {
                *kind = LinkKind::Unsubscribe;
                evidence.flag(LinkFeature::AnchorUnsubscribe, true);
            } else if longest(Kind::NotMe) == Some(refused) {
                evidence.flag(LinkFeature::AnchorNotMe, true);
            } else {
                evidence.flag(LinkFeature::AnchorRefused, true);
            }
        }
        _ => {}
    }
}

/// The words before it, back to the link before, and the few behind it.
fn around(place: &Place<'_>, (bound, next): (usize, usize), kind: &mut LinkKind, evidence: &mut Evidence) {
    let page = place.page;
    let at = page.folded.folded(place.start);
    let end = page.folded.folded(place.end);
    let from = page.folded.folded(bound).max(at.saturating_sub(360));
    let before = page.hits_within(from, at);
    let to = page.folded.folded(next).min(end + 200);
    let line_end = page.lines.get(page.line_at(end.saturating_sub(1))).map_or(to, |line| line.end.min(to));
    let after = page.hits_within(end, line_end);
    let sentence = |hit: &Hit| {
        page.folded.text.get(hit.end..at).is_some_and(|gap| !gap.contains(['。', '।']) && !gap.contains(". ") && gap.len() < 160)
    };
    let before_in = |wanted: Kind| before.iter().any(|hit| hit.kinds.has(wanted) && sentence(hit));
    evidence.flag(LinkFeature::NotMeBefore, before_in(Kind::NotMe));
    evidence.flag(LinkFeature::NotMeAfter, after.iter().any(|hit| hit.kinds.has(Kind::NotMe)));
    evidence.flag(LinkFeature::UnsubscribeBefore, before_in(Kind::Unsubscribe));
    evidence.flag(LinkFeature::OtherBefore, before_in(Kind::OtherLink));
    evidence.flag(LinkFeature::DecoyBefore, before_in(Kind::Number) || before_in(Kind::Thing));
    evidence.flag(LinkFeature::BeforeTopic, before.iter().any(|hit| hit.kinds.has(Kind::Topic)));
    evidence.flag(LinkFeature::BeforeClick, before.iter().any(|hit| hit.kinds.has(Kind::Click)));
    evidence.flag(LinkFeature::AfterClick, after.iter().any(|hit| hit.kinds.has(Kind::Click)));
    let validity = before.iter().chain(page.hits_within(end, to)).any(|hit| hit.kinds.has(Kind::Validity));
    evidence.flag(LinkFeature::ValidityNear, validity);
    let wanted = |hit: &Hit| WANTED.iter().find(|(wanted, _)| hit.kinds.has(*wanted)).map(|(_, kind)| *kind);
    let near = before.iter().rev().find_map(wanted);
    let behind = after.iter().find_map(wanted);
    evidence.flag(LinkFeature::BeforeWanted, near.is_some());
    evidence.flag(LinkFeature::AfterWanted, behind.is_some());
    if let (LinkKind::Other, Some(found)) = (*kind, near.or(behind)) {
        *kind = found;
    }
    let line = page.lines.get(page.line_at(at)).copied();
    let line = line.map_or((at, end), |line| (line.start.max(from), line.end.min(to).max(at)));
    let line = page.folded.text.get(line.0..line.1).unwrap_or_default();
    evidence.flag(LinkFeature::Footer, line.contains(['©', '|', '®']));
}

fn path(place: &Place<'_>, kind: &mut LinkKind, evidence: &mut Evidence) {
    let signs = url::signs(place.url);
    if let (LinkKind::Other, Some(found)) = (*kind, signs.kind) {
        *kind = found;
    }
    evidence.flag(LinkFeature::PathWanted, signs.kind.is_some());
    evidence.flag(LinkFeature::Token, signs.token);
    evidence.flag(LinkFeature::TokenRandom, signs.random);
    evidence.flag(LinkFeature::NoToken, !signs.token && !signs.random && !signs.short);
    evidence.flag(LinkFeature::PathOther, signs.other);
    evidence.flag(LinkFeature::PathNot, signs.refusal);
    evidence.flag(LinkFeature::Home, signs.bare);
    evidence.flag(LinkFeature::Meeting, url::is_meeting(place.url));
}

fn message(setting: &Setting<'_>, kind: &mut LinkKind, evidence: &mut Evidence) {
    let Setting { mood, purpose, .. } = setting;
    let subject = WANTED.iter().find(|(wanted, _)| purpose.subject.has(*wanted));
    if let (LinkKind::Other, Some((_, found))) = (*kind, subject) {
        *kind = *found;
    }
    evidence.flag(LinkFeature::SubjectWanted, subject.is_some());
    evidence.flag(LinkFeature::SubjectTopic, mood.topic_in_subject);
    evidence.flag(LinkFeature::BodyWanted, WANTED.iter().any(|(wanted, _)| purpose.body.has(*wanted)));
    evidence.flag(LinkFeature::Topic, mood.topic);
    evidence.flag(LinkFeature::Validity, mood.validity);
    evidence.flag(LinkFeature::Once, mood.warning);
    evidence.flag(LinkFeature::MeetingMood, mood.meeting);
    evidence.flag(LinkFeature::CouponMood, mood.coupon);
}

fn finish(found: Found<'_>) -> LinkCandidate {
    let Found { place, mut kind, score, rule, reasons, host, fits, .. } = found;
    // What completes the purpose of the message without saying how proves something.
    if kind == LinkKind::Other && codes::confidence(score) >= THRESHOLD {
        kind = LinkKind::Verify;
    }
    let text: String = place.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    LinkCandidate {
        url: place.url.to_owned(),
        kind,
        text,
        host,
        host_matches_sender: fits,
        confidence: codes::confidence(score),
        source: place.page.source,
        rule: rule.to_owned(),
        span: Span { part: place.page.part, start: place.start, end: place.end },
        reason: codes::sentence(&reasons),
    }
}
