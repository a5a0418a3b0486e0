//! What models are trained on: measured latencies or energies, one a row.

use std::collections::BTreeMap;

use lglp_registry::{Amount, Dataset, Digest, HardwareName, Measurement, NewDataset, Quantity, Registry};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use super::FEWEST_ROWS;
use crate::measure::Excluded;
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
}

/// A row of a frozen dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// Canonical text.
    pub architecture: String,
    /// What was measured; in JSON a field `latency_ms` or `energy_j`.
    #[serde(flatten)]
    pub label: Amount,
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
    /// The labels of a hardware target. An architecture without one of the quantity is left out.
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
        let value = |measurement: &Measurement| match quantity {
            Quantity::Latency => Some(measurement.latency_ms),
            Quantity::Energy => measurement.energy_j,
        };
        for label in first_of_each(store, hardware, &space.name, |m| value(m).is_some())? {
            let architecture =
                space
                    .architecture_from_text(&label.architecture)
                    .map_err(|error| DataError::Misfit {
                        digest: label.digest.clone(),
                        problem: error.to_string(),
                    })?;
            data.architectures.push(architecture);
            data.labels.extend(value(&label));
        }
        let with = data.labels.len();
        if quantity == Quantity::Energy && with < FEWEST_ROWS {
            let of = labels(store, hardware, &space.name)?.len();
            return Err(DataError::TooFewEnergies { with, of });
        }
        Ok(data)
    }

    /// Freezes the rows, in their order.
    pub fn freeze(
        &self,
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &SearchSpace,
        creator: &str,
    ) -> lglp_registry::Result<Dataset> {
        let mut content = String::new();
        for (architecture, label) in self.architectures.iter().zip(&self.labels) {
            let row = FrozenRow {
                architecture: space.canonical_text(architecture),
                label: self.quantity.amount(*label),
            };
            content += &serde_json::to_string(&row).expect("texts and finite numbers are JSON");
            content.push('\n');
        }
        let new = NewDataset {
            space: space.name.clone(),
            rows: self.architectures.len(),
            origin: "measured".into(),
            creator: creator.to_owned(),
        };
        store.freeze_dataset(hardware, &new, content.as_bytes())
    }

    /// Reads a frozen dataset of latencies.
    pub fn frozen(store: &dyn Registry, digest: &Digest, space: &SearchSpace) -> Result<Self, DataError> {
        let mut data = Self::default();
        for (i, row) in frozen_rows(store, digest)?.into_iter().enumerate() {
            let architecture = space.architecture_from_text(&row.architecture);
            let architecture = architecture.map_err(|e| bad_row(digest, i, &e))?;
            data.architectures.push(architecture);
            if row.label.quantity() != data.quantity {
                let problem = format!("it tells {}, not {}", row.label.quantity(), data.quantity);
                return Err(bad_row(digest, i, &problem));
            }
            data.labels.push(row.label.value());
        }
        Ok(data)
    }

    /// Some of the rows.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self {
            architectures: rows.iter().map(|i| self.architectures[*i].clone()).collect(),
            quantity: self.quantity,
            labels: rows.iter().map(|i| self.labels[*i]).collect(),
        }
    }
}
