//! What models are trained on: measured latencies or energies, one a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lglp_registry::{
    Amount, Dataset, Digest, HardwareName, MeasuredNetwork, Measurement, NewDataset, ONNX, Quantity, Registry,
};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use super::FEWEST_ROWS;
use crate::measure::Excluded;
use crate::networks::{LabelledNetwork, Rules, rules_of};
use crate::spaces::{DefinitionError, require_same};

/// Architectures of one space, and what was measured of each.
#[derive(Clone, Debug, Default)]
pub struct TrainingData {
    /// The architectures, one a row.
    pub architectures: Vec<Architecture>,
    /// What the labels are.
    pub quantity: Quantity,
    /// In the unit of the quantity.
    pub labels: Vec<f64>,
    /// Networks of no space that were measured on the same target: for recipes that sum up over operators.
    pub networks: Arc<[LabelledNetwork]>,
    /// How many more networks were measured, that are left out: they were counted by other rules of the target's runtime.
    pub counted_otherwise: usize,
}

/// A row of a frozen dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// Canonical text.
    pub architecture: String,
    /// What was measured; in JSON a field `latency_ms` or `energy_j`.
    #[serde(flatten)]
    pub label: Amount,
    /// What it computes, where it is a network of no space; such rows come last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<MeasuredNetwork>,
}

/// Why there are no data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The registry could not be read.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// The space is defined otherwise than when it was measured in, or that could not be told.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A space was edited after it was measured in.
    #[error("the architecture {digest} does not fit the space any more: {problem}")]
    Misfit {
        /// The digest of the architecture's canonical text.
        digest: Digest,
        /// What is wrong with the text.
        problem: String,
    },
    /// Too few measurements tell what is to be learned.
    #[error(
        "only {with} of {of} measured architectures have energy_j; {FEWEST_ROWS} or more are needed. Measure where the \
         device counts its energy (docs/energy.md)"
    )]
    TooFewEnergies {
        /// The number of measured architectures with an energy.
        with: usize,
        /// The number of measured architectures.
        of: usize,
    },
    /// A dataset that lglp did not write.
    #[error("line {line} of the dataset {digest} is no row: {problem}")]
    BadRow {
        /// The digest of the dataset's content.
        digest: Digest,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with the line.
        problem: String,
    },
}

/// The measurement of each architecture that counts: the first that is not excluded. In the order of the digests.
pub fn labels(store: &dyn Registry, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Vec<Measurement>> {
    first_of_each(store, hardware, space, |_| true)
}

/// The first measurement of each architecture that is not excluded and tells what is asked for.
fn first_of_each(
    store: &dyn Registry,
    hardware: &HardwareName,
    space: &str,
    tells: impl Fn(&Measurement) -> bool,
) -> lglp_registry::Result<Vec<Measurement>> {
    let excluded = Excluded::of(store, hardware, space)?;
    let mut labels = BTreeMap::new();
    // Replicates come in their order.
    for measurement in store.measurements_without_samples(hardware, space, None)? {
        if tells(&measurement) && !excluded.has(&measurement) {
            labels.entry(measurement.digest.clone()).or_insert(measurement);
        }
    }
    Ok(labels.into_values().collect())
}

/// What a measurement tells of a quantity.
fn value(measurement: &Measurement, quantity: Quantity) -> Option<f64> {
    match quantity {
        Quantity::Latency => Some(measurement.latency_ms),
        Quantity::Energy => measurement.energy_j,
    }
}

/// Networks of no space, as the target's runtime executes them, with the geometric mean of what was measured of each and is not excluded: a
/// process has latencies of its own, and replicates are of several. In the order of the digests; behind them how many are counted by other rules.
fn networks(
    store: &dyn Registry,
    hardware: &HardwareName,
    quantity: Quantity,
) -> lglp_registry::Result<(Vec<LabelledNetwork>, usize)> {
    let excluded = Excluded::of(store, hardware, ONNX)?;
    let target = store.hardware(hardware)?;
    let rules = rules_of(&target.fingerprint).map(|rules| rules.name());
    let mut others = BTreeSet::new();
    let mut found = BTreeMap::<Digest, (LabelledNetwork, Vec<f64>)>::new();
    for measurement in store.measurements_without_samples(hardware, ONNX, None)? {
        let (Some(value), false) = (value(&measurement, quantity), excluded.has(&measurement)) else {
            continue;
        };
        // What other rules tell of a network is another one.
        let Some(network) = measurement.network.filter(|network| network.rules == rules) else {
            others.insert(measurement.digest);
            continue;
        };
        let new = || {
            let (architecture, label) = (measurement.architecture, value);
            let labelled = LabelledNetwork {
                architecture,
                network,
                label,
            };
            (labelled, Vec::new())
        };
        let (_, values) = found.entry(measurement.digest).or_insert_with(new);
        values.push(value.ln());
    }
    let known: BTreeSet<Digest> = found.keys().cloned().collect();
    let labelled = found.into_values().map(|(network, logs)| match &logs[..] {
        // To the last digit.
        [_] => network,
        _ => LabelledNetwork {
            label: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
            ..network
        },
    });
    others.retain(|digest| !known.contains(digest));
    Ok((labelled.collect(), others.len()))
}

/// The rows of a frozen dataset, in their order, whatever their space.
pub fn frozen_rows(store: &dyn Registry, digest: &Digest) -> Result<Vec<FrozenRow>, DataError> {
    let content = store.get_blob(digest)?;
    let text = String::from_utf8_lossy(&content);
    let read = |(i, line)| serde_json::from_str(line).map_err(|e| bad_row(digest, i, &e));
    text.lines().enumerate().map(read).collect()
}

fn bad_row(digest: &Digest, index: usize, problem: &dyn std::fmt::Display) -> DataError {
    DataError::BadRow {
        digest: digest.clone(),
        line: index + 1,
        problem: problem.to_string(),
    }
}

impl TrainingData {
    /// The labels of a hardware target's architectures. One without any of the quantity is left out.
    pub fn measured(
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &SearchSpace,
        quantity: Quantity,
    ) -> Result<Self, DataError> {
        require_same(store, hardware, space)?;
        let mut data = Self {
            quantity,
            ..Self::default()
        };
        for label in first_of_each(store, hardware, space.name(), |m| value(m, quantity).is_some())? {
            let architecture =
                space
                    .architecture_from_text(&label.architecture)
                    .map_err(|error| DataError::Misfit {
                        digest: label.digest.clone(),
                        problem: error.to_string(),
                    })?;
            data.architectures.push(architecture);
            data.labels.extend(value(&label, quantity));
        }
        let with = data.labels.len();
        if quantity == Quantity::Energy && with < FEWEST_ROWS {
            let of = labels(store, hardware, space.name())?.len();
            if of > 0 {
                return Err(DataError::TooFewEnergies { with, of });
            }
        }
        Ok(data)
    }

    /// As [`Self::measured`], and with them the networks of no space that were measured on the target.
    pub fn with_networks(
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &SearchSpace,
        quantity: Quantity,
    ) -> Result<Self, DataError> {
        let (networks, counted_otherwise) = networks(store, hardware, quantity)?;
        Ok(Self {
            networks: networks.into(),
            counted_otherwise,
            ..Self::measured(store, hardware, space, quantity)?
        })
    }

    /// Freezes the rows, in their order: all architectures, and behind them those `networks` that were learned from.
    pub fn freeze(
        &self,
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &SearchSpace,
        networks: &[LabelledNetwork],
        creator: &str,
    ) -> lglp_registry::Result<Dataset> {
        let mut content = String::new();
        let architectures = self.architectures.iter().zip(&self.labels);
        let architectures = architectures.map(|(architecture, label)| FrozenRow {
            architecture: space.canonical_text(architecture),
            label: self.quantity.amount(*label),
            network: None,
        });
        let rows = self.architectures.len() + networks.len();
        let networks = networks.iter().map(|one| FrozenRow {
            architecture: one.architecture.clone(),
            label: self.quantity.amount(one.label),
            network: Some(one.network.clone()),
        });
        for row in architectures.chain(networks) {
            content += &serde_json::to_string(&row).expect("texts and finite numbers are JSON");
            content.push('\n');
        }
        // Of networks alone the same rows teach versions of any space.
        let space = if self.architectures.is_empty() {
            ONNX
        } else {
            space.name()
        };
        let new = NewDataset {
            space: space.to_owned(),
            rows,
            origin: "measured".into(),
            creator: creator.to_owned(),
        };
        store.freeze_dataset(hardware, &new, content.as_bytes())
    }

    /// Reads a frozen dataset of latencies.
    pub fn frozen(store: &dyn Registry, digest: &Digest, space: &SearchSpace) -> Result<Self, DataError> {
        let mut data = Self::default();
        let mut networks = Vec::new();
        for (i, row) in frozen_rows(store, digest)?.into_iter().enumerate() {
            if row.label.quantity() != data.quantity {
                let problem = format!("it tells {}, not {}", row.label.quantity(), data.quantity);
                return Err(bad_row(digest, i, &problem));
            }
            if let Some(network) = row.network {
                if let Some(name) = network.rules.as_deref().filter(|name| Rules::named(name).is_none()) {
                    let problem = format!("this release does not know the rules `{name}`; measure again");
                    return Err(bad_row(digest, i, &problem));
                }
                networks.push(LabelledNetwork {
                    architecture: row.architecture,
                    network,
                    label: row.label.value(),
                });
                continue;
            }
            let architecture = space.architecture_from_text(&row.architecture);
            let architecture = architecture.map_err(|e| bad_row(digest, i, &e))?;
            data.architectures.push(architecture);
            data.labels.push(row.label.value());
        }
        data.networks = networks.into();
        Ok(data)
    }

    /// Some of the architectures, without the networks of no space.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self {
            networks: Arc::default(),
            counted_otherwise: 0,
            architectures: rows.iter().map(|i| self.architectures[*i].clone()).collect(),
            quantity: self.quantity,
            labels: rows.iter().map(|i| self.labels[*i]).collect(),
        }
    }
}
