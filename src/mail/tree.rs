//! The MIME tree (RFC 2046), walked once from the front in linear time: no recursion, bounded parts and depth.
//!
//! A line that is a delimiter of any open multipart ends the part before it, so that a missing end boundary costs
//! nothing but the rest of its own multipart. Attached messages are leaves; they are not opened.

use std::collections::HashMap;

use crate::mail::fields::Parameterised;
use crate::mail::headers::Section;
use crate::mail::limits::{Defects, Limits};
use crate::mail::transfer::Transfer;

/// A part that is no multipart.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    /// Its media type, with parameters.
    pub(super) media: Parameterised,
    /// Its disposition, with parameters; empty where there is none.
    pub(super) disposition: Parameterised,
    /// How the body is encoded.
    pub(super) transfer: Transfer,
    /// The `Content-ID` field.
    pub(super) content_id: Option<&'a [u8]>,
    /// The body as it stands in the message.
    pub(super) body: &'a [u8],
    /// Whether the part has header fields of its own that say what it is.
    pub(super) typed: bool,
}

/// A message taken apart.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    /// The header section of the message.
    pub(super) header: Section<'a>,
    /// The leaves, in order.
    pub(super) leaves: Vec<Leaf<'a>>,
}

/// Takes a message apart.
pub(super) fn walk<'a>(raw: &'a [u8], limits: &Limits, defects: &mut Defects) -> Tree<'a> {
    let header = Section::read(raw, 0, limits, defects);
    let mut walk = Walk { raw, limits, defects, open: Vec::new(), delimiters: HashMap::new(), leaves: Vec::new(), parts: 0 };
    walk.run(&header);
    Tree { leaves: walk.leaves, header }
}

/// A multipart whose parts are being read.
struct Open {
    boundary: Vec<u8>,
    /// RFC 2046 section 5.1.5: the parts of a digest are messages unless they say otherwise.
    digest: bool,
    /// The multipart that had the same boundary before, which is a fault of the sender.
    shadowed: Option<usize>,
}

struct Walk<'a, 'd> {
    raw: &'a [u8],
    limits: &'d Limits,
    defects: &'d mut Defects,
    open: Vec<Open>,
    /// Boundary of each open multipart, and its place in `open`.
    delimiters: HashMap<Vec<u8>, usize>,
    leaves: Vec<Leaf<'a>>,
    parts: usize,
}

/// A delimiter line.
struct Delimiter {
    /// Where its line begins.
    start: usize,
    /// Where the next line begins.
    end: usize,
    /// The place in `open` of the multipart that it belongs to.
    level: usize,
    /// Whether it ends that multipart.
    closing: bool,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self, header: &Section<'a>) {
        let mut next = self.part(header);
        while let Some(delimiter) = next {
            if self.parts >= self.limits.parts {
                self.defects.note("The message has too many parts; the rest was left out.");
                return;
            }
            self.close_to(delimiter.level + usize::from(!delimiter.closing));
            next = if delimiter.closing {
                self.find(delimiter.end)
            } else {
                let section = Section::read(self.raw, delimiter.end, self.limits, self.defects);
                self.part(&section)
            };
        }
        if !self.open.is_empty() {
            self.defects.note("A multipart ends without its boundary.");
        }
    }

    /// Reads the part whose header section this is; answers the delimiter that ends it or begins its first part.
    fn part(&mut self, section: &Section<'a>) -> Option<Delimiter> {
        self.parts += 1;
        let media = section.first("content-type").map(Parameterised::parse);
        let boundary =
            media.as_ref().filter(|m| m.value.starts_with("multipart/")).map(|m| m.parameter("boundary").unwrap_or_default());
        match boundary {
            Some("") => self.defects.note("A multipart has no boundary."),
            Some(_) if self.open.len() >= self.limits.depth => {
                self.defects.note("Multiparts are nested too deeply; the innermost are shown as text.");
            }
            Some(boundary) => {
                let digest = media.as_ref().is_some_and(|m| m.value == "multipart/digest");
                let level = self.push(boundary.as_bytes().trim_ascii_end(), digest);
                let first = self.find(section.body);
                if first.as_ref().is_some_and(|d| d.level == level && !d.closing) {
                    return first;
                }
                self.close_to(level);
                self.defects.note("A multipart has no part that begins with its boundary.");
                // The same line may belong to the multipart that had this boundary before.
                let first = first.filter(|d| d.level < level).or_else(|| self.find(section.body));
                self.leaf(section, media, first.as_ref());
                return first;
            }
            None => {}
        }
        let end = self.find(section.body);
        self.leaf(section, media, end.as_ref());
        end
    }

    fn leaf(&mut self, section: &Section<'a>, media: Option<Parameterised>, end: Option<&Delimiter>) {
        let end = end.map_or(self.raw.len(), |delimiter| delimiter.start);
        let body = self.raw.get(section.body..end).unwrap_or_default();
        // The line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
        let body = if end < self.raw.len() {
            body.strip_suffix(b"\n").map_or(body, |b| b.strip_suffix(b"\r").unwrap_or(b))
        } else {
            body
        };
        let is_message = media.is_none() && self.open.last().is_some_and(|open| open.digest);
        let default = || Parameterised::parse(if is_message { b"message/rfc822" } else { b"text/plain" });
        let typed = media.is_some();
        let media = media.filter(|m| m.value.contains('/') && !m.value.starts_with("multipart/"));
        self.leaves.push(Leaf {
            media: media.unwrap_or_else(default),
            disposition: section.first("content-disposition").map(Parameterised::parse).unwrap_or_default(),
            transfer: section
                .first("content-transfer-encoding")
                .map_or(Transfer::Identity, |v| Transfer::from_value(&String::from_utf8_lossy(v))),
            content_id: section.first("content-id"),
            body,
            typed,
        });
    }

    fn push(&mut self, boundary: &[u8], digest: bool) -> usize {
        let level = self.open.len();
        let shadowed = self.delimiters.insert(boundary.to_vec(), level);
        self.open.push(Open { boundary: boundary.to_vec(), digest, shadowed });
        level
    }

    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(open) = self.open.pop() else { return };
            match open.shadowed {
                Some(outer) => self.delimiters.insert(open.boundary, outer),
                None => self.delimiters.remove(&open.boundary),
            };
        }
    }

    /// The next delimiter line of an open multipart, from the beginning of a line on.
    fn find(&self, from: usize) -> Option<Delimiter> {
        if self.open.is_empty() {
            return None;
        }
        let mut start = from;
        loop {
            if let Some(delimiter) = self.delimiter_at(start) {
                return Some(delimiter);
            }
            let rest = self.raw.get(start..)?;
            start += memchr::memmem::find(rest, b"\n--")? + 1;
        }
    }

    fn delimiter_at(&self, start: usize) -> Option<Delimiter> {
        let rest = self.raw.get(start..)?.strip_prefix(b"--")?;
        // A boundary has at most 70 characters (RFC 2046 section 5.1.1); some software takes more.
        let window = rest.get(..300).unwrap_or(rest);
        let end = memchr::memchr(b'\n', window);
        let line = window.get(..end.unwrap_or(window.len()))?.trim_ascii_end();
        let known = |line: &[u8]| self.delimiters.get(line).copied();
        let (level, closing) = match known(line) {
            Some(level) => (level, false),
            None => (known(line.strip_suffix(b"--")?.trim_ascii_end())?, true),
        };
        let end = end.map_or(self.raw.len(), |end| start + 2 + end + 1);
        Some(Delimiter { start, end, level, closing })
    }
}

impl Leaf<'_> {
    fn is_text(&self) -> bool {
        matches!(self.media.value.as_str(), "text/plain" | "text/html") && self.disposition.value != "attachment"
    }

    fn is_named(&self) -> bool {
        self.disposition.parameter("filename").is_some() || self.media.parameter("name").is_some()
    }

    /// Whether the body is HTML.
    pub(super) fn is_html(&self) -> bool {
        self.media.value == "text/html"
    }
}

/// The place of the first leaf that is a text to be read; later ones that have a name are attachments.
fn is_body(leaves: &[Leaf<'_>], place: usize) -> bool {
    let first = leaves.iter().position(Leaf::is_text);
    leaves.get(place).is_some_and(|leaf| leaf.is_text() && (!leaf.is_named() || first == Some(place)))
}

/// The leaves that are text to be read.
pub(super) fn bodies<'t, 'a>(leaves: &'t [Leaf<'a>]) -> impl Iterator<Item = &'t Leaf<'a>> {
    leaves.iter().enumerate().filter(|&(place, _)| is_body(leaves, place)).map(|(_, leaf)| leaf)
}

/// The leaves that are attachments, inline images among them.
pub(super) fn attachments<'t, 'a>(leaves: &'t [Leaf<'a>]) -> impl Iterator<Item = &'t Leaf<'a>> {
    leaves.iter().enumerate().filter(|&(place, _)| !is_body(leaves, place)).map(|(_, leaf)| leaf)
}
