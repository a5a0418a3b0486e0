//! The self-test of a freshly loaded version: it must predict what it predicted when it was trained.

use lglp_registry::{Golden, Version};
use lglp_sdk::{Architecture, Sampler, SearchSpace};

use super::ServingError;
use crate::plugins::PluginError;
use crate::predictor::FittedModel;

/// Architectures that the test predicts.
const ROWS: usize = 8;

/// How far a prediction may lie from the golden one, relatively. Processors differ in the last digits of a `f32`; another
/// plugin or state differs by more.
const TOLERANCE: f64 = 1e-3;

fn sample(space: &SearchSpace) -> Vec<Architecture> {
    Sampler::new(space, 0).take(ROWS).collect()
}

/// What a freshly fitted model predicts, to be recorded in its version.
pub fn golden(model: &FittedModel, space: &SearchSpace) -> Result<Vec<Golden>, PluginError> {
    let rows = sample(space);
    let predicted = model.predict(rows.iter())?;
    let golden = rows.iter().zip(predicted).map(|(row, value)| Golden {
        architecture: space.canonical_text(row),
        predicted: model.quantity().amount(value),
    });
    Ok(golden.collect())
}

/// Tests a freshly loaded model. It warms up caches and thread pools, too. Versions of before golden predictions were
/// recorded need only predict numbers. One below zero is no fault of loading: some recipes predict it of the shortest
/// architectures, and whether that is good enough is for the gate to say.
pub(super) fn self_test(model: &FittedModel, space: &SearchSpace, version: &Version) -> Result<(), ServingError> {
    let failed = |reason: String| ServingError::SelfTest {
        hardware: version.hardware.clone(),
        version: version.version,
        reason,
    };
    let golden = &version.content.golden;
    let rows = if golden.is_empty() {
        sample(space)
    } else {
        let read = |golden: &Golden| space.architecture_from_json(&golden.architecture.clone().into());
        let rows: Result<_, _> = golden.iter().map(read).collect();
        rows.map_err(|error| failed(format!("a golden architecture cannot be read: {}", error.message)))?
    };
    let unit = model.quantity().unit();
    let predicted = model.predict(rows.iter())?;
    // One row alone takes another path through some plugins.
    let alone = model.predict(rows[..1].iter())?;
    let tested = rows.iter().zip(&predicted).chain(rows.iter().zip(&alone));
    for (row, value) in tested {
        let architecture = || space.canonical_text(row);
        if !value.is_finite() {
            return Err(failed(format!("it predicts {value} {unit} for {}", architecture())));
        }
    }
    let again = golden.iter().zip(&predicted).chain(golden.iter().zip(&alone));
    for (golden, value) in again {
        let (architecture, expected) = (&golden.architecture, golden.predicted.value());
        if (value - expected).abs() > TOLERANCE * expected.abs() {
            let reason =
                format!("it predicts {value} {unit} for {architecture}, and predicted {expected} when trained");
            return Err(failed(reason));
        }
    }
    Ok(())
}
