//! What came in over time, as calm bars and as a table.

use askama::Template;
use axum::extract::Query;
use serde::Deserialize;

use crate::operations::figures::GetStatsTimeseries;
use crate::operations::figures::Point;
use crate::operations::figures::Unit;
use crate::types::Int;
use crate::types::Timestamp;
use crate::web::admin::Admin;
use crate::web::pages::chart::Chart;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

/// The spans that one can look at.
const SPANS: [&str; 5] = ["24h", "7d", "30d", "90d", "365d"];

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    span: String,
}

#[derive(Debug, Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    ui: Ui,
    spans: [&'static str; 5],
    span: &'static str,
    charts: [Chart; 3],
    points: Vec<Point>,
    /// Whether a point is an hour, rather than a day.
    is_hourly: bool,
    /// When the first point, the one in the middle and the last begin.
    moments: Vec<Timestamp>,
}

/// `GET /admin/statistics`.
pub(in crate::web) async fn show(admin: Admin, Query(asked): Query<Asked>) -> Answer {
    let span = SPANS.into_iter().find(|span| *span == asked.span).unwrap_or("30d");
    let (unit, points) = match span {
        "24h" => (Unit::Hour, Int::constant(24)),
        "7d" => (Unit::Hour, Int::constant(168)),
        "90d" => (Unit::Day, Int::constant(90)),
        "365d" => (Unit::Day, Int::constant(365)),
        _ => (Unit::Day, Int::constant(30)),
    };
    let is_hourly = matches!(unit, Unit::Hour);
    let points = admin.ctx.call(GetStatsTimeseries { unit, points }).await?;
    let series = |name, of: fn(&Point) -> i64| {
        Chart::new(name, points.iter().map(|point| (moment(point.at, is_hourly), of(point))).collect())
    };
    let charts = [series("messages", |p| p.messages), series("codes", |p| p.codes), series("refused", |p| p.refused)];
    let places = [0, points.len() / 2, points.len().saturating_sub(1)];
    let moments = places.iter().filter_map(|place| points.get(*place)).map(|point| point.at).collect();
    render::page(&StatisticsPage { ui: admin.ui(Section::Statistics), spans: SPANS, span, charts, points, is_hourly, moments })
}

/// A moment as a figure's label.
fn moment(at: Timestamp, is_hourly: bool) -> String {
    at.0.format(if is_hourly { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d" }).to_string()
}
