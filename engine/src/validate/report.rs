//! From measurements and predictions to a report.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lglp_registry::{Baseline, Digest, Error, Measurement, NewValidation, ValidationPair};
use lglp_sdk::{Architecture, count};
use serde_json::json;

use super::{REPLICATE, Rows, ValidateError, Validating};
use crate::measure::of_this_machine;
use crate::plots::{Panel, scatter};
use crate::predictor::{COVERAGE, Predicted, ServedModel};
use crate::train::{Metrics, labels};

/// What was measured, and what is predicted of it.
pub(super) struct Compared {
    /// The space that the measurements say they are of.
    pub space: String,
    pub candidate: Arc<ServedModel>,
    pub production: Option<Arc<ServedModel>>,
    pub measured: Vec<Measurement>,
    /// Of each measurement.
    pub predicted: Vec<Predicted>,
    /// Of each measurement, where something is in production.
    pub baseline: Option<Vec<f64>>,
}

/// Compares what was measured of architectures with what the version, and the one in production, predict.
pub(super) fn of_architectures(
    validating: &Validating<'_>,
    candidate: Arc<ServedModel>,
    production: Option<Arc<ServedModel>>,
    architectures: &[Architecture],
) -> Result<Compared, ValidateError> {
    let Validating { store, hardware, .. } = validating;
    let space = &candidate.space;
    let measured = match validating.selection.on {
        Rows::Fresh => store.measurements_without_samples(hardware, space.name(), Some(REPLICATE))?,
        Rows::Recorded | Rows::HeldOut => labels(*store, hardware, space.name())?,
    };
    let mut by_text: HashMap<String, Measurement> = measured.into_iter().map(|m| (m.architecture.clone(), m)).collect();
    let find = |architecture: &Architecture| {
        let text = space.canonical_text(architecture);
        let found = by_text.remove(&text);
        found.ok_or_else(|| Error::not_found("measurement", text))
    };
    let measured = architectures.iter().map(find).collect::<Result<_, _>>()?;
    let predicted = candidate.predict(architectures, COVERAGE)?;
    let baseline = match &production {
        Some(model) => {
            let predicted = model.predict(architectures, COVERAGE)?;
            Some(predicted.into_iter().map(|one| one.value).collect())
        }
        None => None,
    };
    Ok(Compared {
        space: space.name().to_owned(),
        candidate,
        production,
        measured,
        predicted,
        baseline,
    })
}

/// What a report says of a comparison.
pub(super) fn content(
    validating: &Validating<'_>,
    compared: Compared,
    creator: &str,
) -> Result<NewValidation, ValidateError> {
    let Validating { store, hardware, .. } = validating;
    let Compared {
        space,
        candidate,
        production,
        measured: taken,
        predicted,
        baseline,
    } = compared;
    let pairs = taken.iter().enumerate().map(|(at, measurement)| ValidationPair {
        architecture: measurement.architecture.clone(),
        name: measurement.network.as_ref().map(|network| network.name.clone()),
        replicate: measurement.replicate,
        measured_ms: measurement.latency_ms,
        predicted_ms: predicted[at].value,
        interval_ms: predicted[at]
            .interval
            .ok()
            .map(|interval| (interval.low, interval.high)),
        baseline_ms: baseline.as_ref().map(|predicted| predicted[at]),
        drift: measurement.drift,
    });
    let pairs: Vec<ValidationPair> = pairs.collect();
    let panels = panels(&candidate, production.as_deref(), &pairs);
    let on = validating.selection.on;
    let heading = format!(
        "Predicted against {} on {hardware}",
        count(pairs.len(), &format!("{} measurement", on.adjective()))
    );
    let elsewhere = on != Rows::Fresh || taken.iter().any(|measurement| measurement.worker.is_some());
    let fingerprint = match elsewhere {
        true => store.hardware(hardware)?.fingerprint,
        false => of_this_machine(),
    };
    let version = store.version(hardware, candidate.version)?;
    let mut times: Vec<&str> = taken.iter().map(|m| m.measured_at.as_str()).collect();
    times.sort_unstable();
    let at = |end: Option<&&str>| end.map_or_else(String::new, |time| (*time).to_owned());
    Ok(NewValidation {
        version: version.version,
        version_digest: version.digest,
        baseline: production.map(|model| Baseline {
            version: model.version,
            metrics: metrics(&pairs, |pair| pair.baseline_ms.unwrap_or(f64::NAN)),
        }),
        space,
        dataset: version.content.dataset,
        selection: json!(validating.selection),
        metrics: metrics(&pairs, |pair| pair.predicted_ms),
        coverage: coverage(&pairs),
        fingerprint,
        drifted: pairs.iter().filter(|pair| pair.drift).count(),
        scatter: put_scatter(validating, &scatter(&heading, &panels)?)?,
        started_at: at(times.first()),
        finished_at: at(times.last()),
        creator: creator.to_owned(),
        pairs,
    })
}

fn put_scatter(validating: &Validating<'_>, svg: &str) -> Result<Digest, Error> {
    validating.store.put_blob(svg.as_bytes())
}

/// Metrics that are numbers: of two equal latencies some are not.
fn metrics(pairs: &[ValidationPair], predicted: impl Fn(&ValidationPair) -> f64) -> BTreeMap<String, f64> {
    let measured: Vec<f64> = pairs.iter().map(|pair| pair.measured_ms).collect();
    let predicted: Vec<f64> = pairs.iter().map(predicted).collect();
    let entries = Metrics::of(&measured, &predicted).entries();
    let finite = entries.into_iter().filter(|(_, value)| value.is_finite());
    finite.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Share of the measurements that lie within the interval of their prediction.
fn coverage(pairs: &[ValidationPair]) -> Option<f64> {
    let within: Vec<bool> = pairs
        .iter()
        .filter_map(|pair| {
            pair.interval_ms
                .map(|(low, high)| (low..=high).contains(&pair.measured_ms))
        })
        .collect();
    let inside = within.iter().filter(|inside| **inside).count();
    (!within.is_empty()).then(|| inside as f64 / within.len() as f64)
}

fn panels(candidate: &ServedModel, production: Option<&ServedModel>, pairs: &[ValidationPair]) -> Vec<Panel> {
    let panel = |model: &ServedModel, role: &str, predicted: &dyn Fn(&ValidationPair) -> Option<f64>| Panel {
        title: format!("version {}{role}, {}", model.version, model.recipe),
        measured: pairs.iter().map(|pair| pair.measured_ms).collect(),
        predicted: pairs.iter().filter_map(predicted).collect(),
    };
    let own = panel(candidate, "", &|pair| Some(pair.predicted_ms));
    let other = production.map(|model| panel(model, " (production)", &|pair| pair.baseline_ms));
    std::iter::once(own).chain(other).collect()
}
