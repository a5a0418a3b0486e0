//! What models are trained on: measured latencies, one a row.

use std::collections::{BTreeMap, HashSet};

use lglp_registry::{Dataset, Digest, HardwareName, Measurement, NewDataset, Store};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

/// Architectures of one space and their measured latencies.
#[derive(Clone, Debug, Default)]
pub struct TrainingData {
    pub architectures: Vec<Architecture>,
    /// Milliseconds.
    pub latencies_ms: Vec<f64>,
}

/// A row of a frozen dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// Canonical text.
    pub architecture: String,
    /// Milliseconds.
    pub latency_ms: f64,
}

/// Why there are no data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// A space was edited after it was measured in.
    #[error("the architecture {digest} does not fit the space any more: {problem}")]
    Misfit { digest: Digest, problem: String },
    /// A dataset that lglp did not write.
    #[error("line {line} of the dataset {digest} is no row: {problem}")]
    BadRow {
        digest: Digest,
        line: usize,
        problem: String,
    },
}

/// The measurement of each architecture that counts: the first that is not excluded. In the order of the digests.
pub fn labels(store: &dyn Store, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Vec<Measurement>> {
    let exclusions = store.exclusions(hardware, space)?;
    let excluded: HashSet<(&Digest, u32)> = exclusions.iter().map(|e| (&e.digest, e.round)).collect();
    let mut labels = BTreeMap::new();
    // Rounds come in their order.
    for measurement in store.measurements(hardware, space, None)? {
        if !excluded.contains(&(&measurement.digest, measurement.round)) {
            labels.entry(measurement.digest.clone()).or_insert(measurement);
        }
    }
    Ok(labels.into_values().collect())
}

/// The rows of a frozen dataset, in their order, whatever their space.
pub fn frozen_rows(store: &dyn Store, digest: &Digest) -> Result<Vec<FrozenRow>, DataError> {
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
    /// The labels of a hardware target.
    pub fn measured(store: &dyn Store, hardware: &HardwareName, space: &SearchSpace) -> Result<Self, DataError> {
        let mut data = Self::default();
        for label in labels(store, hardware, &space.name)? {
            let architecture =
                space
                    .architecture_from_text(&label.architecture)
                    .map_err(|error| DataError::Misfit {
                        digest: label.digest.clone(),
                        problem: error.to_string(),
                    })?;
            data.architectures.push(architecture);
            data.latencies_ms.push(label.latency_ms);
        }
        Ok(data)
    }

    /// Freezes the rows, in their order.
    pub fn freeze(
        &self,
        store: &dyn Store,
        hardware: &HardwareName,
        space: &SearchSpace,
        creator: &str,
    ) -> lglp_registry::Result<Dataset> {
        let mut content = String::new();
        for (architecture, latency_ms) in self.architectures.iter().zip(&self.latencies_ms) {
            let row = FrozenRow {
                architecture: space.canonical_text(architecture),
                latency_ms: *latency_ms,
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

    /// Reads a frozen dataset.
    pub fn frozen(store: &dyn Store, digest: &Digest, space: &SearchSpace) -> Result<Self, DataError> {
        let mut data = Self::default();
        for (i, row) in frozen_rows(store, digest)?.into_iter().enumerate() {
            let architecture = space.architecture_from_text(&row.architecture);
            let architecture = architecture.map_err(|e| bad_row(digest, i, &e))?;
            data.architectures.push(architecture);
            data.latencies_ms.push(row.latency_ms);
        }
        Ok(data)
    }

    /// Some of the rows.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self {
            architectures: rows.iter().map(|i| self.architectures[*i].clone()).collect(),
            latencies_ms: rows.iter().map(|i| self.latencies_ms[*i]).collect(),
        }
    }
}
