//! Which attributes stay, and with which values.

use crate::mail::text;

use super::links;
use super::links::Image;
use super::references;
use super::style;
use super::{CleanOptions, MAX_CELLS_SPANNED};

/// Characters kept of a title or an alternative text.
const MAX_PROSE: usize = 500;

/// The attributes of one tag as they are written out: names with escaped values.
pub(super) struct Kept {
    /// The text to stand in the tag after its name.
    pub(super) text: String,
    /// References to content elsewhere that were left out.
    pub(super) remote: usize,
    /// Whether it is a link.
    pub(super) link: bool,
}

/// Keeps the harmless attributes of a tag, in a fixed order.
pub(super) fn filter(tag: &str, given: &[(&str, &str)], options: &CleanOptions) -> Kept {
    let mut kept = Kept { text: String::new(), remote: 0, link: false };
    let get = |name: &str| given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    if get("background").is_some_and(|value| links::image(&references::in_attribute(value), options) == Image::Remote) {
        kept.remote += 1;
    }
    match tag {
        "a" => kept.href(get("href")),
        "img" => kept.src(get("src"), options),
        _ => {}
    }
    for &(name, rule) in RULES {
        if let Some(value) = get(name).filter(|_| Rule::applies(tag, name)) {
            kept.simple(name, value, rule);
        }
    }
    kept.style(get("style"));
    kept
}

impl Kept {
    fn put(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        for c in value.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '"' => self.text.push_str("&quot;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '\n' | '\r' | '\t' => self.text.push(' '),
                c if c.is_control() => {}
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn href(&mut self, value: Option<&str>) {
        if let Some(target) = value.and_then(|value| links::target(&references::in_attribute(value))) {
            self.put("href", &target);
            self.text.push_str(" target=\"_blank\" rel=\"noopener noreferrer nofollow\"");
            self.link = true;
        }
    }

    fn src(&mut self, value: Option<&str>, options: &CleanOptions) {
        match value.map(|value| links::image(&references::in_attribute(value), options)) {
            Some(Image::Keep(source)) => self.put("src", &source),
            Some(Image::Remote) => self.remote += 1,
            Some(Image::Drop) | None => {}
        }
    }

    fn style(&mut self, value: Option<&str>) {
        let Some(value) = value else { return };
        let style = style::filter(&references::in_attribute(value));
        self.remote += usize::from(style.remote);
        if !style.text.is_empty() {
            self.put("style", &style.text);
        }
    }

    fn simple(&mut self, name: &str, value: &str, rule: Rule) {
        let value = references::in_attribute(value);
        let value = text::cut(value.trim(), MAX_PROSE).trim_end();
        if rule.accepts(value) {
            self.put(name, value);
        }
    }
}

#[derive(Clone, Copy)]
enum Rule {
    /// Text for people, on any tag.
    Prose,
    /// A word, on any tag.
    Word,
    /// A word, on tags of tables, blocks, lists and images.
    Layout,
    /// A length up to 4000, or a percentage.
    Length,
    /// Columns or rows that a cell spans.
    Span,
    /// A colour.
    Colour,
    /// Names of fonts.
    Fonts,
}

/// The attributes besides links and styles.
const RULES: &[(&str, Rule)] = &[
    ("alt", Rule::Prose),
    ("title", Rule::Prose),
    ("dir", Rule::Word),
    ("lang", Rule::Word),
    ("align", Rule::Layout),
    ("valign", Rule::Layout),
    ("nowrap", Rule::Layout),
    ("type", Rule::Layout),
    ("width", Rule::Length),
    ("height", Rule::Length),
    ("border", Rule::Length),
    ("cellpadding", Rule::Length),
    ("cellspacing", Rule::Length),
    ("size", Rule::Length),
    ("start", Rule::Length),
    ("value", Rule::Length),
    ("colspan", Rule::Span),
    ("rowspan", Rule::Span),
    ("bgcolor", Rule::Colour),
    ("color", Rule::Colour),
    ("face", Rule::Fonts),
];

impl Rule {
    fn applies(tag: &str, name: &str) -> bool {
        let table = matches!(tag, "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th" | "caption");
        match name {
            "title" | "dir" | "lang" => true,
            "alt" => tag == "img",
            "align" => table || matches!(tag, "div" | "p" | "img" | "hr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"),
            "valign" | "bgcolor" => table,
            "nowrap" | "colspan" | "rowspan" => matches!(tag, "td" | "th"),
            "type" | "start" => matches!(tag, "ol" | "ul"),
            "value" => tag == "li",
            "width" | "height" => table || matches!(tag, "img" | "hr"),
            "border" => matches!(tag, "table" | "img"),
            "cellpadding" | "cellspacing" => tag == "table",
            "size" => matches!(tag, "font" | "hr"),
            "color" => matches!(tag, "font" | "hr"),
            "face" => tag == "font",
            _ => false,
        }
    }

    fn accepts(self, value: &str) -> bool {
        let number = value.trim_end_matches("px").trim_end_matches('%').trim_start_matches(['+', '-']);
        match self {
            Self::Prose => true,
            Self::Word | Self::Layout => value.len() <= 20 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            Self::Length => value.len() <= 7 && number.parse::<f32>().is_ok_and(|n| (0.0..=4000.0).contains(&n)),
            Self::Span => value.parse::<u16>().is_ok_and(|n| n <= MAX_CELLS_SPANNED),
            Self::Colour => value.len() <= 40 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"#(),. %".contains(&b)),
            Self::Fonts => value.len() <= 200 && value.chars().all(|c| c.is_alphanumeric() || " ,-_'.".contains(c)),
        }
    }
}
