//! Predictions as numbers alone, for programs that send rows.

use lglp_openapi::problem::Fault;

use crate::serving::Answered;

/// Numbers of a prediction: the value, the ends of its interval, and 1 where it lies outside of the training range, else 0.
const COLUMNS: usize = 4;

/// 64-bit floats, little-endian, `[n, 4]`. What there is none of is NaN: an interval that the version does not tell, and everything of an
/// architecture that is faulty.
pub(super) fn binary(answered: &[Answered], faults: &[(usize, Fault)]) -> Vec<u8> {
    let mut out = Vec::with_capacity((answered.len() + faults.len()) * COLUMNS * size_of::<f64>());
    let mut add = |numbers: [f64; COLUMNS]| out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    let mut answered = answered.iter();
    let mut faults = faults.iter().map(|(at, _)| *at).peekable();
    for at in 0.. {
        if faults.next_if_eq(&at).is_some() {
            add([f64::NAN; COLUMNS]);
            continue;
        }
        let Some(Answered { predicted, .. }) = answered.next() else {
            break;
        };
        let (low, high) = match &predicted.interval {
            Ok(interval) => (interval.low, interval.high),
            Err(_) => (f64::NAN, f64::NAN),
        };
        let outside = if predicted.outside_training_range.is_some() {
            1.0
        } else {
            0.0
        };
        add([predicted.value, low, high, outside]);
    }
    out
}
