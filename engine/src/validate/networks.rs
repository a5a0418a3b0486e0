//! Judging a version by networks of no space.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lglp_registry::{HardwareName, Measurement, NewVersion, ONNX, Registry};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::report::Compared;
use super::{Judges, Method, REPLICATE, Rows, Selection, ValidateError, Validating};
use crate::measure::{MeasureError, Plan, Setup};
use crate::networks::{GivenNetwork, RandomNetwork};
use crate::predictor::{COVERAGE, ServedModel};
use crate::train::{DataError, frozen_rows, labels};

impl Validating<'_> {
    /// Chooses networks: none that the version was fitted on, and of random ones none that was ever measured here.
    pub(super) fn plan_of_networks(&self, candidate: &ServedModel) -> Result<Plan, ValidateError> {
        candidate.check_reads_networks()?;
        let Selection { on, method, n, seed } = self.selection;
        if method != Method::Random {
            return Err(ValidateError::NetworksAtRandom);
        }
        let fitted = fitted(self.store, &self.store.version(self.hardware, self.version)?.content)?;
        if let Judges::Given(given) = self.judges {
            let left: Vec<&GivenNetwork> = given.iter().filter(|one| !fitted.contains(&one.text())).collect();
            enough(left.len(), given.len())?;
            return Ok(Plan::of_networks(left));
        }
        match on {
            Rows::HeldOut => Err(ValidateError::NoneHeldOut),
            Rows::Fresh => self.random(n),
            Rows::Recorded => {
                let mut left = labels(self.store, self.hardware, ONNX)?;
                left.retain(|measurement| !fitted.contains(&measurement.architecture));
                left.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                if left.len() < n {
                    let found = left.len();
                    return Err(ValidateError::TooFew { on, found, asked: n });
                }
                left.truncate(n);
                let name = |m: &Measurement| {
                    m.network
                        .as_ref()
                        .map_or_else(String::new, |network| network.name.clone())
                };
                Ok(Plan {
                    names: left.iter().map(name).collect(),
                    ..Plan::of(left.into_iter().map(|one| one.architecture).collect())
                })
            }
        }
    }

    /// The next random networks that were never measured here.
    fn random(&self, count: usize) -> Result<Plan, ValidateError> {
        let batch = Setup::of_target(&self.store.hardware(self.hardware)?).batch;
        if batch != 1 {
            let hardware = self.hardware.clone();
            return Err(ValidateError::RandomTakeOne { hardware, batch });
        }
        let known = measured(self.store, self.hardware, None)?;
        let known: HashSet<String> = known.into_iter().filter_map(|one| Some(one.network?.name)).collect();
        let fresh = RandomNetwork::sequence().filter(|network| !known.contains(&network.to_string()));
        let fresh = fresh.take(count).map(GivenNetwork::random);
        let networks = fresh.collect::<Result<Vec<_>, _>>().map_err(MeasureError::from)?;
        Ok(Plan::of_networks(&networks))
    }

    /// The networks of a plan, to be measured; `None` where it is of architectures.
    ///
    /// # Errors
    /// For a name of no random network, where none is given.
    pub fn networks_of(&self, plan: &Plan) -> Result<Option<Vec<GivenNetwork>>, ValidateError> {
        if plan.names.is_empty() {
            return Ok(None);
        }
        if let Judges::Given(given) = self.judges {
            let planned: HashSet<&String> = plan.architectures.iter().collect();
            let networks = given.iter().filter(|one| planned.contains(&one.text()));
            return Ok(Some(networks.cloned().collect()));
        }
        let random = plan.names.iter().map(|name| match name.parse::<RandomNetwork>() {
            Ok(network) => Ok(GivenNetwork::random(network).map_err(MeasureError::from)?),
            Err(none) => Err(ValidateError::Misfit {
                text: name.clone(),
                problem: none.to_string(),
            }),
        });
        random.collect::<Result<_, _>>().map(Some)
    }

    /// Compares what was measured of a plan's networks with what the version predicts, and the one in production, where that reads networks
    /// and was fitted on none of them.
    pub(super) fn compared_networks(
        &self,
        candidate: Arc<ServedModel>,
        production: Option<Arc<ServedModel>>,
        plan: &Plan,
    ) -> Result<Compared, ValidateError> {
        let known = match self.selection.on {
            Rows::Fresh => measured(self.store, self.hardware, Some(REPLICATE))?,
            Rows::Recorded | Rows::HeldOut => labels(self.store, self.hardware, ONNX)?,
        };
        let mut by_text: HashMap<String, Measurement> =
            known.into_iter().map(|one| (one.architecture.clone(), one)).collect();
        // One that cannot be measured costs no other.
        let taken: Vec<Measurement> = plan
            .architectures
            .iter()
            .filter_map(|text| by_text.remove(text))
            .collect();
        enough(taken.len(), plan.architectures.len())?;
        let predicted = |model: &ServedModel| {
            let networks = taken.iter().filter_map(|one| one.network.as_ref());
            let predicted = networks.map(|network| Ok(model.predict_measured(network, COVERAGE)?.predicted));
            predicted.collect::<Result<Vec<_>, ValidateError>>()
        };
        let production = match production.filter(|model| model.check_reads_networks().is_ok()) {
            Some(model) => {
                let content = self.store.version(self.hardware, model.version)?.content;
                let fitted = fitted(self.store, &content)?;
                let knows_any = taken.iter().any(|one| fitted.contains(&one.architecture));
                (!knows_any).then_some(model)
            }
            None => None,
        };
        let baseline = match &production {
            Some(model) => Some(predicted(model)?.into_iter().map(|one| one.value).collect()),
            None => None,
        };
        Ok(Compared {
            space: ONNX.to_owned(),
            predicted: predicted(&candidate)?,
            candidate,
            production,
            measured: taken,
            baseline,
        })
    }
}

fn measured(
    store: &dyn Registry,
    hardware: &HardwareName,
    replicate: Option<u32>,
) -> lglp_registry::Result<Vec<Measurement>> {
    store.measurements_without_samples(hardware, ONNX, replicate)
}

/// Networks that a version was fitted on, by what their measurements are found by.
fn fitted(store: &dyn Registry, version: &NewVersion) -> Result<HashSet<String>, DataError> {
    let rows = frozen_rows(store, &version.dataset)?.into_iter();
    let networks = rows.filter(|row| row.network.is_some());
    Ok(networks.map(|row| row.architecture).collect())
}

fn enough(found: usize, of: usize) -> Result<(), ValidateError> {
    let least = Selection::LEAST;
    match found < least {
        true => Err(ValidateError::TooFewNetworks { found, of, least }),
        false => Ok(()),
    }
}
