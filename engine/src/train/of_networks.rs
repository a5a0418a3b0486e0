//! What a recipe learns from networks of no space, and how well it knows them.

use lglp_registry::{FittedNetworks, Quantity};
use lglp_sdk::plugin::LeftOut;

use super::{IntervalMetrics, Metrics, Split, Trained, TrainingLog};
use crate::networks::{self, LabelledNetwork};
use crate::predictor::{COVERAGE, Calibration, Estimate, FittedModel, TrainingRange, known_operators};

/// Networks that a recipe was fitted on, and how well all other rows tell each.
pub(super) struct KnownNetworks {
    fitted: FittedNetworks,
    /// What was measured of each.
    labels: Vec<f64>,
    metrics: Metrics,
    calibration: Calibration,
}

impl KnownNetworks {
    /// `told` is what all other rows tell of each; `None` where there are none.
    pub(super) fn of(known: &[LabelledNetwork], told: &[LeftOut]) -> Option<Self> {
        if told.is_empty() {
            return None;
        }
        let labels: Vec<f64> = known.iter().map(|one| one.label).collect();
        let macs: Vec<u64> = known.iter().map(|one| networks::macs_of(&one.network)).collect();
        let calibration = Calibration::of_left_out(&labels, told);
        let metrics = metrics(&labels, &macs, told, &calibration);
        // Where labels hardly differ some metrics are no numbers.
        let finite = metrics.entries().into_iter().filter(|(_, value)| value.is_finite());
        let (_, scores) = calibration.parts();
        let fitted = FittedNetworks {
            count: known.len(),
            operators: known_operators(known),
            rules: known.first()?.network.rules.clone(),
            fewest_macs: *macs.iter().min()?,
            most_macs: *macs.iter().max()?,
            least: labels.iter().copied().min_by(f64::total_cmp)?,
            most: labels.iter().copied().max_by(f64::total_cmp)?,
            scores,
            metrics: finite.map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        Some(Self {
            fitted,
            labels,
            metrics,
            calibration,
        })
    }

    /// What a version tells of them.
    pub(super) fn into_fitted(self) -> FittedNetworks {
        self.fitted
    }

    /// What training gives where there is no architecture of the space.
    pub(super) fn trained(self, model: FittedModel, quantity: Quantity, split: Split, log: TrainingLog) -> Trained {
        Trained {
            metrics: self.metrics,
            estimates: model.left_out_networks().iter().map(Estimate::left_out).collect(),
            calibration: self.calibration,
            range: TrainingRange::of_networks(&self.fitted, quantity),
            networks: Some(self.fitted),
            measured: self.labels,
            model,
            split,
            log,
        }
    }
}

/// Accuracy on networks each of which all other rows tell, beside that of their multiply-accumulates times a constant.
fn metrics(labels: &[f64], macs: &[u64], told: &[LeftOut], calibration: &Calibration) -> Metrics {
    let predicted: Vec<f64> = told.iter().map(|row| row.predicted).collect();
    let reach = calibration.reach(COVERAGE);
    let interval = |row: &LeftOut| reach.ok()?.around(row.predicted, Some(row.spread)).ok();
    let intervals: Vec<_> = told.iter().map(interval).collect();
    let known: Vec<(u64, f64)> = macs.iter().copied().zip(labels.iter().copied()).collect();
    Metrics {
        intervals: IntervalMetrics::of(labels, &predicted, &intervals),
        ..Metrics::of(labels, &predicted).beside_macs(&known, macs, labels)
    }
}
