//! Search: what of a message can be found, the language of questions, and where in a text the answer stands. Pure.
//!
//! Messages and questions are cut into the same pieces ([`terms`]), so that the database only has to compare them, whatever
//! its locale and extensions are. Words are found from their beginning; in scripts without spaces, and in addresses, names and
//! subjects, anything is found that stands anywhere.

mod document;
mod highlight;
mod language;
mod operators;
mod terms;

pub use document::{Document, Known};
pub use highlight::{Highlight, highlights};
pub use language::{Fault, Query, parse};
pub use operators::{Condition, OPERATORS, Operator};
pub use terms::{BLOCK, block_term};
