//! What the registry holds. Every type is JSON both in the store and on the wire.

pub(crate) mod agreement;
pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod conditions;
pub(crate) mod dataset;
pub(crate) mod exclusion;
pub(crate) mod expected;
pub(crate) mod gate;
pub(crate) mod hardware;
pub(crate) mod holder;
pub(crate) mod intervention;
pub(crate) mod job;
pub(crate) mod kinds;
pub(crate) mod lease_holder;
pub(crate) mod limits;
pub(crate) mod maintenance;
pub(crate) mod measurement;
pub(crate) mod network;
pub mod plausible;
pub(crate) mod quantity;
pub(crate) mod quota;
#[cfg(feature = "schema")]
mod schema;
pub(crate) mod token;
pub(crate) mod traffic;
pub(crate) mod validation;
pub(crate) mod version;
pub(crate) mod webhook;
pub(crate) mod worker;

use crate::{Error, Result};

/// Checks that a number is finite: JSON has no other.
fn finite(field: impl std::fmt::Display, value: f64) -> Result<()> {
    if value.is_finite() {
        Ok(())
    } else {
        let reason = format!("expected a finite number, got {value}");
        Err(Error::invalid(field.to_string(), reason))
    }
}

/// Checks each item of a list, naming it by its number.
pub(crate) fn items<T>(items: &[T], check: impl Fn(&T) -> Result<()>) -> Result<()> {
    let numbered = &mut items.iter().enumerate();
    numbered.try_for_each(|(at, one)| item(at, check(one)))
}

/// Checks each text of a list that may be empty, naming it by its number.
fn remarks(field: &str, texts: &[String]) -> Result<()> {
    limits::count(field, texts.len(), limits::REMARKS)?;
    let numbered = &mut texts.iter().enumerate();
    numbered.try_for_each(|(at, text)| limits::short(&format!("{field}.{at}"), text))
}

/// Names the item of a list in an error that is about it: `3.latency_ms`.
pub(crate) fn item<T>(place: impl std::fmt::Display, checked: Result<T>) -> Result<T> {
    checked.map_err(|error| match error {
        Error::Invalid { field, reason } => Error::invalid(format!("{place}.{field}"), reason),
        Error::Item { place: within, fault } => Error::Item {
            place: format!("{place}.{within}"),
            fault,
        },
        fault @ (Error::NotFound { .. } | Error::Conflict { .. }) => Error::Item {
            place: place.to_string(),
            fault: Box::new(fault),
        },
        other => other,
    })
}
