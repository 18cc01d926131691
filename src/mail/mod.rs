//! Messages as bytes: parsing, cleaning for display, finding codes and links. Pure, no input or output.

pub mod attachments;
pub mod clean;
pub mod extract;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod parse;
pub mod reading;
pub mod search;

mod charset;
mod fields;
pub mod headers;
mod limits;
mod preview;
pub mod results;
mod text;
pub mod tls_report;
mod transfer;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub use fields::Correspondent;
pub use headers::Header;
pub use limits::Limits;
