//! Attachments: what they claim to be, what their octets say they are, and a name that is safe to save under.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crypto::hex;
use crate::mail::fields::Parameterised;
use crate::mail::limits::{Defects, Limits};
use crate::mail::text;
use crate::mail::tree::{self, Leaf};

/// Whether a part is meant to be saved or to be shown in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// To be saved.
    Attachment,
    /// To be shown within the message, such as an image that the HTML refers to.
    Inline,
}

/// An attachment of a message, without its octets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Its place among the attachments of the message, from 0.
    pub index: usize,
    /// A name to save it under: decoded, without path, control or reordering characters, never empty, at most 150 characters.
    pub filename: String,
    /// The media type that the sender gave, in lower case, without parameters.
    pub content_type: String,
    /// The media type that the first octets show, where they are of a well-known format.
    pub detected_type: Option<String>,
    /// Whether it is meant to be saved or shown.
    pub disposition: Disposition,
    /// The `Content-ID` without angle brackets, by which HTML refers to the part.
    pub content_id: Option<String>,
    /// The size after decoding, in octets.
    pub size_octets: u64,
    /// The SHA-256 digest of the decoded octets, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl Attachment {
    /// The media type to serve it with: that of a harmless image where the octets are one, otherwise a neutral type
    /// that a browser saves.
    pub fn served_type(&self) -> &str {
        self.detected_type.as_deref().filter(|kind| is_safe_image(kind)).unwrap_or("application/octet-stream")
    }
}

/// An attachment with its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentBody {
    /// What it is.
    pub meta: Attachment,
    /// The decoded octets.
    pub bytes: Vec<u8>,
}

/// Takes one attachment out of a message; none where there are not so many.
pub fn attachment(raw: &[u8], index: usize) -> Option<AttachmentBody> {
    attachment_within(raw, index, &Limits::DEFAULT)
}

/// As [`attachment`], within other limits.
pub fn attachment_within(raw: &[u8], index: usize, limits: &Limits) -> Option<AttachmentBody> {
    let tree = tree::walk(raw, limits, &mut Defects::default());
    let leaf = tree::attachments(&tree.leaves).nth(index)?;
    let bytes = leaf.transfer.decode(leaf.body).into_owned();
    Some(AttachmentBody { meta: describe(leaf, index, &bytes), bytes })
}

/// Describes an attachment whose octets are known.
pub(super) fn describe(leaf: &Leaf<'_>, index: usize, octets: &[u8]) -> Attachment {
    let content_id = leaf.content_id.map(|id| text::single_line(&String::from_utf8_lossy(id), Limits::DEFAULT.line_chars));
    let content_id = content_id.map(|id| id.trim_matches(['<', '>', ' ']).to_owned()).filter(|id| !id.is_empty());
    let inline = leaf.disposition.value == "inline" || (leaf.disposition.value.is_empty() && content_id.is_some());
    Attachment {
        index,
        filename: filename(&leaf.disposition, &leaf.media, index),
        content_type: leaf.media.value.clone(),
        detected_type: detect(octets).map(str::to_owned),
        disposition: if inline { Disposition::Inline } else { Disposition::Attachment },
        content_id,
        size_octets: octets.len() as u64,
        sha256: hex(&Sha256::digest(octets)),
    }
}

/// Whether a media type is an image format that browsers show without running anything.
pub fn is_safe_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// The media type that the first octets show.
pub fn detect(octets: &[u8]) -> Option<&'static str> {
    let webp = octets.starts_with(b"RIFF") && octets.get(8..12) == Some(b"WEBP");
    [
        (octets.starts_with(b"\x89PNG\r\n\x1a\n"), "image/png"),
        (octets.starts_with(b"\xff\xd8\xff"), "image/jpeg"),
        (octets.starts_with(b"GIF87a") || octets.starts_with(b"GIF89a"), "image/gif"),
        (webp, "image/webp"),
        (octets.starts_with(b"%PDF-"), "application/pdf"),
        (octets.starts_with(b"PK\x03\x04"), "application/zip"),
        (octets.starts_with(b"\x1f\x8b\x08"), "application/gzip"),
        (octets.starts_with(b"\x78\x9f\x3e\x22"), "application/ms-tnef"),
    ]
    .into_iter()
    .find_map(|(found, kind)| found.then_some(kind))
}

/// A name to save under, made up where the sender gave none.
fn filename(disposition: &Parameterised, media: &Parameterised, index: usize) -> String {
    let given = disposition.parameter("filename").or_else(|| media.parameter("name"));
    given.map(safe_filename).filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let extension = match media.value.as_str() {
            "message/rfc822" | "message/global" => "eml",
            "text/plain" => "txt",
            "text/html" => "html",
            "text/calendar" => "ics",
            "application/pdf" => "pdf",
            "image/png" => "png",
            "image/jpeg" => "jpg",
            "image/gif" => "gif",
            "image/webp" => "webp",
            _ => "bin",
        };
        format!("attachment-{}.{extension}", index + 1)
    })
}

/// Characters kept of a file name.
const FILENAME_CHARS: usize = 150;

/// Makes a name safe: only its last path component, without characters that file systems, terminals or eyes trip over.
pub fn safe_filename(given: &str) -> String {
    let base = given.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty()).unwrap_or_default();
    let name: String = text::single_line(base, FILENAME_CHARS * 4)
        .chars()
        .filter(|&c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}'))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '%') { '_' } else { c })
        .collect();
    let name = name.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let name = shorten(name);
    if is_device(&name) { format!("_{name}") } else { name }
}

/// Shortens a name in the middle, so that its extension stays.
fn shorten(name: &str) -> String {
    if name.chars().count() <= FILENAME_CHARS {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension).filter(|e| e.chars().count() <= 10);
    match extension {
        Some(extension) => format!(
            "{}.{extension}",
            text::cut(name, FILENAME_CHARS - 1 - extension.chars().count()).trim_end_matches(['.', ' '])
        ),
        None => text::cut(name, FILENAME_CHARS).trim_end_matches(['.', ' ']).to_owned(),
    }
}

/// Names that Windows takes for devices, whatever their extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt"))
            .is_some_and(|n| n.len() == 1 && n.as_bytes().iter().all(u8::is_ascii_digit))
}
