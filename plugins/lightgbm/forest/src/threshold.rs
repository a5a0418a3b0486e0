//! LightGBM compares an `f32` input with an `f64` threshold, after it has put zero in the place of every input that is
//! nearly zero. The same decision comes from one comparison of two `f32`s, where the threshold is rounded the right way.

/// LightGBM's `kZeroThreshold`: an input is zero where its absolute value is not above this.
pub(crate) const ZERO: f32 = 1e-35;

/// The `f32` `t` for which `input <= t` holds just where LightGBM's `input <= threshold` does, whatever the input.
/// `threshold` is no NaN.
pub(crate) fn narrowed(threshold: f64) -> f32 {
    let zero = f64::from(ZERO);
    if (0.0..zero).contains(&threshold) {
        // Whatever counts as zero is below.
        return ZERO;
    }
    if (-zero..0.0).contains(&threshold) {
        // Whatever counts as zero is above.
        return (-ZERO).next_down();
    }
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold {
        nearest.next_down()
    } else {
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LightGBM's rule, as its prediction applies it.
    fn lightgbm(input: f32, threshold: f64) -> bool {
        let input = if input.abs() > ZERO { f64::from(input) } else { 0.0 };
        input <= threshold
    }

    #[test]
    fn inputs_about_every_threshold_are_decided_alike() {
        let zero = f64::from(ZERO);
        let mut thresholds = vec![
            0.0,
            -0.0,
            0.1,
            0.5,
            1.0,
            2.5,
            1e-36,
            1e-40,
            1e-300,
            zero,
            1e30,
            1e39,
            1e300,
            3.4028235e38,
        ];
        thresholds.extend([
            f64::from(f32::MAX),
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::from(0.1f32),
            16_777_217.0,
        ]);
        thresholds.extend([zero.next_up(), zero.next_down(), f64::INFINITY]);
        thresholds.extend(thresholds.clone().iter().map(|t| -t));
        thresholds.extend(thresholds.clone().iter().flat_map(|t| [t.next_up(), t.next_down()]));
        let mut inputs = vec![0.0f32, 1e-36, 1e-45, ZERO, 0.1, 1.0, f32::MAX, f32::INFINITY];
        inputs.extend(thresholds.iter().map(|t| *t as f32));
        inputs.extend(inputs.clone().iter().map(|i| -i));
        inputs.extend(inputs.clone().iter().flat_map(|i| [i.next_up(), i.next_down()]));
        for threshold in thresholds {
            for input in inputs.iter().filter(|input| !input.is_nan()) {
                let same = (*input <= narrowed(threshold)) == lightgbm(*input, threshold);
                assert!(same, "{input:e} against {threshold:e}");
            }
        }
    }
}
