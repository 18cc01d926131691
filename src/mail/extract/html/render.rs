//! Lays out tokens as lines of visible text.

use crate::mail::extract::html::entity;
use crate::mail::extract::html::style::Display;
use crate::mail::extract::html::style::Look;
use crate::mail::extract::html::style::Sheet;
use crate::mail::extract::html::style::color;
use crate::mail::extract::html::token::Attributes;
use crate::mail::extract::html::token::Token;
use crate::mail::extract::html::token::Tokens;

/// Elements that are remembered while open; deeper ones look like the last of these.
const MAX_DEPTH: usize = 256;
/// How far up an end tag looks for its start tag.
const MAX_SEARCH: usize = 64;
/// Links that are kept.
const MAX_LINKS: usize = 512;
/// Runs of emphasis and quotation that are kept.
const MAX_RUNS: usize = 4096;
/// Octets of visible text that are kept.
pub(in crate::mail::extract) const MAX_TEXT: usize = 512 * 1024;

/// A piece of the text with a weight: how much it stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail::extract) struct Run {
    pub(in crate::mail::extract) start: usize,
    pub(in crate::mail::extract) end: usize,
    pub(in crate::mail::extract) weight: u8,
}

/// A link and where its text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mail::extract) struct Anchor {
    pub(in crate::mail::extract) start: usize,
    pub(in crate::mail::extract) end: usize,
    pub(in crate::mail::extract) url: String,
    /// It looks like a button.
    pub(in crate::mail::extract) button: bool,
}

/// Markup as it is seen.
#[derive(Debug, Default)]
pub(in crate::mail::extract) struct Rendered {
    pub(in crate::mail::extract) text: String,
    /// Text that stands out, in order.
    pub(in crate::mail::extract) emphasis: Vec<Run>,
    /// Links that are seen, in order.
    pub(in crate::mail::extract) links: Vec<Anchor>,
    /// Quotations of earlier messages, in order.
    pub(in crate::mail::extract) quotes: Vec<(usize, usize)>,
    /// What stands in a `blockquote` without a sign that it is a quotation, in order.
    pub(in crate::mail::extract) blocks: Vec<(usize, usize)>,
}

/// Lays out markup.
pub(in crate::mail::extract) fn render(markup: &str) -> Rendered {
    let mut page = Page::default();
    for token in Tokens::new(markup) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Open(name, attributes) => page.open(name, attributes),
            Token::Close(name) => page.close(name),
            Token::Style(css) => page.sheet.read(css),
        }
        if page.out.text.len() >= MAX_TEXT {
            break;
        }
    }
    page.finish()
}

/// What an element does to the lines around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Inline,
    Cell,
    Line,
    Paragraph,
}

#[derive(Debug)]
struct Frame {
    name: [u8; 12],
    look: Look,
    flow: Flow,
    apart: bool,
    /// The link that closes with this element.
    link: Option<usize>,
}

#[derive(Debug, Default)]
struct Page {
    out: Rendered,
    open: Vec<Frame>,
    too_deep: usize,
    sheet: Sheet,
    space: bool,
    lines: u8,
}

impl Page {
    fn look(&self) -> Look {
        self.open.last().map_or_else(Look::default, |frame| frame.look)
    }

    fn text(&mut self, encoded: &str) {
        let look = self.look();
        if !look.is_seen() || self.out.text.len() >= MAX_TEXT {
            return;
        }
        let decoded = entity::decode(encoded);
        let mut start = None;
        let mut rest: &str = &decoded;
        while !rest.is_empty() {
            let white = rest.find(|c: char| !matches!(c, ' ' | '\n' | '\t' | '\r' | '\u{c}')).unwrap_or(rest.len());
            let (gap, after) = rest.split_at(white);
            if look.pre {
                self.lines = self.lines.max(u8::from(gap.contains('\n')) + u8::from(gap.matches('\n').nth(1).is_some()));
            }
            self.space |= !gap.is_empty();
            let end = after.find([' ', '\n', '\t', '\r', '\u{c}']).unwrap_or(after.len());
            let (word, next) = after.split_at(end);
            if !word.is_empty() {
                self.flush();
                start.get_or_insert(self.out.text.len());
                self.out.text.push_str(word);
            }
            rest = next;
        }
        if let Some(start) = start {
            self.mark(start, &look);
        }
    }

    fn mark(&mut self, start: usize, look: &Look) {
        let end = self.out.text.len();
        let weight = look.emphasis();
        if weight > 0 && self.out.emphasis.len() < MAX_RUNS {
            self.out.emphasis.push(Run { start, end, weight });
        }
        for (holds, list) in [(look.quote, &mut self.out.quotes), (look.block, &mut self.out.blocks)] {
            let room = list.len() < MAX_RUNS;
            match list.last_mut() {
                _ if !holds => {}
                Some(last) if last.1 + 4 >= start => last.1 = end,
                _ if room => list.push((start, end)),
                _ => {}
            }
        }
    }

    /// Writes the white space that is due before more text.
    fn flush(&mut self) {
        if !self.out.text.is_empty() {
            match self.lines {
                0 if self.space => self.out.text.push(' '),
                0 => {}
                1 => self.out.text.push('\n'),
                _ => self.out.text.push_str("\n\n"),
            }
        }
        self.lines = 0;
        self.space = false;
    }

    fn break_for(&mut self, flow: Flow, apart: bool) {
        match flow {
            Flow::Inline => self.space |= apart,
            Flow::Cell => self.space = true,
            Flow::Line => self.lines = self.lines.max(1),
            Flow::Paragraph => self.lines = 2,
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        let key = key(name);
        let name = key_str(&key);
        match name {
            "br" => {
                self.lines = (self.lines + 1).min(2);
                return;
            }
            "hr" => {
                self.lines = 2;
                return;
            }
            "img" => return self.image(attributes),
            "input" => return self.input(attributes),
            "body" | "html" | "meta" | "link" | "col" | "wbr" | "base" | "source" | "area" | "head" => {
                if name == "body" {
                    self.push(key, name, attributes);
                }
                return;
            }
            "td" | "th" => self.close_until(&["td", "th"], &["tr", "table"]),
            "tr" => self.close_until(&["tr"], &["table"]),
            "li" => self.close_until(&["li"], &["ul", "ol"]),
            "p" | "div" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" => {
                self.close_until(&["p"], &["td", "div", "table", "li", "blockquote"]);
            }
            _ => {}
        }
        self.push(key, name, attributes);
    }

    fn push(&mut self, key: [u8; 12], name: &str, attributes: &str) {
        if self.open.len() >= MAX_DEPTH {
            self.too_deep += 1;
            self.break_for(flow_of(name), false);
            return;
        }
        let parent = self.look();
        let mut look = parent;
        look.flex = false;
        look.boxed &= flow_of(name) == Flow::Inline;
        look_of_element(name, &mut look);
        let (display, href) = self.read_attributes(name, attributes, &mut look);
        let mut flow = flow_of(name);
        let mut apart = display.apart;
        if flow == Flow::Line || flow == Flow::Paragraph {
            if display.inline == Some(true) {
                flow = Flow::Inline;
            } else if parent.flex {
                (flow, apart) = (Flow::Inline, true);
            }
        } else if flow == Flow::Inline && display.inline == Some(false) {
            flow = Flow::Line;
        }
        if look.is_seen() {
            self.break_for(flow, apart);
        }
        let link = href.and_then(|url| self.start_link(url, &look, &parent));
        self.open.push(Frame { name: key, look, flow, apart, link });
    }

    fn read_attributes(&mut self, name: &str, attributes: &str, look: &mut Look) -> (Display, Option<String>) {
        let mut display = Display::default();
        let mut href = None;
        let mut inline_style = None;
        for (attribute, value) in Attributes(attributes).take(64) {
            match attribute.to_ascii_lowercase().as_str() {
                "style" => inline_style = Some(entity::decode(value)),
                "class" => {
                    look.quote |= value.contains("quote");
                    for class in value.split_ascii_whitespace().take(16) {
                        if let Some(rule) = self.sheet.rule('.', class) {
                            display = look.apply(rule);
                        }
                    }
                }
                "id" => {
                    if let Some(rule) = self.sheet.rule('#', value) {
                        display = look.apply(rule);
                    }
                }
                "hidden" => look.hidden = true,
                // A plain `blockquote` is as often a box around the code; that of an answer says `cite`.
                "type" => look.quote |= name == "blockquote" && value.eq_ignore_ascii_case("cite"),
                "bgcolor" => {
                    look.background = color(&value.to_ascii_lowercase());
                    look.boxed = look.background.is_some_and(|found| found != 0xff_ffff);
                }
                "color" if name == "font" => look.color = color(&value.to_ascii_lowercase()),
                "size" if name == "font" && matches!(value, "5" | "6" | "7" | "+2" | "+3" | "+4") => look.size = 24,
                "href" if name == "a" => href = Some(entity::decode(value.trim()).into_owned()),
                _ => {}
            }
        }
        if let Some(style) = inline_style {
            let own = look.apply(&style);
            display = Display { inline: own.inline.or(display.inline), apart: own.apart || display.apart };
        }
        (display, href)
    }

    fn start_link(&mut self, url: String, look: &Look, parent: &Look) -> Option<usize> {
        if !look.is_seen() || url.is_empty() || url.len() > 8192 || self.out.links.len() >= MAX_LINKS {
            return None;
        }
        let button = look.boxed || (parent.boxed && look.color == Some(0xff_ffff));
        self.out.links.push(Anchor { start: usize::MAX, end: 0, url, button });
        // The text begins after the white space that is still due, so the start is set by the first word.
        let at = self.out.links.len() - 1;
        if let Some(link) = self.out.links.get_mut(at) {
            link.start = self.out.text.len();
        }
        Some(at)
    }

    fn close(&mut self, name: &str) {
        let key = key(name);
        let name = key_str(&key);
        match name {
            "br" => {
                self.lines = (self.lines + 1).min(2);
                return;
            }
            "p" if !self.open.iter().rev().take(MAX_SEARCH).any(|frame| frame.name == key) => {
                self.lines = 2;
                return;
            }
            _ => {}
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            self.break_for(flow_of(name), false);
            return;
        }
        let found = self.open.iter().rev().take(MAX_SEARCH).position(|frame| frame.name == key);
        // An end tag does not reach out of its cell or table, except for those themselves.
        let Some(found) = found else { return };
        let fence = self.open.iter().rev().take(found).any(|frame| matches!(key_str(&frame.name), "td" | "th" | "table"));
        if fence && !matches!(name, "table" | "tr" | "tbody" | "td" | "th" | "div" | "body") {
            return;
        }
        for _ in 0..=found {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        if let Some(link) = frame.link.and_then(|at| self.out.links.get_mut(at)) {
            link.end = self.out.text.len();
        }
        if frame.look.is_seen() {
            self.break_for(frame.flow, frame.apart);
        }
    }

    /// Closes the innermost open element of these names, unless one of the fences stands before it.
    fn close_until(&mut self, names: &[&str], fences: &[&str]) {
        for (steps, frame) in self.open.iter().rev().take(MAX_SEARCH).enumerate() {
            let name = key_str(&frame.name);
            if names.contains(&name) {
                for _ in 0..=steps {
                    self.pop();
                }
                return;
            }
            if fences.contains(&name) {
                return;
            }
        }
    }

    fn image(&mut self, attributes: &str) {
        let mut look = self.look();
        let mut alt = None;
        for (attribute, value) in Attributes(attributes).take(64) {
            match attribute.to_ascii_lowercase().as_str() {
                "alt" => alt = Some(entity::decode(value)),
                "style" => {
                    look.apply(value);
                }
                "width" | "height" if matches!(value, "0" | "1") => look.hidden = true,
                "hidden" => look.hidden = true,
                _ => {}
            }
        }
        let Some(alt) = alt.filter(|alt| !alt.trim().is_empty() && look.is_seen()) else { return };
        self.space = true;
        self.flush();
        let start = self.out.text.len();
        let words: Vec<_> = alt.split_whitespace().take(64).collect();
        self.out.text.push_str(&words.join(" "));
        self.mark(start, &look);
        self.space = true;
    }

    /// A field that shows its value; some mail shows a code in one, or each digit in one.
    fn input(&mut self, attributes: &str) {
        let mut value = None;
        let mut shown = self.look().is_seen();
        for (attribute, found) in Attributes(attributes).take(64) {
            match attribute.to_ascii_lowercase().as_str() {
                "value" => value = Some(found),
                "type" => shown &= !matches!(found.to_ascii_lowercase().as_str(), "hidden" | "checkbox" | "radio" | "image"),
                _ => {}
            }
        }
        if let (Some(value), true) = (value, shown) {
            self.space = true;
            self.text(value);
            self.space = true;
        }
    }

    fn finish(mut self) -> Rendered {
        while !self.open.is_empty() {
            self.pop();
        }
        let text = &self.out.text;
        for link in &mut self.out.links {
            let found = text.get(link.start..link.end).unwrap_or_default();
            link.start += found.len() - found.trim_start().len();
            link.end = link.end.max(link.start);
        }
        self.out
    }
}

fn flow_of(name: &str) -> Flow {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "ul" | "ol" | "dl" | "pre" => Flow::Paragraph,
        "div" | "table" | "tr" | "li" | "section" | "article" | "header" | "footer" | "center" | "address" | "dt" | "dd"
        | "form" | "main" | "nav" | "aside" | "figure" | "fieldset" | "tbody" | "thead" | "caption" | "option" | "body" => {
            Flow::Line
        }
        "td" | "th" => Flow::Cell,
        _ => Flow::Inline,
    }
}

fn look_of_element(name: &str, look: &mut Look) {
    match name {
        "b" | "strong" | "mark" | "th" | "h5" | "h6" => look.bold = true,
        "h1" | "h2" => (look.bold, look.size, look.tiny) = (true, 24, false),
        "h3" | "h4" | "big" => (look.bold, look.size, look.tiny) = (true, 18, false),
        "blockquote" => look.block = true,
        "code" | "kbd" | "tt" | "samp" | "var" => look.spaced = true,
        "pre" => (look.spaced, look.pre) = (true, true),
        "noscript" | "audio" | "video" | "object" | "canvas" | "map" | "datalist" | "head" => look.hidden = true,
        _ => {}
    }
}

/// A tag name in lower case and of fixed size, so that comparing costs nothing.
fn key(name: &str) -> [u8; 12] {
    let mut key = [0; 12];
    for (to, from) in key.iter_mut().zip(name.bytes()) {
        *to = from.to_ascii_lowercase();
    }
    key
}

fn key_str(key: &[u8; 12]) -> &str {
    let end = key.iter().position(|b| *b == 0).unwrap_or(key.len());
    key.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_reads_as_a_person_sees_it() {
        let table = [
            ("<p>Hello,<br>your code is <b>48</b><b>29</b></p><p>Bye</p>", "Hello,\nyour code is 4829\n\nBye"),
            ("<div style='display:none'>no</div><div>yes</div>", "yes"),
            ("<style>.x{display:none}</style><span class='a x'>no</span>yes", "yes"),
            ("<table><tr><td>4</td><td>8</td></tr><tr><td>a<td>b</table>", "4 8\na b"),
            ("a<!-- 123456 --><script>123</script><title>t</title>b", "ab"),
            ("<td style='font-size:0'>no<span style='font-size:20px'>yes</span></td>", "yes"),
            ("<img alt='The  shop' src=x> news", "The shop news"),
            ("<div style='display:flex'><div>4</div><div>8</div></div>", "4 8"),
            ("<p>one<p>two", "one\n\ntwo"),
            ("<input type=hidden value=1><input value='7'><input value=8>", "7 8"),
            ("<p style='display:none'>gone<p>there", "there"),
            ("2 < 3 &amp; 4&nbsp;5", "2 < 3 & 4\u{a0}5"),
        ];
        for (given, expected) in table {
            assert_eq!(render(given).text, expected, "{given}");
        }
    }

    #[test]
    fn links_and_emphasis_have_their_place() {
        let page = render("<p>Go <a href='https://example.org/?a=1&amp;b=2' style='background:#06c'><b>there</b></a> now</p>");
        let link = &page.links[0];
        assert_eq!((&page.text[link.start..link.end], link.url.as_str()), ("there", "https://example.org/?a=1&b=2"));
        assert!(link.button);
        let run = page.emphasis[0];
        assert_eq!(&page.text[run.start..run.end], "there");
    }

    #[test]
    fn hostile_nesting_ends_soon() {
        for piece in ["<div>", "<b>", "<table><tr><td>", "</b>", "<a href=x>", "<!--", "<", "<p style='", "<style>a{"] {
            let markup = piece.repeat(20_000) + "end";
            let started = std::time::Instant::now();
            let _ = render(&markup);
            assert!(started.elapsed().as_millis() < 2000, "{piece}");
        }
    }
}
