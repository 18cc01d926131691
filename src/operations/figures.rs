//! Figures over time, and those of one mailbox.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::store;
use crate::types::{Address, Int, Scope, Timestamp};

use super::mailboxes::found;
use super::{Ctx, Effect, Method, Operation, Spec};

/// What one point of a series spans.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// An hour.
    Hour,
    /// A day, in UTC.
    #[default]
    Day,
}

/// Gives what came in over time, the oldest first, by the hour or the day. A message shows in it within five minutes, and stays
/// counted when it is removed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetStatsTimeseries {
    /// What one point spans: `hour` or `day` (UTC).
    #[serde(default)]
    pub unit: Unit,
    /// How many points; the last one is the present hour or day.
    #[serde(default = "a_month")]
    #[schemars(extend("default" = 30))]
    pub points: Int<1, 1000>,
}

fn a_month() -> Int<1, 1000> {
    Int::constant(30)
}

/// What came in within an hour or a day.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Point {
    /// When it begins.
    pub at: Timestamp,
    /// How many messages came in, one for each mailbox.
    pub messages: i64,
    /// How many of them had a verification code.
    pub codes: i64,
    /// Their size as sent, in octets.
    pub size_octets: i64,
    /// How many SMTP sessions were refused or turned away.
    pub refused: i64,
}

impl Operation for GetStatsTimeseries {
    type Output = Vec<Point>;
    const SPEC: Spec = Spec {
        name: "get_stats_timeseries",
        title: "Get figures over time",
        rest: (Method::Get, "/stats/timeseries"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Vec<Point>> {
        let unit = match self.unit {
            Unit::Hour => "hour",
            Unit::Day => "day",
        };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::figures::series(&mut db, unit, i32::try_from(self.points.get()).unwrap_or(1)).await?;
        let point = |row: store::figures::Point| Point {
            at: row.at,
            messages: row.messages,
            codes: row.codes,
            size_octets: row.size_octets,
            refused: row.refused,
        };
        Ok(rows.into_iter().map(point).collect())
    }
}

/// Gives the figures of a mailbox.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetMailboxStats {
    /// The mailbox's address.
    pub address: Address,
}

/// The figures of a mailbox.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MailboxStats {
    /// The mailbox's address.
    pub address: Address,
    /// How many messages it holds.
    pub total: i64,
    /// How many of them are unread.
    pub unread: i64,
}

impl Operation for GetMailboxStats {
    type Output = MailboxStats;
    const SPEC: Spec = Spec {
        name: "get_mailbox_stats",
        title: "Get a mailbox's figures",
        rest: (Method::Get, "/mailboxes/{address}/stats"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<MailboxStats> {
        let mut db = ctx.services.db.acquire().await?;
        let mailbox = found(&mut db, &self.address).await?;
        Ok(MailboxStats { address: mailbox.address, total: mailbox.message_count, unread: mailbox.unread_count })
    }
}
