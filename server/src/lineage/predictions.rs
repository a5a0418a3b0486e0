//! What two versions predict for the same architectures.

use std::collections::HashMap;
use std::sync::Arc;

use lglp_engine::measure::plan;
use lglp_engine::predictor::ServedModel;
use lglp_engine::train::{Metrics, labels};
use lglp_openapi::lineage::{DiffQuery, DifferingArchitecture, PredictionDifference};
use lglp_registry::{HardwareName, Quantity, Registry};
use lglp_sdk::Architecture;

use crate::serving::{Serving, ServingError};

/// Why two versions cannot be asked the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum NotCompared {
    #[error("version {a} predicts in the space `{space_a}`, version {b} in `{space_b}`")]
    OtherSpace {
        a: u32,
        b: u32,
        space_a: String,
        space_b: String,
    },
    /// Milliseconds are no joules, and a difference is told in milliseconds.
    #[error("predictions are compared in ms; version {version} predicts {quantity}")]
    NotLatency { version: u32, quantity: Quantity },
    #[error(transparent)]
    Serving(#[from] ServingError),
}

/// `|a - b|` to the mean of `|a|` and `|b|`: the same whichever comes first, from 0 for equal ones to 2.
pub fn relative_difference(a: f64, b: f64) -> f64 {
    let scale = (a.abs() + b.abs()) / 2.0;
    if scale == 0.0 { 0.0 } else { (a - b).abs() / scale }
}

/// Lets both versions predict the architectures that `lglp sample` draws with the same count and seed.
pub(super) fn compare(
    store: &dyn Registry,
    serving: &Serving,
    hardware: &HardwareName,
    (a, b): (u32, u32),
    query: &DiffQuery,
    predict: &Predict<'_>,
) -> Result<PredictionDifference, NotCompared> {
    let first = serving.load_blocking(hardware, a)?;
    let second = serving.load_blocking(hardware, b)?;
    let space = &first.space;
    if space.name() != second.space.name() {
        return Err(NotCompared::OtherSpace {
            a,
            b,
            space_a: space.name().to_owned(),
            space_b: second.space.name().to_owned(),
        });
    }
    if let Some(model) = [&first, &second]
        .into_iter()
        .find(|model| !model.quantity().is_latency())
    {
        return Err(NotCompared::NotLatency {
            version: model.version,
            quantity: model.quantity(),
        });
    }
    let drawn: Arc<[Architecture]> = plan(space, query.seed, query.count, 0)
        .into_iter()
        .map(|(_, architecture)| architecture)
        .collect();
    let (of_a, of_b) = (predict(&first, &drawn)?, predict(&second, &drawn)?);
    let relative: Vec<f64> = of_a
        .iter()
        .zip(&of_b)
        .map(|(a, b)| relative_difference(*a, *b))
        .collect();
    let mut order: Vec<usize> = (0..drawn.len()).collect();
    order.sort_by(|x, y| relative[*y].total_cmp(&relative[*x]));
    let measured = labels(store, hardware, space.name()).map_err(ServingError::from)?;
    let measured: HashMap<String, f64> = measured
        .into_iter()
        .map(|label| (label.architecture, label.latency_ms))
        .collect();
    let disagreement = |at: usize| {
        let architecture = space.canonical_text(&drawn[at]);
        DifferingArchitecture {
            a_ms: of_a[at],
            b_ms: of_b[at],
            relative_difference: relative[at],
            measured_ms: measured.get(&architecture).copied(),
            architecture,
        }
    };
    Ok(PredictionDifference {
        architectures: drawn.len(),
        seed: query.seed,
        mean_relative_difference: relative.iter().sum::<f64>() / relative.len() as f64,
        max_relative_difference: relative.iter().copied().fold(0.0, f64::max),
        spearman: Metrics::of(&of_a, &of_b).spearman,
        most_different: order.into_iter().take(query.top).map(disagreement).collect(),
    })
}

/// Lets a model predict, milliseconds.
pub type Predict<'a> = dyn Fn(&Arc<ServedModel>, &Arc<[Architecture]>) -> Result<Vec<f64>, ServingError> + 'a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_difference_has_no_side() {
        assert_eq!(relative_difference(3.0, 1.0), 1.0);
        assert_eq!(relative_difference(1.0, 3.0), 1.0);
        assert_eq!(relative_difference(0.0, 0.0), 0.0);
        assert_eq!(relative_difference(0.0, 5.0), 2.0);
        assert_eq!(relative_difference(-1.0, 1.0), 2.0);
    }
}
