//! What a recipe learns from networks of no space, and how well it knows them.

use lglp_registry::FittedNetworks;
use lglp_sdk::plugin::LeftOut;

use super::{IntervalMetrics, LabelledNetwork, Metrics, Split, TrainError, Trained, TrainingData};
use crate::networks;
use crate::predictor::{COVERAGE, Calibration, Estimate, FittedModel, TrainingRange, known_operators};

/// What a version tells of networks that its recipe was fitted on, each told by all other rows; `None` where it was on none.
pub(super) fn fitted(known: &[LabelledNetwork], told: &[LeftOut]) -> Option<FittedNetworks> {
    if told.is_empty() {
        return None;
    }
    let labels: Vec<f64> = known.iter().map(|one| one.label).collect();
    let macs: Vec<u64> = known.iter().map(|one| networks::macs_of(&one.network)).collect();
    let (_, scores) = Calibration::of_left_out(&labels, told).parts();
    // Where labels hardly differ some metrics are no numbers.
    let metrics = metrics(&labels, &macs, told)
        .entries()
        .into_iter()
        .filter(|(_, value)| value.is_finite());
    Some(FittedNetworks {
        count: known.len(),
        operators: known_operators(known),
        fewest_macs: *macs.iter().min()?,
        most_macs: *macs.iter().max()?,
        least: labels.iter().copied().min_by(f64::total_cmp)?,
        most: labels.iter().copied().max_by(f64::total_cmp)?,
        scores,
        metrics: metrics.map(|(name, value)| (name.to_owned(), value)).collect(),
    })
}

/// Accuracy on networks each of which all other rows tell, beside that of their multiply-accumulates times a constant.
fn metrics(labels: &[f64], macs: &[u64], told: &[LeftOut]) -> Metrics {
    let predicted: Vec<f64> = told.iter().map(|row| row.predicted).collect();
    let reach = Calibration::of_left_out(labels, told);
    let reach = reach.reach(COVERAGE);
    let interval = |row: &LeftOut| reach.ok()?.around(row.predicted, Some(row.spread)).ok();
    let intervals: Vec<_> = told.iter().map(interval).collect();
    let known: Vec<(u64, f64)> = macs.iter().copied().zip(labels.iter().copied()).collect();
    Metrics {
        intervals: IntervalMetrics::of(labels, &predicted, &intervals),
        ..Metrics::of(labels, &predicted).beside_macs(&known, macs, labels)
    }
}

/// What training gives where there is no architecture of the space.
pub(super) fn trained(
    model: FittedModel,
    data: &TrainingData,
    networks: FittedNetworks,
    split: Split,
    log: String,
) -> Result<Trained, TrainError> {
    let labels: Vec<f64> = data.networks.iter().map(|one| one.label).collect();
    let macs: Vec<u64> = data
        .networks
        .iter()
        .map(|one| networks::macs_of(&one.network))
        .collect();
    let told = model.left_out_networks();
    Ok(Trained {
        metrics: metrics(&labels, &macs, told),
        estimates: told.iter().map(Estimate::left_out).collect(),
        calibration: Calibration::of_left_out(&labels, told),
        range: TrainingRange::of_networks(data).ok_or(TrainError::TooFewRows { rows: 0 })?,
        networks: Some(networks),
        measured: labels,
        model,
        split,
        log,
    })
}
