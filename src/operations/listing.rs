//! What all listings take, and how a field that was given as null is told from one that was not given.

use serde::{Deserialize, Deserializer};

/// Adds `limit`, `cursor` and `offset` to the input of a listing, and `page()` to read them.
///
/// They are fields of each input rather than a flattened struct, so that an error names the field.
macro_rules! listing {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// How many at most; 50 by default.
            pub limit: Option<crate::types::Int<1, 200>>,
            /// Where to go on: `next_cursor` of the page before.
            pub cursor: Option<crate::types::Cursor>,
            /// How many to skip, for callers without a cursor; a cursor is quicker and never skips or repeats.
            pub offset: Option<crate::types::Int<0, 1_000_000>>,
        }

        impl $name {
            fn page(&self) -> crate::types::PageRequest {
                crate::types::PageRequest::new(self.limit, self.cursor.clone(), self.offset)
            }
        }
    };
}
pub(super) use listing;

/// Tells `null` (given, and nothing) from an absent field.
#[expect(clippy::option_option, reason = "absent, null and a value are three answers")]
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
