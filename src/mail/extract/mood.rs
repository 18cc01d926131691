//! What a whole message speaks of.

use crate::mail::extract::page::Page;
use crate::mail::extract::page::Zone;
use crate::mail::extract::sender::Sender;
use crate::mail::extract::url;
use crate::mail::extract::wording::Kind;

/// What the whole message says, for every token in it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sign of its own")]
pub(super) struct Mood {
    /// A certain name of a code occurs: in the body, in the subject.
    pub(super) named: bool,
    pub(super) named_in_subject: bool,
    /// A loose name occurs.
    pub(super) loosely_named: bool,
    pub(super) loose_in_subject: bool,
    /// Signing in, proving an address and the like are spoken of.
    pub(super) topic: bool,
    pub(super) topic_in_subject: bool,
    /// Something expires; something must not be shared.
    pub(super) validity: bool,
    pub(super) warning: bool,
    pub(super) asks: bool,
    pub(super) device: bool,
    pub(super) meeting: bool,
    pub(super) coupon: bool,
    pub(super) door: bool,
    /// The subject begins as that of an answer or of a message passed on.
    pub(super) reply: bool,
    /// The subject, folded.
    pub(super) subject: String,
    /// Addresses of links that could be for verification, folded; a few.
    pub(super) links: Vec<String>,
    /// How often the author's words are of each kind, in the part that says it most.
    counts: Counts,
    /// Octets of visible text in the longest part, its lines, and its links.
    pub(super) size: usize,
    pub(super) lines: usize,
    pub(super) link_count: usize,
    /// Numbers of four digits and more in the part that has most.
    pub(super) numbers: usize,
    /// A number is shown with its first digits hidden, as that of a card.
    pub(super) masked: bool,
    /// Who writes, as far as the address says.
    pub(super) sender: Sender,
}

/// A count for each kind of phrase.
#[derive(Debug, Clone, Copy)]
struct Counts([u16; 64]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Mood {
    /// Takes in the phrases of a part.
    pub(super) fn read(&mut self, page: &Page, subject: bool) {
        for link in page.links.iter().take(64) {
            self.note(&link.url);
        }
        let mut links = 0;
        if page.links.is_empty() {
            for (start, end) in url::find(&page.visible).into_iter().take(24) {
                links += 1;
                self.note(page.visible.get(start..end).unwrap_or_default());
            }
        }
        if subject {
            self.subject = page.folded.text.chars().take(1000).collect();
            let start: String = page.folded.text.chars().take_while(|c| !matches!(c, ':' | '：')).take(8).collect();
            self.reply |= start.chars().count() <= 5 && page.folded.text.len() > start.len();
        }
        let mut counts = Counts::default();
        for hit in &page.hits {
            if page.zone_at(hit.start) == Zone::Quoted {
                continue;
            }
            let kinds = hit.kinds;
            kinds.each().for_each(|kind| counts.add(kind));
            self.named |= kinds.has(Kind::Name);
            self.loosely_named |= kinds.has(Kind::Loose);
            self.named_in_subject |= subject && kinds.has(Kind::Name);
            self.loose_in_subject |= subject && kinds.has(Kind::Loose);
            self.topic |= kinds.has(Kind::Topic);
            self.topic_in_subject |= subject && kinds.has(Kind::Topic);
            self.validity |= kinds.has(Kind::Validity);
            self.warning |= kinds.has(Kind::Warning);
            self.asks |= kinds.has(Kind::Ask);
            self.device |= kinds.has(Kind::Device);
            self.meeting |= kinds.has(Kind::Meeting);
            self.coupon |= kinds.has(Kind::Coupon);
            self.door |= kinds.has(Kind::Door);
        }
        self.counts.raise(&counts);
        self.masked |= ["**", "••", "xxxx", "●●", "··"].iter().any(|mask| hides_digits(&page.folded.text, mask));
        self.size = self.size.max(page.visible.len());
        self.lines = self.lines.max(page.lines.len());
        self.link_count = self.link_count.max(page.links.len().max(links));
    }

    /// How often the author's words are of a kind.
    pub(super) fn count(&self, kind: Kind) -> f32 {
        self.counts.0.get(kind as usize).copied().map_or(0.0, f32::from)
    }

    fn note(&mut self, link: &str) {
        self.meeting |= url::is_meeting(link);
        if link.len() < 512 && !url::signs(link).other && self.links.len() < 24 {
            self.links.push(link.to_lowercase());
        }
    }
}

impl Counts {
    fn add(&mut self, kind: usize) {
        if let Some(count) = self.0.get_mut(kind) {
            *count = count.saturating_add(1);
        }
    }

    fn raise(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = (*count).max(more);
        }
    }
}

/// Whether digits follow a mask.
fn hides_digits(text: &str, mask: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), mask.as_bytes()).take(64).any(|at| {
        let rest = text.get(at..).unwrap_or_default().trim_start_matches(['*', '•', 'x', '●', '·', ' ']);
        rest.bytes().take_while(u8::is_ascii_digit).count() >= 2
    })
}
