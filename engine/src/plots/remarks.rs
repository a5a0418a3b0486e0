//! What plots say below their headings: what their error bars are, and what lies outside of their axes.

use super::axis::number;

/// What error bars show. Every plot that has some asks for it, and draws none without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorBars {
    /// One standard deviation to both sides.
    StandardDeviation,
    /// One standard error to both sides.
    StandardError,
    /// An interval with this probability, 0 to 1.
    Interval(f64),
}

impl ErrorBars {
    pub(super) fn remark(self) -> String {
        match self {
            Self::StandardDeviation => "error bars: ± one standard deviation".into(),
            Self::StandardError => "error bars: ± one standard error".into(),
            Self::Interval(probability) => format!("error bars: {} % interval", number(100.0 * probability)),
        }
    }
}

/// Of errors outside, in percent: how many there are, and the largest. `None` where there are none.
pub(super) fn errors_outside(errors: &[f64]) -> Option<String> {
    let largest = errors.iter().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    Some(format!("{} outside, largest {largest:+.0} %", errors.len()))
}

/// Of other values outside: how many there are, and where they lie. `None` where there are none.
pub(super) fn values_outside(values: &[f64]) -> Option<String> {
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    let whereabouts = match low == high {
        true => number(low),
        false => format!("{} to {}", number(low), number(high)),
    };
    Some(format!("{} outside: {whereabouts}", values.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bars_are_named() {
        assert_eq!(
            ErrorBars::StandardDeviation.remark(),
            "error bars: ± one standard deviation"
        );
        assert_eq!(ErrorBars::Interval(0.9).remark(), "error bars: 90 % interval");
        assert_eq!(ErrorBars::Interval(0.999).remark(), "error bars: 99.9 % interval");
    }

    #[test]
    fn what_lies_outside_is_counted_and_told() {
        assert_eq!(errors_outside(&[]), None);
        assert_eq!(
            errors_outside(&[-104.0, 2600.4, 130.0]).as_deref(),
            Some("3 outside, largest +2600 %")
        );
        assert_eq!(
            errors_outside(&[-13_800.0]).as_deref(),
            Some("1 outside, largest -13800 %")
        );
        assert_eq!(values_outside(&[]), None);
        assert_eq!(values_outside(&[-3.2]).as_deref(), Some("1 outside: -3.2"));
        assert_eq!(values_outside(&[0.0, -3.2]).as_deref(), Some("2 outside: -3.2 to 0"));
    }
}
