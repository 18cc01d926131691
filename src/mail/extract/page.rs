//! One part of a message, ready to be searched: its text, folded, with lines and what stands out.

use crate::mail::extract::fold::Folded;
use crate::mail::extract::html;
use crate::mail::extract::html::Anchor;
use crate::mail::extract::html::Run;
use crate::mail::extract::types::Source;
use crate::mail::extract::wording::Hit;
use crate::mail::extract::wording::Kind;

/// A line with something on it, trimmed; offsets into the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    /// An empty line stands before it.
    pub(super) apart: bool,
}

/// What kind of text a place belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// What the author wrote.
    Own,
    /// An earlier message that is answered.
    Quoted,
    /// A message that is passed on.
    Forwarded,
}

/// A part of a message.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) source: Source,
    pub(super) part: usize,
    /// The text as a person sees it.
    pub(super) visible: String,
    pub(super) folded: Folded,
    pub(super) lines: Vec<Line>,
    /// Offsets into the folded text.
    pub(super) emphasis: Vec<Run>,
    /// Offsets into the visible text.
    pub(super) links: Vec<Anchor>,
    quotes: Vec<(usize, usize)>,
    blocks: Vec<(usize, usize)>,
    /// Phrases found; filled when they are needed.
    pub(super) hits: Vec<Hit>,
    /// Where an earlier message begins below the author's text.
    tail: Option<(usize, Zone)>,
}

impl Page {
    /// A page of plain text.
    pub(super) fn plain(source: Source, part: usize, text: &str) -> Self {
        let visible = text.get(..cut(text, html::MAX_TEXT)).unwrap_or_default().to_owned();
        Self::assemble(source, part, html::Rendered { text: visible, ..html::Rendered::default() })
    }

    /// A page of markup.
    pub(super) fn markup(part: usize, markup: &str) -> Self {
        let markup = markup.get(..cut(markup, MAX_MARKUP)).unwrap_or_default();
        Self::assemble(Source::Html, part, html::render(markup))
    }

    fn assemble(source: Source, part: usize, seen: html::Rendered) -> Self {
        let folded = Folded::new(&seen.text);
        let lines = lines(&folded.text);
        let to_folded = |run: &Run| Run { start: folded.folded(run.start), end: folded.folded(run.end), weight: run.weight };
        let emphasis = seen.emphasis.iter().map(to_folded).collect();
        let both = |(start, end): &(usize, usize)| (folded.folded(*start), folded.folded(*end));
        let quotes = seen.quotes.iter().map(both).collect();
        let blocks = seen.blocks.iter().map(both).collect();
        Self {
            source,
            part,
            visible: seen.text,
            folded,
            lines,
            emphasis,
            links: seen.links,
            quotes,
            blocks,
            hits: Vec::new(),
            tail: None,
        }
    }

    /// Takes in the phrases and finds out from them where earlier messages begin.
    pub(super) fn set_hits(&mut self, hits: Vec<Hit>) {
        self.hits = hits;
        let found = (0..self.lines.len()).find_map(|at| Some((at, self.opens_earlier_message(at)?)));
        let Some((at, zone)) = found else { return };
        let next = self.lines.get(at + 1).copied();
        if zone == Zone::Quoted {
            // What is marked as quoted ends where its marks end; the answer may stand below it.
            let marked = next.is_some_and(|line| self.folded.text.get(line.start..).is_some_and(|t| t.starts_with('>')));
            let start = next.map_or(0, |line| line.start);
            let block = self.blocks.iter().find(|(from, to)| *from <= start + 2 && start < *to).copied();
            let quoted = self.quotes.iter().any(|(from, to)| *from <= start + 2 && start < *to);
            if let Some(block) = block {
                self.quotes.push(block);
                self.quotes.sort_unstable();
            }
            if marked || quoted || block.is_some() {
                return;
            }
        }
        self.tail = self.lines.get(at).map(|line| (line.start, zone));
    }

    /// Whether a line says that an earlier message follows: "On Monday, A wrote:".
    fn opens_earlier_message(&self, at: usize) -> Option<Zone> {
        let line = self.lines.get(at)?;
        let words = self.hits_within(line.start, line.end);
        let says = |kind: Kind| words.iter().any(|hit| hit.kinds.has(kind));
        let zone = if says(Kind::Forward) {
            Zone::Forwarded
        } else if says(Kind::Reply) {
            Zone::Quoted
        } else {
            return None;
        };
        let text = self.folded.text.get(line.start..line.end).unwrap_or_default();
        let framed = text.ends_with([':', '：']) || text.starts_with("--") || text.starts_with("==") || text.starts_with("__");
        (framed && text.len() < 300).then_some(zone)
    }

    /// The phrases that start within a range.
    pub(super) fn hits_within(&self, start: usize, end: usize) -> &[Hit] {
        let from = self.hits.partition_point(|hit| hit.start < start);
        let to = self.hits.partition_point(|hit| hit.start < end);
        self.hits.get(from..to).unwrap_or_default()
    }

    /// The index of the line that holds an offset.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|line| line.start <= offset).saturating_sub(1)
    }

    /// How much a range stands out; the strongest run that covers most of it.
    pub(super) fn weight_of(&self, start: usize, end: usize) -> u8 {
        let from = self.emphasis.partition_point(|run| run.end <= start);
        let runs = self.emphasis.iter().skip(from).take_while(|run| run.start < end).take(64);
        runs.map(|run| run.weight).max().unwrap_or(0)
    }

    /// Whether a range stands out as a whole, alone: nothing else shares its emphasis.
    pub(super) fn stands_out_alone(&self, start: usize, end: usize) -> bool {
        let from = self.emphasis.partition_point(|run| run.end <= start);
        let mut runs = self.emphasis.iter().skip(from).take_while(|run| run.start < end).take(64).peekable();
        runs.peek().is_some() && runs.all(|run| run.start + 4 >= start && run.end <= end + 4)
    }

    /// What kind of text an offset is in.
    pub(super) fn zone_at(&self, offset: usize) -> Zone {
        if let Some((_, zone)) = self.tail.filter(|(start, _)| offset >= *start) {
            return zone;
        }
        let after = self.quotes.partition_point(|(start, _)| *start <= offset);
        let quoted = after.checked_sub(1).and_then(|at| self.quotes.get(at)).is_some_and(|(_, end)| offset < *end);
        let line = self.lines.get(self.line_at(offset));
        let marked = line.is_some_and(|line| {
            self.folded.text.get(line.start..line.end).is_some_and(|t| t.starts_with('>') && !t.ends_with('<'))
        });
        if quoted || marked { Zone::Quoted } else { Zone::Own }
    }

    /// The place in the visible text of a range of the folded text.
    pub(super) fn visible_range(&self, start: usize, end: usize) -> (usize, usize) {
        (self.folded.original(start), self.folded.original_end(end, &self.visible))
    }
}

/// Octets of markup that are read; styles and comments cost little, so this is generous.
const MAX_MARKUP: usize = 4 * 1024 * 1024;

/// The greatest length of at most `limit` octets that does not split a character.
pub(super) fn cut(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    let mut apart = true;
    for line in text.split('\n') {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            apart = true;
        } else {
            let start = at + (line.len() - line.trim_start().len());
            lines.push(Line { start, end: start + trimmed.len(), apart });
            apart = false;
        }
        at += line.len() + 1;
    }
    lines
}
