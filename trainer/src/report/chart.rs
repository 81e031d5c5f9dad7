//! Line charts as inline SVG. Colours come from the page's style sheet, by class.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::{Axis, Spread};
use crate::number_text::{grouped, quantity};

const LEFT: f64 = 50.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

/// Colours that the style sheet has for lines.
const COLOURS: usize = 7;
/// Points that a line is drawn with at most; more would not be seen.
const POINTS_DRAWN: usize = 400;
/// Ticks of the values, about.
const VALUE_TICKS: usize = 5;
/// Points that a line needs to be drawn smoothed as well.
const POINTS_TO_SMOOTH: usize = 30;

/// A chart over the steps of a training.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What the title leaves open, in small print.
    pub(super) note: &'a str,
    pub(super) size: Size,
    pub(super) spread: Spread,
    /// Curves of noisy values get a smoothed one over them.
    pub(super) is_noisy: bool,
    pub(super) series: Vec<Series>,
}

/// How much room a chart takes: two large ones stand side by side, or three small ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Large,
    Small,
}

impl Size {
    /// In the units of the drawing, which are about a pixel each: lettering stays the same in both.
    fn width_and_height(self) -> (f64, f64) {
        match self {
            Self::Large => (510.0, 240.0),
            Self::Small => (322.0, 190.0),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Large => "chart large",
            Self::Small => "chart small",
        }
    }
}

/// A line, or single points, of a chart: values by step.
pub(super) struct Series {
    /// For the legend, which a chart of several has.
    pub(super) name: String,
    pub(super) points: Vec<(u64, f64)>,
    pub(super) mark: Mark,
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line in the colour of this number.
    Line(usize),
    /// Points, joined by a thin line.
    Dots,
}

impl Chart<'_> {
    /// The chart as a figure; nothing if there is nothing to draw.
    pub(super) fn to_markup(&self) -> Markup {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let steps = Axis::over(points().map(|(step, _)| *step as f64), Spread::Linear);
        let values = Axis::over(points().map(|(_, value)| *value), self.spread);
        let (Some(steps), Some(values)) = (steps, values) else { return html! {} };
        let values = match self.spread {
            Spread::Linear => values.with_zero().with_end_on_tick(VALUE_TICKS),
            Spread::Logarithmic => values,
        };
        let (width, height) = self.size.width_and_height();
        let plane = Plane { width, height, steps: steps.with_zero(), values };
        html! {
            figure class=(self.size.class()) {
                figcaption {
                    span.chart-title { (self.title) }
                    @if !self.note.is_empty() { span.note { (self.note) } }
                }
                svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(self.title) {
                    (plane.grid())
                    @for series in &self.series { (plane.series(series, self.is_noisy)) }
                }
                @if self.series.len() > 1 { (legend(&self.series)) }
            }
        }
    }
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul.legend {
            @for series in series {
                li { span class={ "swatch " (series.mark.class()) } {} (series.name) }
            }
        }
    }
}

impl Mark {
    fn class(self) -> String {
        match self {
            Self::Line(colour) => format!("c{}", colour % COLOURS),
            Self::Dots => "dots".to_owned(),
        }
    }
}

/// The two axes of a chart, and where they lie in the picture.
struct Plane {
    width: f64,
    height: f64,
    steps: Axis,
    values: Axis,
}

impl Plane {
    fn x(&self, step: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * self.steps.place(step).unwrap_or(0.0)
    }

    /// `None` for a value that the axis has no place for.
    fn y(&self, value: f64) -> Option<f64> {
        Some(self.height - BOTTOM - (self.height - TOP - BOTTOM) * self.values.place(value)?)
    }

    fn grid(&self) -> Markup {
        let (right, bottom) = (self.width - RIGHT, self.height - BOTTOM);
        let step_ticks = (self.width / 80.0) as usize;
        html! {
            @for value in self.values.ticks(VALUE_TICKS) {
                @if let Some(y) = self.y(value) {
                    line.grid x1=(LEFT) x2=(right) y1=(px(y)) y2=(px(y)) {}
                    text.tick x=(LEFT - 8.0) y=(px(y + 4.0)) text-anchor="end" { (tick_text(value)) }
                }
            }
            line.axis x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) {}
            @for step in self.steps.ticks(step_ticks) {
                text.tick x=(px(self.x(step))) y=(self.height - 8.0) text-anchor="middle" { (grouped(&format!("{step:.0}"))) }
            }
        }
    }

    fn series(&self, series: &Series, is_noisy: bool) -> Markup {
        let points = thinned(&series.points);
        let class = series.mark.class();
        let is_smoothed = is_noisy && points.len() >= POINTS_TO_SMOOTH && series.mark != Mark::Dots;
        html! {
            @if is_smoothed {
                path class={ "raw " (class) } d=(self.path(&points)) {}
                path class={ "line " (class) } d=(self.path(&smoothed(&points))) {}
            } @else {
                path class={ "line " (class) } d=(self.path(&points)) {}
            }
            @if series.mark == Mark::Dots || points.len() == 1 {
                @for (step, value) in &points {
                    @if let Some(y) = self.y(*value) {
                        circle class=(class) cx=(px(self.x(*step))) cy=(px(y)) r="3.2" {
                            title { "step " (grouped(&format!("{step:.0}"))) ": " (quantity(*value)) }
                        }
                    }
                }
            }
        }
    }

    /// The points joined; a gap where a value has no place.
    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        for (step, value) in points {
            if let Some(y) = self.y(*value) {
                let _ = write!(path, "{pen}{} {}", px(self.x(*step)), px(y));
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        path
    }
}

/// Means of neighbours, as many as are seen.
fn thinned(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let run = points.len().div_ceil(POINTS_DRAWN).max(1);
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
    points
        .chunks(run)
        .map(|run| {
            let step = mean(&mut run.iter().map(|(step, _)| *step as f64), run.len());
            (step, mean(&mut run.iter().map(|(_, value)| *value), run.len()))
        })
        .collect()
}

/// Each value as the geometric mean of those around it (the plain mean where some are not above 0), a twenty-fifth of the
/// curve to both sides at most. At the start, where losses fall steeply, no more are taken after it than before it.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = points.len() / 25;
    let mean = |values: &[(f64, f64)]| {
        let count = values.len() as f64;
        if values.iter().all(|(_, value)| *value > 0.0) {
            (values.iter().map(|(_, value)| value.ln()).sum::<f64>() / count).exp()
        } else {
            values.iter().map(|(_, value)| value).sum::<f64>() / count
        }
    };
    (0..points.len())
        .map(|place| {
            let before = reach.min(place);
            let after = before.min(points.len() - 1 - place);
            (points[place].0, mean(&points[place - before..=place + after]))
        })
        .collect()
}

/// A tenth of a pixel is enough.
fn px(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// `0`, `0.02`, `500`, `20k`, `3M`, `1e-5`.
fn tick_text(value: f64) -> String {
    let rounded = |value: f64| {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e4 => rounded(value),
        1e4..1e6 => format!("{}k", rounded(value / 1e3)),
        1e6..1e9 => format!("{}M", rounded(value / 1e6)),
        _ => {
            let power = value.abs().log10().floor();
            format!("{}e{power}", rounded(value / 10f64.powf(power)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: Vec<(u64, f64)>) -> Series {
        Series { name: "a < b".to_owned(), points, mark: Mark::Line(0) }
    }

    fn chart(series: Vec<Series>) -> String {
        let chart = Chart {
            title: "Total & all",
            note: "",
            size: Size::Large,
            spread: Spread::Logarithmic,
            is_noisy: true,
            series,
        };
        chart.to_markup().into_string()
    }

    #[test]
    fn a_falling_loss_falls() {
        let svg = chart(vec![line(vec![(1, 100.0), (50, 10.0), (100, 1.0)])]);
        assert!(svg.contains("Total &amp; all"), "{svg}");
        let path = svg.split(" d=\"M").nth(1).unwrap().split('"').next().unwrap();
        let heights: Vec<f64> =
            path.split('L').map(|point| point.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(heights.len(), 3);
        assert!(heights.is_sorted(), "further down is a larger y: {heights:?}");
    }

    #[test]
    fn values_without_a_place_leave_a_gap() {
        let svg = chart(vec![line(vec![(1, 5.0), (2, 0.0), (3, 4.0), (4, f64::NAN)]), line(vec![])]);
        assert_eq!(svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap().matches('M').count(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("a &lt; b"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_draws_nothing() {
        assert_eq!(chart(vec![]), "");
        assert_eq!(chart(vec![line(vec![(1, 0.0)])]), "");
    }

    #[test]
    fn long_curves_are_thinned_to_their_means() {
        let points: Vec<(u64, f64)> = (0..4000).map(|step| (step, 3.0)).collect();
        let thinned = thinned(&points);
        assert_eq!(thinned.len(), POINTS_DRAWN);
        assert_eq!(thinned[0], (4.5, 3.0));
        assert!(smoothed(&thinned).iter().all(|(_, value)| (value - 3.0).abs() < 1e-12));
    }

    #[test]
    fn ticks_are_short() {
        let texts = [0.0, 0.02, 500.0, 2e4, 3e6, 1e-5, 2e12].map(tick_text);
        assert_eq!(texts, ["0", "0.02", "500", "20k", "3M", "1e-5", "2e12"]);
    }
}
