//! Answering: which version predicts which architecture.
//!
//! An architecture has a fixed place between 0 and 1, from its digest. It belongs to a share when its place lies below
//! it: the same architecture always gets the same version while the share stands, and a growing share keeps those it had.

use std::sync::Arc;

use lglp_engine::predictor::{COVERAGE, Predicted, ServedModel};
use lglp_sdk::{Architecture, SearchSpace};
use sha2::{Digest, Sha256};

use super::counts::ModelLabels;
use super::shadow::Comparison;
use super::table::Branch;
use super::{Serving, ServingError};

/// How a request is answered. A value: what moves meanwhile does not touch it.
#[derive(Clone)]
pub struct Route {
    /// The version that the request names.
    pub model: Arc<ServedModel>,
    /// Whose predictions are the answer for a share.
    pub canary: Option<Branch>,
    /// Who also predicts a share, off the response path.
    pub shadow: Option<Branch>,
    /// Of intervals, 0 to 1.
    pub coverage: f64,
}

/// A prediction, and who made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The prediction, with its interval and remarks.
    pub predicted: Predicted,
    /// Number of the version that made it: the canary's, or the one that the request leads to.
    pub version: u32,
}

impl Route {
    /// One model for everything.
    pub(super) fn whole(model: Arc<ServedModel>) -> Self {
        Self {
            model,
            canary: None,
            shadow: None,
            coverage: COVERAGE,
        }
    }
}

impl Serving {
    /// Predicts architectures of the route's space, in their order, on this thread. A large batch is answered part by part:
    /// where the canary fails, production answers the rest of the part.
    pub fn answer(&self, route: &Route, architectures: &[Architecture]) -> Result<Vec<Answered>, ServingError> {
        let Route {
            model,
            canary,
            coverage,
            ..
        } = route;
        let Some(canary) = canary else {
            let predicted = self.by_production(model, architectures, *coverage)?;
            return Ok(predicted.into_iter().map(|p| by(model.version, p)).collect());
        };
        let places = places(route, architectures);
        let mut answers: Vec<Option<Answered>> = vec![None; architectures.len()];
        let chosen = indices(&places, |_, place| place < canary.share);
        if let Some(predicted) = self.by_canary(route, canary, &pick(architectures, &chosen)) {
            fill(&mut answers, &chosen, canary.version, predicted);
        }
        let rest = indices(&places, |i, _| answers[i].is_none());
        let predicted = self.by_production(model, &pick(architectures, &rest), *coverage)?;
        fill(&mut answers, &rest, model.version, predicted);
        Ok(answers.into_iter().flatten().collect())
    }

    fn by_production(
        &self,
        model: &Arc<ServedModel>,
        architectures: &[Architecture],
        coverage: f64,
    ) -> Result<Vec<Predicted>, ServingError> {
        self.seen(model, model.predict(architectures, coverage))
    }

    /// What the canary predicts; `None` where it cannot, so that production answers.
    fn by_canary(&self, route: &Route, canary: &Branch, architectures: &[Architecture]) -> Option<Vec<Predicted>> {
        if architectures.is_empty() {
            return None;
        }
        let predicted = canary.model.as_ref().map(|model| {
            let predicted = model.predict(architectures, route.coverage);
            predicted.inspect_err(|error| {
                tracing::warn!(hardware = %model.hardware, version = model.version, "the canary fails: {error}");
                self.after_failure(model, error);
            })
        });
        if let Some(Ok(predicted)) = predicted {
            return Some(predicted);
        }
        let labels = ModelLabels {
            hardware: route.model.hardware.to_string(),
            version: canary.version,
        };
        let failures = self.counts.canary_failures.get_or_create(&labels);
        failures.inc_by(architectures.len() as u64);
        None
    }

    /// Has the shadow's share of what was answered compared, off the response path. Where the canary answered, production is
    /// still to predict: a canary that is its own shadow would leave nothing to compare.
    pub fn compare(&self, route: &Route, architectures: &[Architecture], answers: &[Answered]) {
        let (Some(queue), Some(shadow)) = (&self.shadow, &route.shadow) else {
            return;
        };
        let (model, Some(candidate)) = (&route.model, &shadow.model) else {
            return;
        };
        let places = places(route, architectures);
        let by_production = |i: usize| answers[i].version == model.version;
        let known = indices(&places, |i, place| place < shadow.share && by_production(i));
        let unknown = indices(&places, |i, place| place < shadow.share && !by_production(i));
        let comparison = |chosen: &[usize], production_ms| Comparison {
            production: model.clone(),
            candidate: candidate.clone(),
            architectures: pick(architectures, chosen),
            production_ms,
        };
        let latencies = known.iter().map(|i| answers[*i].predicted.value).collect();
        queue.offer(comparison(&known, Some(latencies)));
        queue.offer(comparison(&unknown, None));
    }
}

fn places(route: &Route, architectures: &[Architecture]) -> Vec<f64> {
    architectures.iter().map(|a| place(&route.model.space, a)).collect()
}

/// The place of an architecture: the first 8 bytes of the SHA-256 of its canonical text, as a fraction of 2^64.
fn place(space: &SearchSpace, architecture: &Architecture) -> f64 {
    let digest = Sha256::digest(space.canonical_text(architecture));
    let first = digest
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    first as f64 / 2_f64.powi(64)
}

fn indices(places: &[f64], chosen: impl Fn(usize, f64) -> bool) -> Vec<usize> {
    (0..places.len()).filter(|i| chosen(*i, places[*i])).collect()
}

fn pick(architectures: &[Architecture], chosen: &[usize]) -> Vec<Architecture> {
    chosen.iter().map(|i| architectures[*i].clone()).collect()
}

fn by(version: u32, predicted: Predicted) -> Answered {
    Answered { predicted, version }
}

fn fill(answers: &mut [Option<Answered>], places: &[usize], version: u32, predicted: Vec<Predicted>) {
    for (i, predicted) in places.iter().zip(predicted) {
        answers[*i] = Some(by(version, predicted));
    }
}
