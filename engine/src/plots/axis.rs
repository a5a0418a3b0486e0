//! Axes: ends that fit what is drawn along them, a caption that names the scale, and numbers as short as they are clear.

use std::cmp::Ordering;
use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

/// How many times beyond the values that it is made for a logarithmic axis goes for the sake of others.
const FARTHEST: f64 = 10.0;

/// Room beyond the outermost value, as a share of what the values span, and on a logarithmic axis at least as a factor.
const ROOM: f64 = 0.05;
const LEAST_FACTOR: f64 = 1.02;

/// Fewer numbers than this do not tell the scale of an axis.
const FEWEST_NUMBERS: usize = 3;

/// An axis of a plot.
#[derive(Clone)]
pub(super) struct Axis {
    caption: String,
    range: Range<f64>,
    logarithmic: bool,
}

impl Axis {
    /// With these very ends.
    pub(super) fn linear(caption: &str, range: Range<f64>) -> Self {
        Self {
            caption: caption.to_owned(),
            range,
            logarithmic: false,
        }
    }

    /// With 0 in the middle, as long as `values` need, and no farther than `most`.
    pub(super) fn symmetric(caption: &str, values: impl Iterator<Item = f64>, most: f64) -> Self {
        let reach = match extent(values.map(f64::abs)) {
            Some((_, reach)) if reach > 0.0 => ((1.0 + ROOM) * reach).min(most),
            _ => 1.0,
        };
        Self::linear(caption, -reach..reach)
    }

    /// Holds each of `values` that is above 0, and of `others` those that lie no more than ten times beyond them: one wild value
    /// does not press all that matter together.
    pub(super) fn logarithmic(
        caption: &str,
        values: impl Iterator<Item = f64>,
        others: impl Iterator<Item = f64>,
    ) -> Self {
        let (low, high) = extent(values.filter(|value| *value > 0.0)).unwrap_or((1.0, 10.0));
        let near = others.filter(|other| (low / FARTHEST..=high * FARTHEST).contains(other));
        let (low, high) = extent(near.chain([low, high])).unwrap_or((low, high));
        let factor = (high / low).powf(ROOM).max(LEAST_FACTOR);
        Self {
            caption: format!("{caption} (logarithmic)"),
            range: low / factor..high * factor,
            logarithmic: true,
        }
    }

    pub(super) fn caption(&self) -> &str {
        &self.caption
    }

    /// On which side of the axis a value lies; `Equal` is on it.
    pub(super) fn side(&self, value: f64) -> Ordering {
        match value {
            _ if value > self.range.end => Ordering::Greater,
            _ if value >= self.range.start => Ordering::Equal,
            _ => Ordering::Less,
        }
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        self.side(value) == Ordering::Equal
    }

    /// The value itself, or the end that it lies beyond.
    pub(super) fn nearest(&self, value: f64) -> f64 {
        match self.side(value) {
            Ordering::Less => self.range.start,
            Ordering::Equal => value,
            Ordering::Greater => self.range.end,
        }
    }

    /// Those of leading digits times powers of ten that lie on the axis.
    fn decades(&self, leading: &[f64]) -> Vec<f64> {
        let Range { start, end } = self.range;
        let decades = start.log10().floor() as i32..=end.log10().ceil() as i32;
        let points = decades.flat_map(|decade| leading.iter().map(move |digit| digit * 10f64.powi(decade)));
        points.filter(|point| self.holds(*point)).collect()
    }
}

/// Plotters' own logarithmic axis has powers of ten alone for numbers, hence none where it spans less than one.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let Range { start, end } = self.range;
        match self.logarithmic {
            true => RangedCoordf64::from(start.ln()..end.ln()).map(&value.ln(), limit),
            false => RangedCoordf64::from(start..end).map(value, limit),
        }
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            // No lines but those with numbers.
            return Vec::new();
        }
        let most = hint.max_num_points();
        let evenly = |most: usize| RangedCoordf64::from(self.range.clone()).key_points(most);
        if !self.logarithmic {
            return evenly(most);
        }
        let points = self.decades(&[1.0, 2.0, 5.0]);
        if points.len() < FEWEST_NUMBERS {
            // Fewer than fit, since they draw closer towards the end.
            return evenly(2 * most / 3);
        }
        if points.len() <= most {
            return points;
        }
        let powers = self.decades(&[1.0]);
        let step = powers.len().div_ceil(most);
        powers.into_iter().step_by(step).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        number(*value)
    }
}

/// A number of four digits at most.
pub(super) fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e7).contains(&size) => format!("{rounded:e}"),
        size if size >= 10_000.0 => format!("{}k", rounded / 1000.0),
        _ => rounded.to_string(),
    }
}

/// The least and the greatest of the values that are numbers.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| {
        let (low, high) = extent.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

#[cfg(test)]
mod tests {
    use std::iter::empty;

    use plotters::coord::ranged1d::BoldPoints;

    use super::*;

    fn log(values: &[f64], others: &[f64]) -> Axis {
        Axis::logarithmic("latency, ms", values.iter().copied(), others.iter().copied())
    }

    fn numbers(axis: &Axis) -> Vec<String> {
        let points = axis.key_points(BoldPoints(11));
        points.iter().map(|point| axis.format_ext(point)).collect()
    }

    #[test]
    fn a_logarithmic_axis_fits_its_values_and_others_that_are_near() {
        let axis = log(&[10.0, 20.0], &[5.0, 200.0]);
        assert!([5.0, 10.0, 20.0, 200.0].iter().all(|value| axis.holds(*value)));
        let axis = log(&[10.0, 20.0], &[0.9, 211.0, 0.0, -3.0, f64::NAN, f64::INFINITY]);
        assert!((9.0..10.0).contains(&axis.range.start) && (20.0..22.0).contains(&axis.range.end));
        assert_eq!(axis.caption(), "latency, ms (logarithmic)");
    }

    #[test]
    fn what_lies_outside_has_a_side_and_a_nearest_end() {
        let axis = log(&[10.0, 20.0], &[]);
        for (value, side, nearest) in [
            (15.0, Ordering::Equal, 15.0),
            (0.0, Ordering::Less, axis.range.start),
            (-5.0, Ordering::Less, axis.range.start),
            (f64::NAN, Ordering::Less, axis.range.start),
            (500.0, Ordering::Greater, axis.range.end),
        ] {
            assert_eq!((axis.side(value), axis.nearest(value)), (side, nearest), "{value}");
        }
    }

    #[test]
    fn a_symmetric_axis_is_as_long_as_the_farthest_value_needs() {
        let of = |values: &[f64]| Axis::symmetric("error, %", values.iter().copied(), 100.0).range;
        assert_eq!(of(&[-20.0, 4.0]), -21.0..21.0);
        assert_eq!(of(&[-20.0, 4.0, 260.0]), -100.0..100.0);
        assert_eq!(of(&[0.0]), -1.0..1.0);
        assert_eq!(of(&[]), -1.0..1.0);
    }

    #[test]
    fn an_axis_has_numbers_however_much_it_spans() {
        assert_eq!(numbers(&log(&[8.4, 61.0], &[])), ["10", "20", "50"]);
        // None of 1, 2 and 5 times a power of ten lies between.
        assert_eq!(numbers(&log(&[70.0, 76.0], &[])), ["70", "72", "74", "76"]);
        assert_eq!(numbers(&log(&[42.0], &[])), ["41.5", "42", "42.5"]);
        assert_eq!(numbers(&log(&[0.002, 300.0], &[])), ["0.01", "0.1", "1", "10", "100"]);
        let many = log(&[1e-9, 1e9], &[]);
        assert!((FEWEST_NUMBERS..=11).contains(&numbers(&many).len()));
        assert!(numbers(&Axis::logarithmic("nothing", empty(), empty())).len() >= FEWEST_NUMBERS);
    }

    #[test]
    fn numbers_are_short_and_true() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.002, "0.002"),
            (3.0 * 0.1, "0.3"),
            (12.5, "12.5"),
            (-20.0, "-20"),
            (1384.0, "1384"),
            (12_500.0, "12.5k"),
            (2e-5, "2e-5"),
            (1e9, "1e9"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
