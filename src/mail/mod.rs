//! Messages as bytes: parsing, cleaning for display, finding codes and links. Pure, no input or output.

pub mod extract;
