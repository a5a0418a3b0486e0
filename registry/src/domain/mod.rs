//! What the registry holds. Every type is JSON both in the store and on the wire.

pub(crate) mod agreement;
pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod conditions;
pub(crate) mod dataset;
pub(crate) mod exclusion;
pub(crate) mod gate;
pub(crate) mod hardware;
pub(crate) mod job;
pub(crate) mod kinds;
pub(crate) mod limits;
pub(crate) mod maintenance;
pub(crate) mod measurement;
pub(crate) mod quantity;
pub(crate) mod quota;
pub(crate) mod token;
pub(crate) mod traffic;
pub(crate) mod validation;
pub(crate) mod version;
pub(crate) mod webhook;
pub(crate) mod worker;

use crate::{Error, Result};

/// Checks that a number is finite: JSON has no other.
fn finite(field: impl Into<String>, value: f64) -> Result<()> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(field, format!("expected a finite number, got {value}")))
    }
}

/// Checks that a duration in milliseconds is finite and above zero.
fn positive_ms(field: &str, value: f64) -> Result<()> {
    finite(field, value)?;
    if value > 0.0 {
        Ok(())
    } else {
        Err(Error::invalid(field, format!("expected more than 0 ms, got {value}")))
    }
}
