//! Judging a version by networks of no space.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lglp_registry::{Digest, MeasuredNetwork, Measurement, NewVersion, ONNX, Registry};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::report::Compared;
use super::{Judges, Method, Rows, Selection, ValidateError, Validating};
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
            let left: Vec<&GivenNetwork> = given.iter().filter(|one| !fitted.texts.contains(&one.text())).collect();
            enough(left.len(), given.len())?;
            return Ok(Plan::of_networks(left));
        }
        match on {
            Rows::HeldOut => Err(ValidateError::NoneHeldOut),
            Rows::Fresh => self.random(n, fitted),
            Rows::Recorded => {
                let mut left = labels(self.store, self.hardware, ONNX)?;
                left.retain(|measurement| {
                    let reads = |network| candidate.reads_table(network);
                    !fitted.has(measurement) && measurement.network.as_ref().is_some_and(reads)
                });
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

    /// The next random networks that were never measured here, by whatever name.
    fn random(&self, count: usize, fitted: Fitted) -> Result<Plan, ValidateError> {
        let batch = Setup::of_target(&self.store.hardware(self.hardware)?).batch;
        if batch != 1 {
            let hardware = self.hardware.clone();
            return Err(ValidateError::RandomTakeOne { hardware, batch });
        }
        let (mut texts, mut names) = (fitted.texts, HashSet::new());
        for one in self.store.measurements_without_samples(self.hardware, ONNX, None)? {
            texts.insert(one.architecture);
            names.extend(one.network.map(|network| network.name));
        }
        // A name is looked at first, since a network takes a moment to be drawn; but it is anybody's to give.
        let unnamed = RandomNetwork::sequence().filter(|network| !names.contains(&network.to_string()));
        let mut networks = Vec::with_capacity(count);
        for network in unnamed {
            if networks.len() == count {
                break;
            }
            let given = GivenNetwork::random(network).map_err(MeasureError::from)?;
            if !texts.contains(&given.text()) {
                networks.push(given);
            }
        }
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
        let known = labels(self.store, self.hardware, ONNX)?;
        let mut by_text: HashMap<String, Measurement> =
            known.into_iter().map(|one| (one.architecture.clone(), one)).collect();
        let own = fitted(self.store, &self.store.version(self.hardware, self.version)?.content)?;
        // One that cannot be measured costs no other. Of those that compute the same one counts, and none that the version knows by other words.
        let mut seen = HashSet::new();
        let taken = plan.architectures.iter().filter_map(|text| by_text.remove(text));
        let taken: Vec<Measurement> = taken
            .filter(|one| {
                let is_new = |network| candidate.reads_table(network) && seen.insert(table(network));
                !own.has(one) && one.network.as_ref().is_some_and(is_new)
            })
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
                let can_tell = |one: &Measurement| {
                    let reads = |network| model.reads_table(network);
                    !fitted.has(one) && one.network.as_ref().is_some_and(reads)
                };
                taken.iter().all(can_tell).then_some(model)
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

/// Networks that a version was fitted on.
struct Fitted {
    /// What their measurements are found by.
    texts: HashSet<String>,
    /// What they compute: a file with other names of nodes is another text, and the same network.
    tables: HashSet<Digest>,
}

impl Fitted {
    fn has(&self, measurement: &Measurement) -> bool {
        let computes = measurement.network.as_ref();
        self.texts.contains(&measurement.architecture)
            || computes.is_some_and(|network| self.tables.contains(&table(network)))
    }
}

fn fitted(store: &dyn Registry, version: &NewVersion) -> Result<Fitted, DataError> {
    let (mut texts, mut tables) = (HashSet::new(), HashSet::new());
    for row in frozen_rows(store, &version.dataset)? {
        if let Some(network) = row.network {
            tables.insert(table(&network));
            texts.insert(row.architecture);
        }
    }
    Ok(Fitted { texts, tables })
}

/// What a network computes, whatever it is called.
fn table(network: &MeasuredNetwork) -> Digest {
    let operators = network.operators.iter().flatten();
    let mut bytes: Vec<u8> = operators.flat_map(|number| number.to_le_bytes()).collect();
    for one in &network.peculiar {
        bytes.extend(one.operator.to_le_bytes());
        bytes.extend(one.is.as_bytes());
    }
    Digest::of(&bytes)
}

fn enough(found: usize, of: usize) -> Result<(), ValidateError> {
    let least = Selection::LEAST;
    match found < least {
        true => Err(ValidateError::TooFewNetworks { found, of, least }),
        false => Ok(()),
    }
}
