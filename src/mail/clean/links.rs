//! Where links and images may point to.

use url::Url;

use super::{CleanOptions, RemoteImages};

/// Octets of a `data:` image kept.
const MAX_DATA_IMAGE: usize = 256 * 1024;
/// Octets of a link kept.
const MAX_LINK: usize = 8 * 1024;
/// Ampersands and characters beyond ASCII in a link kept.
const MAX_SPECIAL: usize = 256;

/// What becomes of the address of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Image {
    /// It is shown from here.
    Keep(String),
    /// It would be fetched from elsewhere.
    Remote,
    /// It is of no use.
    Drop,
}

/// A URL as browsers read it: tabs and line ends gone, control characters and space at both ends too (WHATWG URL section 4.4).
fn normal(value: &str) -> String {
    let inner = value.trim_matches(|c: char| c <= ' ');
    inner.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r' | '\0')).collect()
}

/// The target of a link, where it is http, https or mailto.
pub(super) fn target(value: &str) -> Option<String> {
    let value = normal(value);
    let special = value.chars().filter(|&c| c == '&' || !c.is_ascii()).count();
    let url = (value.len() <= MAX_LINK && special <= MAX_SPECIAL).then(|| Url::parse(&value).ok()).flatten()?;
    let harmless = match url.scheme() {
        "http" | "https" => url.host_str().is_some_and(|host| !host.is_empty()),
        "mailto" => true,
        _ => false,
    };
    harmless.then_some(value)
}

/// The source of an image.
pub(super) fn image(value: &str, options: &CleanOptions) -> Image {
    let value = normal(value);
    if options.inline.values().any(|url| *url == value) {
        return Image::Keep(value);
    }
    let scheme = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "cid" => inline(&value, options),
        "data" => data(&value),
        "http" | "https" => remote(value, options),
        _ if value.starts_with("//") || value.starts_with("\\\\") => Image::Remote,
        _ => match &options.remote {
            RemoteImages::Through(prefix) if !prefix.is_empty() && value.starts_with(prefix.as_str()) => Image::Keep(value),
            _ => Image::Drop,
        },
    }
}

fn inline(value: &str, options: &CleanOptions) -> Image {
    let id = percent_decoded(value.get(4..).unwrap_or_default());
    let id = id.trim_matches(['<', '>', ' ']);
    options.inline.get(id).map_or(Image::Drop, |url| Image::Keep(url.clone()))
}

fn data(value: &str) -> Image {
    let lower = value.get(..64).unwrap_or(value).to_ascii_lowercase();
    let allowed =
        ["png", "jpeg", "jpg", "gif", "webp"].iter().any(|kind| lower.starts_with(&format!("data:image/{kind};base64,")));
    let payload = value.split_once(',').map_or("", |(_, payload)| payload);
    let plain = payload.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    if allowed && plain && value.len() <= MAX_DATA_IMAGE { Image::Keep(value.to_owned()) } else { Image::Drop }
}

fn remote(value: String, options: &CleanOptions) -> Image {
    let is_https = value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    match &options.remote {
        RemoteImages::Https if is_https => target(&value).map_or(Image::Drop, Image::Keep),
        RemoteImages::Block | RemoteImages::Https => Image::Remote,
        RemoteImages::Through(prefix) if !prefix.is_empty() && value.starts_with(prefix.as_str()) => Image::Keep(value),
        RemoteImages::Through(prefix) => {
            target(&value).map_or(Image::Drop, |url| Image::Keep(format!("{prefix}{}", percent_encoded(&url))))
        }
    }
}

fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
