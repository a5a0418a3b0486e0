//! Order statistics of small samples.

/// The median; NaN where there are no values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// A quantile by linear interpolation between order statistics; NaN where there are no values.
pub(crate) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// Half-width of a 95 % confidence interval of the median, as box plots draw their notches (McGill, Tukey and Larsen,
/// 1978): 1.57 interquartile ranges over the root of the count.
pub(super) fn median_half_width(values: &[f64]) -> f64 {
    let spread = quantile(values, 0.75) - quantile(values, 0.25);
    1.57 * spread / (values.len() as f64).sqrt()
}
