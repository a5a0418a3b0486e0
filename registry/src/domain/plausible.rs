//! What a network can take. One row of 1e300 ms spoils every model that is trained on it, so that it is refused where it would
//! come in, whatever it comes from: a runtime, a table, a folder, a request.

use std::ops::Range;

use super::finite;
use crate::{Error, Result};

/// Milliseconds: a nanosecond or more, and less than a day.
const LATENCY_MS: Range<f64> = 1e-6..8.64e7;

/// Joules: a nanojoule or more, and less than ten thousand kilowatts take in a day.
const ENERGY_J: Range<f64> = 1e-9..1e12;

/// Checks a latency, in milliseconds.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn latency_ms(field: &str, value: f64) -> Result<()> {
    within(field, value, LATENCY_MS, "ms")
}

/// Checks an energy, in joules.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn energy_j(field: &str, value: f64) -> Result<()> {
    within(field, value, ENERGY_J, "J")
}

/// Checks what a clock told of one run, in milliseconds: nothing, where it was not asked, or too coarse.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub(super) fn elapsed_ms(field: &str, value: f64) -> Result<()> {
    within(field, value, 0.0..LATENCY_MS.end, "ms")
}

fn within(field: &str, value: f64, range: Range<f64>, unit: &str) -> Result<()> {
    finite(field, value)?;
    if range.contains(&value) {
        return Ok(());
    }
    let Range { start, end } = range;
    let reason = format!("expected {start:e} {unit} or more and less than {end:e} {unit}, got {value:e} {unit}");
    Err(Error::invalid(field, reason))
}
