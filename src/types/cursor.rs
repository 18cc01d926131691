//! Paging: where a list goes on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Int;

/// Where a list goes on: the sort key of the last row that was shown. Opaque outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Cursor(String);

impl Cursor {
    /// After the row with this sort key.
    pub fn after(key: &impl ToString) -> Self {
        Self(key.to_string())
    }

    /// The sort key of the last row, in its own type.
    pub fn key<K: std::str::FromStr>(&self) -> Result<K, crate::error::Error> {
        self.0.parse().map_err(|_| {
            crate::error::Error::invalid("cursor", "is not a cursor of this list; take it from next_cursor of the page before")
        })
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        URL_SAFE_NO_PAD
            .decode(&text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|key| !key.contains('\0'))
            .map(Self)
            .ok_or("is not a cursor; take it from next_cursor of the page before")
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        URL_SAFE_NO_PAD.encode(cursor.0)
    }
}

/// The part of a list that a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    limit: Option<Int<1, 200>>,
    cursor: Option<Cursor>,
    offset: Option<Int<0, 1_000_000>>,
}

impl PageRequest {
    /// From what a caller gave.
    pub fn new(limit: Option<Int<1, 200>>, cursor: Option<Cursor>, offset: Option<Int<0, 1_000_000>>) -> Self {
        Self { limit, cursor, offset }
    }

    /// How many rows to show.
    pub fn limit(&self) -> i64 {
        self.limit.map_or(50, Int::get)
    }

    /// How many rows to ask the database for: one more than shown tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit() + 1
    }

    /// How many rows to skip.
    pub fn skip(&self) -> i64 {
        self.offset.map_or(0, Int::get)
    }

    /// The sort key to go on after, where there is one.
    pub fn after<K: std::str::FromStr>(&self) -> Result<Option<K>, crate::error::Error> {
        self.cursor.as_ref().map(Cursor::key).transpose()
    }
}

/// A part of a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the list goes on; null at its end.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of the rows fetched with [`PageRequest::fetch`].
    pub fn new<K: ToString>(mut items: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(request.limit()).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(|row| Cursor::after(&key(row))) } else { None };
        Self { items, next_cursor }
    }
}
