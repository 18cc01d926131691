//! Background work.

pub mod search_index;
