//! Inline styles: declarations that lay out and colour text, nothing that fetches, runs or leaves its place.

/// Properties kept.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-left-radius",
    "border-bottom-right-radius",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-left-radius",
    "border-top-right-radius",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "opacity",
    "overflow",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-decoration-line",
    "text-indent",
    "text-overflow",
    "text-transform",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

/// Values of `display` kept; `contents`, grid and the like are not needed for mail.
const DISPLAYS: &[&str] = &[
    "block",
    "inline",
    "inline-block",
    "inline-table",
    "list-item",
    "none",
    "table",
    "table-caption",
    "table-cell",
    "table-column",
    "table-column-group",
    "table-footer-group",
    "table-header-group",
    "table-row",
    "table-row-group",
];

/// Functions kept in values.
const FUNCTIONS: &[&str] = &["rgb", "rgba", "hsl", "hsla"];

/// Declarations read of one style.
const MAX_DECLARATIONS: usize = 100;
/// Longest value kept, in octets.
const MAX_VALUE: usize = 300;
/// Largest number kept, so that nothing grows over the page.
const MAX_NUMBER: f64 = 4000.0;

/// A style as far as it is harmless.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// The declarations kept; empty where there are none.
    pub(super) text: String,
    /// Whether it would have fetched something from elsewhere.
    pub(super) remote: bool,
}

/// Keeps what is harmless of a style attribute.
pub(super) fn filter(style: &str) -> Style {
    let mut kept = Style::default();
    for declaration in style.split(';').take(MAX_DECLARATIONS) {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim();
        kept.remote |= is_remote(value);
        if PROPERTIES.contains(&property.as_str()) && is_harmless(&property, value) {
            if !kept.text.is_empty() {
                kept.text.push(';');
            }
            kept.text.push_str(&property);
            kept.text.push(':');
            kept.text.push_str(value);
        }
    }
    kept
}

fn is_remote(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.contains("url(") && !value.contains("url(data:") && !value.contains("url(cid:") || value.contains("image-set")
}

fn is_harmless(property: &str, value: &str) -> bool {
    // Backslashes, comments, at-signs and the like have no use here, and hide things.
    let known = |c: char| c.is_ascii_alphanumeric() || (c >= '\u{c0}' && c.is_alphabetic()) || " #.,%()'\"-+!/_".contains(c);
    if value.is_empty() || value.len() > MAX_VALUE || !value.chars().all(known) || value.contains("/*") {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let word = lower.trim_end_matches("!important").trim();
    has_paired_quotes(value)
        && functions(&lower).all(|name| FUNCTIONS.contains(&name))
        && numbers(&lower).all(|number| (-MAX_NUMBER..=MAX_NUMBER).contains(&number))
        && match property {
            "display" => DISPLAYS.contains(&word),
            "overflow" => matches!(word, "hidden" | "auto" | "visible"),
            // What moves text over other text.
            "text-indent" | "letter-spacing" | "word-spacing" => numbers(&lower).all(|number| number > -20.0),
            _ if property.starts_with("margin") => numbers(&lower).all(|number| number >= 0.0),
            _ => true,
        }
}

fn has_paired_quotes(value: &str) -> bool {
    let mut open = None;
    for c in value.chars().filter(|c| matches!(c, '"' | '\'')) {
        open = match open {
            None => Some(c),
            Some(quote) if quote == c => None,
            other => other,
        };
    }
    open.is_none() && value.matches('(').count() == value.matches(')').count()
}

/// The word before each opening parenthesis.
fn functions(value: &str) -> impl Iterator<Item = &str> {
    value.match_indices('(').map(|(at, _)| {
        let before = value.get(..at).unwrap_or_default();
        before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default()
    })
}

/// The numbers in a value, colours in hexadecimal digits apart.
fn numbers(value: &str) -> impl Iterator<Item = f64> {
    value
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '/'))
        .filter(|word| !word.starts_with('#'))
        .filter_map(|word| {
            let end = word.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(word.len());
            let number = word.get(..end).filter(|n| n.bytes().any(|b| b.is_ascii_digit()))?;
            // `1e9px`: an exponent is never meant well.
            let exponent = word.get(end..).is_some_and(|rest| {
                rest.len() > 1 && rest.starts_with('e') && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
            });
            Some(if exponent { f64::INFINITY } else { number.parse().unwrap_or(f64::INFINITY) })
        })
}
