//! The first step of cleaning: HTML of any shape to well-formed HTML of bounded size and depth, in linear time.
//!
//! The parser behind the second step, like those of browsers, takes quadratic time and memory on some input: elements
//! nested thousands deep, formatting elements reopened in every paragraph, content moved out of tables. What is written
//! here gives it none of that: each tag is closed explicitly and in order, tables hold rows and rows hold cells, and
//! only known elements with checked attributes occur.

use super::attributes;
use super::references;
use super::tokens::{Token, Tokens};
use super::{CleanOptions, MAX_DEPTH, MAX_INLINE_DEPTH, MAX_REFERENCES, MAX_TAGS};

/// Elements without content.
const VOID: &[&str] = &["br", "hr", "img", "wbr"];
/// Elements within a line of text.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
];
/// Elements that end a paragraph.
const BLOCK: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "ul",
];
/// Elements of tables.
const TABLE: &[&str] = &["table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"];

/// All elements that are written.
pub(super) fn elements() -> impl Iterator<Item = &'static str> {
    [VOID, INLINE, BLOCK, TABLE].into_iter().flatten().copied()
}

/// What came of shaping.
#[derive(Debug, Default)]
pub(super) struct Shaped {
    /// Well-formed HTML.
    pub(super) html: String,
    /// References to content elsewhere that were left out.
    pub(super) remote: usize,
    /// Whether a limit cut something off.
    pub(super) truncated: bool,
}

/// Shapes HTML.
pub(super) fn shape(html: &str, options: &CleanOptions) -> Shaped {
    let mut shaper = Shaper {
        out: Shaped::default(),
        open: Vec::new(),
        ignored: 0,
        inline: 0,
        tags: 0,
        references: 0,
        run: Run::default(),
        options,
    };
    shaper.out.html.reserve(html.len());
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => shaper.text(text),
            Token::Start(name, attributes) => shaper.start(name, &attributes),
            Token::End(name) => shaper.end(name),
        }
    }
    shaper.close_to(0);
    shaper.out
}

struct Shaper<'o> {
    out: Shaped,
    /// The open elements, outermost first.
    open: Vec<&'static str>,
    /// Start tags left out for their depth, whose end tags are still to come.
    ignored: usize,
    /// Open elements within a line of text.
    inline: usize,
    tags: usize,
    references: usize,
    run: Run,
    options: &'o CleanOptions,
}

/// Text since the last tag. The serialiser of the second step looks from each ampersand and each character of the block
/// Latin-1 Supplement to the end of its text, so that long texts full of them are interrupted.
#[derive(Debug, Default)]
struct Run {
    octets: usize,
    special: usize,
}

impl Run {
    fn add(&mut self, c: char) {
        self.octets += c.len_utf8();
        self.special += usize::from(matches!(c, '&' | '\u{80}'..='\u{bf}'));
    }

    fn is_long(&self) -> bool {
        self.octets >= 512 && self.special >= 64
    }
}

fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th" | "caption")
}

fn is_section(name: &str) -> bool {
    matches!(name, "tbody" | "thead" | "tfoot")
}

impl Shaper<'_> {
    fn text(&mut self, text: &str) {
        let text = references::in_text(text);
        if self.is_between_cells() {
            if text.bytes().all(|b| b.is_ascii_whitespace()) {
                return;
            }
            self.open_cell();
        }
        text.chars().for_each(|c| self.character(c));
    }

    fn character(&mut self, c: char) {
        if c.is_control() && !matches!(c, '\n' | '\r' | '\t') {
            return;
        }
        if self.run.is_long() {
            self.write_start("wbr", "", "");
        }
        self.run.add(c);
        let (reference, stand_in) = match c {
            '&' => ("&amp;", '＆'),
            '<' => ("&lt;", '＜'),
            '>' => ("&gt;", '＞'),
            c => return self.out.html.push(c),
        };
        self.references += 1;
        if self.references <= MAX_REFERENCES {
            self.out.html.push_str(reference);
        } else {
            self.out.html.push(stand_in);
            self.out.truncated = true;
        }
    }

    fn start(&mut self, given: &str, attributes: &[(&str, &str)]) {
        let lower = given.to_ascii_lowercase();
        // The background and font of the whole, and text whose line ends count, are kept by ordinary blocks.
        let (name, extra) = match lower.as_str() {
            "body" => ("div", ""),
            "pre" | "listing" => ("div", " style=\"white-space:pre-wrap;font-family:monospace\""),
            "image" => ("img", ""),
            other => (other, ""),
        };
        let Some(name) = elements().find(|known| *known == name) else { return };
        let mut kept = attributes::filter(name, if extra.is_empty() { attributes } else { &[] }, self.options);
        self.out.remote += kept.remote;
        self.references += kept.text.matches('&').count();
        if self.references > MAX_REFERENCES {
            self.out.truncated = true;
            kept.text.clear();
        }
        if name == "a" && !kept.link {
            return;
        }
        if self.tags >= MAX_TAGS {
            self.out.truncated = true;
            return;
        }
        if !self.make_place(name) {
            return;
        }
        if VOID.contains(&name) {
            return self.write_start(name, &kept.text, extra);
        }
        let inline = INLINE.contains(&name);
        if self.open.len() >= MAX_DEPTH || (inline && self.inline >= MAX_INLINE_DEPTH) {
            self.out.truncated = true;
            self.ignored += 1;
            return;
        }
        self.write_start(name, &kept.text, extra);
        self.open.push(name);
        self.inline += usize::from(inline);
    }

    fn end(&mut self, given: &str) {
        let lower = given.to_ascii_lowercase();
        let name = match lower.as_str() {
            "br" => return self.start("br", &[]),
            "pre" | "listing" => "div",
            other => other,
        };
        let Some(name) = elements().find(|known| *known == name) else { return };
        if self.ignored > 0 {
            self.ignored -= 1;
            return;
        }
        let stop = |open: &str| {
            let table_end = if TABLE.contains(&name) { "table" } else { "" };
            // A line's element does not end the blocks within it, and nothing but a table's own tags ends its cells.
            if INLINE.contains(&name) {
                !INLINE.contains(&open)
            } else {
                open == table_end || (table_end.is_empty() && is_cell(open))
            }
        };
        if let Some(level) = self.innermost(name, stop) {
            self.close_to(level);
        }
    }

    /// The level of the innermost open element of a name, looking no further out than an element to stop at.
    fn innermost(&self, name: &str, stop: impl Fn(&str) -> bool) -> Option<usize> {
        for (level, open) in self.open.iter().enumerate().rev() {
            if *open == name {
                return Some(level);
            }
            if stop(open) {
                return None;
            }
        }
        None
    }

    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(name) = self.open.pop() else { return };
            self.inline -= usize::from(INLINE.contains(&name));
            self.run = Run::default();
            self.out.html.push_str("</");
            self.out.html.push_str(name);
            self.out.html.push('>');
        }
    }

    fn write_start(&mut self, name: &str, attributes: &str, extra: &str) {
        self.tags += 1;
        self.run = Run::default();
        self.out.html.push('<');
        self.out.html.push_str(name);
        self.out.html.push_str(attributes);
        self.out.html.push_str(extra);
        self.out.html.push('>');
    }

    fn push(&mut self, name: &'static str) {
        self.write_start(name, "", "");
        self.open.push(name);
    }

    /// Whether the innermost element is one of a table's that cannot hold text.
    fn is_between_cells(&self) -> bool {
        self.open.last().is_some_and(|name| *name == "table" || *name == "tr" || is_section(name))
    }

    /// Opens what is missing between the innermost element of a table and a cell, and the cell.
    fn open_cell(&mut self) {
        self.open_row();
        self.push("td");
    }

    fn open_row(&mut self) {
        if self.open.last() == Some(&"table") {
            self.push("tbody");
        }
        if self.open.last().is_some_and(|name| is_section(name)) {
            self.push("tr");
        }
    }

    /// Closes and opens what an element needs around it. Answers false where it has no place.
    fn make_place(&mut self, name: &'static str) -> bool {
        if TABLE.contains(&name) && name != "table" {
            return self.make_place_in_table(name);
        }
        if self.is_between_cells() {
            self.open_cell();
        }
        let out_of = |open: &str| open == "table" || is_cell(open);
        if name == "a"
            && let Some(level) = self.innermost("a", out_of)
        {
            self.close_to(level);
        }
        if name == "table" || name == "hr" || BLOCK.contains(&name) {
            if let Some(level) = self.innermost("p", out_of) {
                self.close_to(level);
            }
            self.close_siblings(name);
        }
        true
    }

    /// Closes the item, term or heading that another one ends.
    fn close_siblings(&mut self, name: &str) {
        let siblings: &[&str] = match name {
            "li" => &["li"],
            "dd" | "dt" => &["dd", "dt"],
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => &["h1", "h2", "h3", "h4", "h5", "h6"],
            _ => return,
        };
        let out_of = |open: &str| {
            open == "table" || is_cell(open) || matches!(open, "ul" | "ol" | "dl" | "div" | "blockquote" | "section")
        };
        if let Some(level) = siblings.iter().filter_map(|sibling| self.innermost(sibling, out_of)).max() {
            self.close_to(level);
        }
    }

    fn make_place_in_table(&mut self, name: &'static str) -> bool {
        let Some(table) = self.open.iter().rposition(|open| *open == "table") else { return false };
        let inside = self.open.get(table + 1..).unwrap_or_default();
        let section = inside.iter().position(|open| is_section(open)).map(|at| table + 1 + at);
        let row = inside.iter().position(|open| *open == "tr").map(|at| table + 1 + at);
        match name {
            "td" | "th" => {
                self.close_to(row.or(section).unwrap_or(table) + 1);
                self.open_row();
            }
            "tr" => {
                self.close_to(section.unwrap_or(table) + 1);
                if section.is_none() {
                    self.push("tbody");
                }
            }
            _ => self.close_to(table + 1),
        }
        true
    }
}
