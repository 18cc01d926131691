//! Links: which one completes what the message is for.

use crate::mail::extract::MAX_CANDIDATES;
use crate::mail::extract::codes;
use crate::mail::extract::fold;
use crate::mail::extract::mood::Mood;
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
    reasons: Vec<&'static str>,
    host: String,
    fits: bool,
}

/// The candidates of a message, best first.
pub(super) fn candidates(pages: &[Page], mood: &Mood, input: &Input<'_>) -> Vec<LinkCandidate> {
    let sender = input.from_address.and_then(|address| address.rsplit_once('@')).map(|(_, domain)| url::registered(domain));
    let mut found: Vec<Found<'_>> = Vec::new();
    let purpose = purpose(pages);
    for page in pages {
        let places = places(page);
        for (at, place) in places.iter().enumerate() {
            let bound = at.checked_sub(1).and_then(|at| places.get(at)).map_or(0, |before| before.end);
            let next = places.get(at + 1).map_or(page.visible.len(), |next| next.start);
            let one = weigh(place, (bound, next), sender.as_deref(), mood, &purpose);
            keep(&mut found, one);
        }
    }
    found.retain(|one| one.score > -3.0 || one.kind == LinkKind::Unsubscribe);
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.into_iter().take(MAX_CANDIDATES).map(finish).collect()
}

/// Keeps one of each address, the best.
fn keep<'p>(found: &mut Vec<Found<'p>>, new: Found<'p>) {
    let room = found.len() < 512;
    match found.iter_mut().find(|old| old.place.url == new.place.url) {
        Some(old) if new.score > old.score => *old = new,
        Some(_) => {}
        None if room => found.push(new),
        None => {}
    }
}

/// All links of a page, in order: those of the markup, and addresses in the text.
fn places(page: &Page) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for link in page.links.iter().filter(|link| url::is_web(&link.url)).take(MAX_LINKS) {
        let text = page.visible.get(link.start..link.end).unwrap_or_default();
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

/// What the message is for, from its subject and first words: the kinds of link that it may carry.
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

fn weigh<'p>(
    place: &Place<'p>,
    (bound, next): (usize, usize),
    sender: Option<&str>,
    mood: &Mood,
    purpose: &Purpose,
) -> Found<'p> {
    let host = url::host(place.url);
    let fits = sender.is_some_and(|sender| sender == url::registered(&host));
    let mut sum = Sum { score: -3.2, reasons: Vec::new() };
    let mut kind = LinkKind::Other;
    anchor(place, &mut kind, &mut sum);
    around(place, bound, next, &mut kind, &mut sum);
    path(place, &mut kind, &mut sum);
    subject(purpose, &mut kind, &mut sum);
    if fits {
        sum.add(0.5, "host", "its host belongs to the sender");
    }
    if place.button {
        sum.add(0.7, "button", "it looks like a button");
    }
    if mood.validity {
        sum.add(0.3, "validity", "the text says how long it is valid");
    }
    match place.page.zone_at(place.page.folded.folded(place.start)) {
        Zone::Own => {}
        Zone::Quoted => sum.add(-6.0, "quoted", "it stands in a quoted earlier message"),
        Zone::Forwarded => sum.add(-1.5, "forwarded", "it stands in a forwarded message"),
    }
    let (rule, reasons) = sum.reasons();
    Found { place: place.clone(), kind, score: sum.score, rule, reasons, host, fits }
}

struct Sum {
    score: f32,
    reasons: Vec<(f32, &'static str, &'static str)>,
}

impl Sum {
    fn add(&mut self, weight: f32, rule: &'static str, reason: &'static str) {
        self.score += weight;
        self.reasons.push((weight, rule, reason));
    }

    fn reasons(&mut self) -> (&'static str, Vec<&'static str>) {
        self.reasons.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let rule = self.reasons.iter().find(|(weight, ..)| *weight > 0.0).map_or("link", |(_, rule, _)| rule);
        (rule, self.reasons.iter().map(|(_, _, reason)| *reason).take(4).collect())
    }
}

/// What is read on the link itself.
fn anchor(place: &Place<'_>, kind: &mut LinkKind, sum: &mut Sum) {
    let text = fold::Folded::new(place.text.trim()).text;
    if text.is_empty() {
        sum.add(0.3, "bare", "it is written out");
        return;
    }
    let hits = WORDING.find(&text);
    let covers = |hit: &Hit| (hit.end - hit.start) * 2 >= text.len() || text.len() < 80;
    let longest =
        |wanted: Kind| hits.iter().filter(|hit| hit.kinds.has(wanted) && covers(hit)).map(|hit| hit.end - hit.start).max();
    let refused = [Kind::OtherLink, Kind::Unsubscribe, Kind::NotMe].into_iter().filter_map(longest).max().unwrap_or(0);
    let best = WANTED.iter().filter_map(|(wanted, kind)| Some((longest(*wanted)?, *kind))).max_by_key(|(length, _)| *length);
    match best {
        Some((length, found)) if length >= refused => {
            *kind = found;
            sum.add(4.4, "anchor", "its text says what it is for");
        }
        _ if refused > 0 => {
            if longest(Kind::Unsubscribe).is_some() {
                *kind = LinkKind::Unsubscribe;
            }
            sum.add(-6.0, "other_purpose", "its text says that it is for something else");
        }
        _ if longest(Kind::Click).is_some() => sum.add(0.8, "click", "its text asks to follow it"),
        _ => {}
    }
}

/// The words before it, back to the link before, and the few behind it.
fn around(place: &Place<'_>, bound: usize, next: usize, kind: &mut LinkKind, sum: &mut Sum) {
    let page = place.page;
    let at = page.folded.folded(place.start);
    let end = page.folded.folded(place.end);
    let from = page.folded.folded(bound).max(at.saturating_sub(320));
    let before = page.hits_within(from, at);
    let to = page.folded.folded(next).min(end + 60);
    let line_end = page.lines.get(page.line_at(end.saturating_sub(1))).map_or(to, |line| line.end.min(to));
    let after = page.hits_within(end, line_end);
    let sentence = |hit: &Hit| page.folded.text.get(hit.end..at).is_some_and(|gap| !gap.contains(". ") && gap.len() < 120);
    let has = |wanted: Kind| before.iter().rev().any(|hit| hit.kinds.has(wanted));
    if before.iter().any(|hit| hit.kinds.has(Kind::NotMe) && sentence(hit)) || after.iter().any(|hit| hit.kinds.has(Kind::NotMe))
    {
        sum.add(-4.5, "not_me", "it is for those who did not ask for the message");
    }
    if before.iter().any(|hit| hit.kinds.has(Kind::Unsubscribe) && sentence(hit)) {
        sum.add(-4.5, "other_purpose", "it is for leaving the list");
    }
    let asked = has(Kind::Click) || after.iter().any(|hit| hit.kinds.has(Kind::Click));
    if asked {
        sum.add(1.0, "asked_for", "the text asks to follow it");
    }
    let near = before.iter().rev().chain(after).find_map(|hit| WANTED.iter().find(|(wanted, _)| hit.kinds.has(*wanted)));
    if let Some((_, found)) = near {
        if *kind == LinkKind::Other {
            *kind = *found;
        }
        sum.add(1.8, "context", "the words around say what it is for");
    }
    let other = before.iter().rev().take(6).any(|hit| hit.kinds.has(Kind::OtherLink) && sentence(hit));
    if other && near.is_none() {
        sum.add(-1.5, "other_purpose", "the words around say that it is for something else");
    }
}

fn path(place: &Place<'_>, kind: &mut LinkKind, sum: &mut Sum) {
    let signs = url::signs(place.url);
    if let Some(found) = signs.kind {
        if *kind == LinkKind::Other {
            *kind = found;
        }
        sum.add(2.2, "path", "its address says what it is for");
    }
    if signs.token {
        sum.add(1.3, "token", "its address carries a token");
    }
    if signs.other {
        sum.add(-3.0, "other_path", "its address is that of something else");
    }
    if signs.bare {
        sum.add(-2.5, "home", "it leads to the front page");
    }
}

fn subject(purpose: &Purpose, kind: &mut LinkKind, sum: &mut Sum) {
    if let Some((_, found)) = WANTED.iter().find(|(wanted, _)| purpose.subject.has(*wanted)) {
        if *kind == LinkKind::Other {
            *kind = *found;
        }
        sum.add(0.9, "subject", "the subject says what it is for");
    } else if WANTED.iter().any(|(wanted, _)| purpose.body.has(*wanted)) {
        sum.add(0.3, "topic", "the message is about signing in or proving something");
    }
}

fn finish(found: Found<'_>) -> LinkCandidate {
    let Found { place, kind, score, rule, reasons, host, fits } = found;
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
