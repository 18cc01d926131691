//! HTML as a person sees it: the text with its lines, and where it stands out, links or quotes.
//!
//! One pass without recursion: depth, size and nesting are the sender's choice and must cost nothing.

mod entity;
mod render;
mod style;
mod token;

pub(super) use render::Anchor;
pub(super) use render::MAX_TEXT;
pub(super) use render::Rendered;
pub(super) use render::Run;
pub(super) use render::render;
