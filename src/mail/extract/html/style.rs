//! What a style says about whether and how a text is seen.

use std::collections::HashMap;

/// How the text of an element looks, as far as it matters for finding a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sign of its own")]
pub(super) struct Look {
    /// Not shown, whatever its children say.
    pub(super) hidden: bool,
    /// Shown by no child unless it says so itself (visibility, transparent colour).
    pub(super) invisible: bool,
    /// Set too small to read.
    pub(super) tiny: bool,
    /// The colour of the text, where known.
    pub(super) color: Option<u32>,
    /// The colour behind the text, where known.
    pub(super) background: Option<u32>,
    /// Bold.
    pub(super) bold: bool,
    /// Size of the letters in pixels; 0 where unknown.
    pub(super) size: u16,
    /// Letters set apart, or of fixed width.
    pub(super) spaced: bool,
    /// In a box of its own: a border or a background.
    pub(super) boxed: bool,
    /// White space is kept.
    pub(super) pre: bool,
    /// Children stand side by side.
    pub(super) flex: bool,
    /// A quotation of an earlier message.
    pub(super) quote: bool,
    /// In a `blockquote`, which may be a quotation or a box.
    pub(super) block: bool,
}

/// What one element's own style adds beside its look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Display {
    /// `inline`, `inline-block`, floated: no line of its own.
    pub(super) inline: Option<bool>,
    /// Set apart from its neighbours by a space.
    pub(super) apart: bool,
}

impl Look {
    /// Whether a person can read text that looks like this.
    pub(super) fn is_seen(&self) -> bool {
        let blends = self.color.is_some() && self.color == self.background;
        !(self.hidden || self.invisible || self.tiny || blends)
    }

    /// How much the text stands out, from 0 to 5.
    pub(super) fn emphasis(&self) -> u8 {
        let large = u8::from(self.size >= 18) + u8::from(self.size >= 24);
        u8::from(self.bold) + large + u8::from(self.spaced) + u8::from(self.boxed)
    }

    /// Takes in the declarations of a style attribute or rule.
    pub(super) fn apply(&mut self, style: &str) -> Display {
        let mut display = Display::default();
        let mut clips = Clip::default();
        for declaration in style.split(';').take(64) {
            let Some((name, value)) = declaration.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.len() > 32 || value.len() > 128 {
                continue;
            }
            let value = value.to_ascii_lowercase();
            self.declare(&name.to_ascii_lowercase(), value.trim_end_matches("!important").trim(), &mut display, &mut clips);
        }
        self.hidden |= clips.hides();
        display
    }

    fn declare(&mut self, name: &str, value: &str, display: &mut Display, clips: &mut Clip) {
        match name {
            "display" => match value {
                "none" => self.hidden = true,
                "inline" | "inline-block" | "inline-flex" | "inline-table" | "table-cell" => {
                    display.inline = Some(true);
                    display.apart = value != "inline";
                    self.flex |= value == "inline-flex";
                }
                "flex" => {
                    self.flex = true;
                    display.inline = Some(false);
                }
                "block" | "table" | "grid" | "list-item" | "table-row" => display.inline = Some(false),
                _ => {}
            },
            "flex-direction" if value.starts_with("column") => self.flex = false,
            "float" if value == "left" || value == "right" => {
                display.inline = Some(true);
                display.apart = true;
            }
            "visibility" => self.invisible = matches!(value, "hidden" | "collapse"),
            "opacity" => self.hidden |= number(value).is_some_and(|n| n < 0.05),
            "mso-hide" => self.hidden |= value == "all",
            "font-size" => self.set_size(value),
            "font" => self.set_font(value),
            "font-weight" => self.bold = matches!(value, "bold" | "bolder") || number(value).is_some_and(|n| n >= 600.0),
            "letter-spacing" => self.spaced = length(value).is_some_and(|n| n >= 1.5),
            "font-family" => self.spaced |= value.contains("mono") || value.contains("courier"),
            "color" => {
                self.color = color(value);
                self.invisible |= value == "transparent";
            }
            "background" | "background-color" => {
                if let Some(found) = value.split_whitespace().find_map(color) {
                    self.background = Some(found);
                    self.boxed = found != 0xff_ffff;
                } else if value.contains("url(") || value.contains("gradient") {
                    self.background = None;
                }
            }
            "border" => self.boxed |= !(value.starts_with('0') || value.starts_with("none")),
            "white-space" => self.pre = value.starts_with("pre"),
            "text-indent" | "left" | "top" | "margin-left" => self.hidden |= length(value).is_some_and(|n| n <= -900.0),
            "max-height" | "height" => clips.flat |= length(value).is_some_and(|n| n < 1.5),
            "max-width" | "width" => clips.narrow |= length(value).is_some_and(|n| n < 1.5),
            "overflow" => clips.cut = value == "hidden",
            _ => {}
        }
    }

    fn set_size(&mut self, value: &str) {
        let pixels = match value {
            "inherit" => return,
            "xx-large" | "xxx-large" => Some(32.0),
            "x-large" => Some(24.0),
            "large" | "larger" => Some(18.0),
            "medium" | "small" | "smaller" | "x-small" | "xx-small" => Some(13.0),
            _ => length(value),
        };
        let Some(pixels) = pixels else { return };
        self.tiny = pixels < 2.5;
        self.size = if pixels >= 24.0 { 24 } else { u16::from(pixels >= 18.0) * 18 };
    }

    fn set_font(&mut self, value: &str) {
        for word in value.split_whitespace().take(6) {
            match word {
                "bold" | "600" | "700" | "800" | "900" => self.bold = true,
                _ if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['p', 'e', '%']) => {
                    self.set_size(word.split('/').next().unwrap_or(word));
                }
                _ => {}
            }
        }
        self.spaced |= value.contains("mono") || value.contains("courier");
    }
}

/// A box without room whose overflow is cut off shows nothing.
#[derive(Debug, Default)]
struct Clip {
    flat: bool,
    narrow: bool,
    cut: bool,
}

impl Clip {
    fn hides(&self) -> bool {
        self.cut && (self.flat || self.narrow)
    }
}

fn number(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// A length in pixels, roughly.
fn length(value: &str) -> Option<f32> {
    let number = number(value)?;
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    Some(match unit {
        "em" | "rem" => number * 16.0,
        "%" => number * 0.16,
        "pt" => number * 4.0 / 3.0,
        _ => number,
    })
}

/// A colour as 0xrrggbb.
pub(super) fn color(value: &str) -> Option<u32> {
    if let Some(hex) = value.strip_prefix('#') {
        let code = u32::from_str_radix(hex, 16).ok()?;
        return match hex.len() {
            3 => Some((code >> 8 & 15) * 0x11_0000 + (code >> 4 & 15) * 0x1100 + (code & 15) * 0x11),
            6 => Some(code),
            _ => None,
        };
    }
    if let Some(list) = value.strip_prefix("rgb(").or_else(|| value.strip_prefix("rgba(")) {
        let mut parts = list.trim_end_matches(')').split(',').map(|part| part.trim().parse::<u8>().ok());
        let mut next = || parts.next().flatten().map(u32::from);
        let (red, green, blue) = (next()?, next()?, next()?);
        return Some((red << 16) + (green << 8) + blue);
    }
    match value {
        "white" => Some(0xff_ffff),
        "black" => Some(0),
        "red" => Some(0xff_0000),
        "gray" | "grey" => Some(0x80_8080),
        "silver" => Some(0xc0_c0c0),
        _ => None,
    }
}

/// The rules of `<style>` blocks that hide an element by its class or id; nothing inside `@media`.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: HashMap<String, String>,
}

impl Sheet {
    /// Reads a block; at most 256 KB and 512 rules in all are looked at.
    pub(super) fn read(&mut self, css: &str) {
        let mut rest = css.get(..css.len().min(1 << 18)).unwrap_or_default();
        while let Some(open) = rest.find('{') {
            let selector = rest.get(..open).unwrap_or_default().trim();
            let body = rest.get(open + 1..).unwrap_or_default();
            if selector.rsplit(['}', ';', '/']).next().unwrap_or_default().trim().starts_with('@') {
                rest = skip_block(body);
                continue;
            }
            let end = body.find('}').unwrap_or(body.len());
            self.add(selector, body.get(..end).unwrap_or_default());
            rest = body.get(end + 1..).unwrap_or_default();
        }
    }

    fn add(&mut self, selectors: &str, body: &str) {
        for selector in selectors.split(',').take(16) {
            let selector = selector.rsplit("*/").next().unwrap_or_default().trim();
            // Only `.name`, `#name` and `tag.name`: what depends on neighbours is rarely about hiding.
            let Some(at) = selector.rfind(['.', '#']) else { continue };
            if selector.contains([' ', '>', ':', '[', '+', '~']) || selector.len() > 80 || self.rules.len() >= 512 {
                continue;
            }
            let name = selector.get(at..).unwrap_or_default().to_owned();
            let rule = self.rules.entry(name).or_default();
            if rule.len() < 2048 {
                rule.push(';');
                rule.push_str(body.trim());
            }
        }
    }

    /// The declarations for an element of this class (`.name`) or id (`#name`).
    pub(super) fn rule(&self, mark: char, name: &str) -> Option<&str> {
        if self.rules.is_empty() {
            return None;
        }
        self.rules.get(&format!("{mark}{name}")).map(String::as_str)
    }
}

/// What follows a block with blocks in it.
fn skip_block(body: &str) -> &str {
    let mut depth = 1_usize;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return body.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_that_hide_are_known() {
        let hiding = [
            "display:none",
            "DISPLAY: NONE !important",
            "visibility:hidden",
            "opacity:0",
            "font-size:0",
            "font-size:1px;line-height:1px",
            "max-height:0;overflow:hidden",
            "mso-hide:all",
            "color:#fff;background-color:#ffffff",
            "color:transparent",
            "position:absolute;left:-9999px",
        ];
        for style in hiding {
            let mut look = Look::default();
            look.apply(style);
            assert!(!look.is_seen(), "{style}");
        }
        for style in ["color:#fff;background:#000", "font-size:14px", "max-height:0", "opacity:0.9"] {
            let mut look = Look::default();
            look.apply(style);
            assert!(look.is_seen(), "{style}");
        }
    }

    #[test]
    fn a_sheet_gives_rules_by_class_and_leaves_media_out() {
        let mut sheet = Sheet::default();
        sheet.read("/* x */ .pre, td.gone{display:none} @media (max-width:600px){.wide{display:none}} #b{color:red}");
        assert_eq!(sheet.rule('.', "gone"), Some(";display:none"));
        assert_eq!(sheet.rule('.', "pre"), Some(";display:none"));
        assert_eq!(sheet.rule('.', "wide"), None);
        assert_eq!(sheet.rule('#', "b"), Some(";color:red"));
    }
}
