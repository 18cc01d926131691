//! Bars for figures over time, as plain SVG: no script, no style of its own.
//!
//! The drawing is stretched to the width that there is, so it holds no words; these stand beside it in HTML.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::web::ui::Ui;

/// The height of the drawing, in its own units.
const HEIGHT: i64 = 100;
/// The width of one bar with its gap, in its own units.
const STEP: i64 = 10;

/// One series of figures.
#[derive(Debug)]
pub(in crate::web) struct Chart {
    /// The series' name, which is also its colour: `messages`, `codes`, `refused`.
    pub name: &'static str,
    /// The sum over all points.
    pub total: i64,
    /// The scale's end: a round number, at least the highest point.
    pub top: i64,
    points: Vec<(String, i64)>,
}

impl Chart {
    /// A series of moments in words and their figures, the oldest first.
    pub(in crate::web) fn new(name: &'static str, points: Vec<(String, i64)>) -> Self {
        let highest = points.iter().map(|(_, value)| *value).max().unwrap_or_default();
        Self { name, total: points.iter().map(|(_, value)| value).sum(), top: round_up(highest), points }
    }

    /// The drawing. `label` says in words what it shows.
    pub(in crate::web) fn svg(&self, ui: &Ui, label: &str) -> Safe<String> {
        let width = i64::try_from(self.points.len()).unwrap_or(1).max(1).saturating_mul(STEP);
        let label = escaped(label);
        let mut svg = format!(
            r#"<svg class="chart-bars chart-{}" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">"#,
            self.name
        );
        for y in [0, HEIGHT / 2] {
            let _ = write!(svg, r#"<line class="chart-line" x1="0" x2="{width}" y1="{y}" y2="{y}"></line>"#);
        }
        let mut x = 0;
        for (moment, value) in &self.points {
            let height = self.height_of(*value);
            let y = HEIGHT - height;
            // The whole column tells its figure, so that a low bar needs no aiming.
            let _ = write!(
                svg,
                r#"<g class="chart-column"><title>{}: {}</title><rect class="chart-space" x="{x}" y="0" width="{STEP}" height="{HEIGHT}"></rect><rect class="chart-bar" x="{}" y="{y}" width="{}" height="{height}"></rect></g>"#,
                escaped(moment),
                ui.number(value),
                x + 1,
                STEP - 2,
            );
            x += STEP;
        }
        svg.push_str("</svg>");
        Safe(svg)
    }

    /// What is there is seen, however little it is beside the rest.
    fn height_of(&self, value: i64) -> i64 {
        if value <= 0 {
            return 0;
        }
        let height = i128::from(value) * i128::from(HEIGHT) / i128::from(self.top.max(1));
        i64::try_from(height).unwrap_or(HEIGHT).clamp(1, HEIGHT)
    }
}

/// The next of 1, 2, 5, 10, 20, 50 and so on, as scales have them.
fn round_up(value: i64) -> i64 {
    let mut unit = 1_i64;
    loop {
        for step in [1, 2, 5] {
            let top = unit.saturating_mul(step);
            if top >= value {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_a_round_number_and_the_least_is_seen() {
        for (highest, top) in [(0, 1), (1, 1), (3, 5), (5, 5), (6, 10), (47, 50), (51, 100), (1_200, 2_000)] {
            assert_eq!(round_up(highest), top, "{highest}");
        }
        assert_eq!(round_up(i64::MAX), i64::MAX);
        let chart = Chart::new("messages", vec![("a".to_owned(), 0), ("b".to_owned(), 1), ("c".to_owned(), 900)]);
        assert_eq!((chart.total, chart.top), (901, 1000));
        assert_eq!([0, 1, 900].map(|value| chart.height_of(value)), [0, 1, 90]);
    }
}
