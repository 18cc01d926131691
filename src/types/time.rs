//! Points in time: `timestamptz` in the database, whole Unix seconds in JSON.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time. JSON has it as whole seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// The present, by this machine's clock.
    pub fn now() -> Self {
        Self(Utc::now())
    }

    /// From whole Unix seconds; `None` beyond the years that a calendar has.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Self)
    }

    /// Whole Unix seconds.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    /// As in `2026-02-09T10:15:00Z` (RFC 3339).
    pub fn rfc3339(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.unix())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // PostgreSQL ends before chrono's calendar does; the year 9999 is far enough for both.
        let seconds = i64::deserialize(deserializer)?;
        (0..=253_402_300_799)
            .contains(&seconds)
            .then(|| Self::from_unix(seconds))
            .flatten()
            .ok_or_else(|| serde::de::Error::custom("must be a time in Unix seconds between the years 1970 and 9999"))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0, "maximum": 253_402_300_799_i64, "description": "Unix seconds", "examples": [1_790_000_000]})
    }
}
