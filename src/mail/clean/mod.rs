//! Message HTML made safe to show: layout and text stay; scripts, forms, frames, and everything that would fetch
//! something from elsewhere go.
//!
//! Two steps, either of which would do: `shape` writes well-formed HTML of known elements and checked attributes, in
//! linear time and with limits; ammonia then parses that as a browser would and keeps only what its own list allows.
//! What comes out belongs into a sandboxed frame all the same.

mod attributes;
mod links;
mod references;
mod shape;
mod style;
mod text;
mod tokens;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use crate::mail::attachments::{self, Attachment};
use crate::mail::preview;

pub use text::text_to_html;

/// Octets of HTML that are read; the rest is cut off.
const MAX_OCTETS: usize = 1024 * 1024;
/// Elements inside each other.
const MAX_DEPTH: usize = 256;
/// Elements within a line of text inside each other, such as `font`.
const MAX_INLINE_DEPTH: usize = 64;
/// Characters of text written as character references; look-alikes stand for the rest.
const MAX_REFERENCES: usize = 50_000;
/// Elements written in all.
const MAX_TAGS: usize = 20_000;
/// Columns or rows that a cell may span.
const MAX_CELLS_SPANNED: u16 = 200;

/// What becomes of images that lie elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RemoteImages {
    /// They are left out and counted.
    #[default]
    Block,
    /// Those with https stay, for a reader who asked for them.
    Https,
    /// Their addresses are put, percent-encoded, behind this prefix, such as that of a proxy.
    Through(String),
}

/// What to show besides text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanOptions {
    /// For the `Content-ID` of each inline image the URL at which it is found; only these stay of `cid:` images.
    pub inline: BTreeMap<String, String>,
    /// What becomes of images that lie elsewhere.
    pub remote: RemoteImages,
}

impl CleanOptions {
    /// Shows the inline images of a message at a prefix followed by the index of the attachment. Only those whose octets
    /// are a harmless image format are shown.
    pub fn for_attachments(attachments: &[Attachment], prefix: &str) -> Self {
        let is_image = |a: &&Attachment| a.detected_type.as_deref().is_some_and(attachments::is_safe_image);
        let url = |a: &Attachment| Some((a.content_id.clone()?, format!("{prefix}{}", a.index)));
        Self { inline: attachments.iter().filter(is_image).filter_map(url).collect(), remote: RemoteImages::Block }
    }
}

/// HTML that is safe to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The HTML, a fragment for the body of a page.
    pub html: String,
    /// How many references to images elsewhere were left out.
    pub blocked_remote: usize,
    /// Whether the HTML was too large, too deep or too full of elements, so that a part of it or of its layout is missing.
    pub truncated: bool,
}

/// Makes message HTML safe to show. Cleaning again changes nothing.
pub fn clean_html(html: &str, options: &CleanOptions) -> Cleaned {
    let cut = html.get(..preview::floor(html, MAX_OCTETS)).unwrap_or_default();
    let shaped = shape::shape(cut, options);
    Cleaned {
        html: AMMONIA.clean(&shaped.html).to_string(),
        blocked_remote: shaped.remote,
        truncated: shaped.truncated || cut.len() < html.len(),
    }
}

/// The second step. Its lists name all that the first step writes.
static AMMONIA: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(shape::elements().collect())
        .clean_content_tags(HashSet::from(["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"]))
        .generic_attributes(HashSet::from(["align", "dir", "height", "lang", "style", "title", "type", "valign", "width"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src", "alt", "border"])),
            ("table", HashSet::from(["bgcolor", "border", "cellpadding", "cellspacing"])),
            ("tbody", HashSet::from(["bgcolor"])),
            ("thead", HashSet::from(["bgcolor"])),
            ("tfoot", HashSet::from(["bgcolor"])),
            ("tr", HashSet::from(["bgcolor"])),
            ("td", HashSet::from(["bgcolor", "colspan", "rowspan", "nowrap"])),
            ("th", HashSet::from(["bgcolor", "colspan", "rowspan", "nowrap"])),
            ("caption", HashSet::from(["bgcolor"])),
            ("font", HashSet::from(["color", "face", "size"])),
            ("hr", HashSet::from(["color", "size"])),
            ("ol", HashSet::from(["start"])),
            ("ul", HashSet::from(["start"])),
            ("li", HashSet::from(["value"])),
        ]))
        .tag_attribute_values(HashMap::from([(
            "a",
            HashMap::from([("target", HashSet::from(["_blank"])), ("rel", HashSet::from(["noopener noreferrer nofollow"]))]),
        )]))
        .link_rel(None)
        .url_schemes(HashSet::from(["http", "https", "mailto", "data"]))
        .url_relative(UrlRelative::PassThrough);
    builder
});
