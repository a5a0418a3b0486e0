//! Adding a table to a target that was imported before: what grew is taken, and what differs is named, or corrected on request.
//! Nothing recorded is written over: a corrected measurement is recorded as a further replicate, and the wrong one is excluded.

use std::collections::BTreeMap;

use lglp_registry::{Digest, Exclusion, HardwareName, Measurement, Registry};
use serde_json::json;

use crate::measure::Excluded;

/// What a table adds.
#[derive(Debug, Default)]
pub struct Addition {
    /// What is to be recorded.
    pub fresh: Vec<Measurement>,
    /// Which recorded ones were wrong.
    pub exclusions: Vec<Exclusion>,
    /// Rows that are recorded already.
    pub known: usize,
}

/// Why a table does not belong to a target. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdditionError {
    /// Rows differ from what is recorded, and nobody said why they are right.
    #[error("{}", differing(hardware, rows))]
    Differs {
        /// The target that the table was to be added to.
        hardware: HardwareName,
        /// Each of them, in words: its line, its latency and the recorded one, its architecture.
        rows: Vec<String>,
    },
    /// The target has measurements, no row agrees with one of them, and nobody said that the table is of the same device.
    #[error(
        "no row of the table is recorded for `{hardware}`, which has measurements: if they are of the same device, say --add; \
         otherwise import them under another name"
    )]
    Strange {
        /// The target that the table was to be added to.
        hardware: HardwareName,
    },
    /// The registry did not tell what is recorded.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// Rows that a message shows.
const SHOWN: usize = 20;

fn differing(hardware: &HardwareName, rows: &[String]) -> String {
    let mut text = format!(
        "the table differs from what is recorded for `{hardware}`; nothing was imported. If the table is right, say \
         --correct REASON; if it is of another device, import it under another name than `{hardware}`"
    );
    for row in rows.iter().take(SHOWN) {
        text += &format!("\n  {row}");
    }
    if rows.len() > SHOWN {
        text += &format!("\n  and {} more", rows.len() - SHOWN);
    }
    text
}

/// What the user says of a table, where it is not what is recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Intent<'a> {
    /// Rows of which none is recorded belong to the target.
    pub add: bool,
    /// Why what differs from the records is right.
    pub correct: Option<&'a str>,
}

/// Compares the rows of a table with the measurements of a target, which may be none.
pub fn addition(
    store: &dyn Registry,
    hardware: &HardwareName,
    space: &str,
    rows: Vec<Measurement>,
    intent: Intent<'_>,
) -> Result<Addition, AdditionError> {
    let recorded = match store.measurements_without_samples(hardware, space, None) {
        Err(lglp_registry::Error::NotFound { .. }) => Vec::new(),
        recorded => recorded?,
    };
    let is_first = recorded.is_empty();
    // A target that is still to be made has none to ask for.
    let excluded = (!is_first).then(|| Excluded::of(store, hardware, space)).transpose()?;
    // By architecture: the replicates that count, and the next free one.
    let mut replicates: BTreeMap<Digest, (Vec<Measurement>, u32)> = BTreeMap::new();
    for measurement in recorded {
        let (counting, free) = replicates.entry(measurement.digest.clone()).or_default();
        *free = (*free).max(measurement.replicate + 1);
        if !excluded.as_ref().is_some_and(|excluded| excluded.has(&measurement)) {
            counting.push(measurement);
        }
    }
    let (mut addition, mut differing, mut others) = (Addition::default(), Vec::new(), Vec::new());
    // A row is known by its latency, not by its place: a bad one before it may have been left out, and be mended by now.
    for row in rows {
        let (counting, _) = replicates.entry(row.digest.clone()).or_default();
        match counting.iter().position(|before| before.latency_ms == row.latency_ms) {
            Some(at) => {
                counting.remove(at);
                addition.known += 1;
            }
            None => others.push(row),
        }
    }
    for row in others {
        let (counting, free) = replicates.entry(row.digest.clone()).or_default();
        // The rows of an architecture come in the order of their replicates, as its measurements do.
        let before = (!counting.is_empty()).then(|| counting.remove(0));
        if let Some(before) = before {
            let Some(reason) = intent.correct else {
                let line = &row.protocol["line"];
                let (old, new) = (before.latency_ms, row.latency_ms);
                differing.push(format!(
                    "line {line}: {new} ms, recorded as {old} ms: {}",
                    row.architecture
                ));
                continue;
            };
            addition.exclusions.push(Exclusion {
                space: space.to_owned(),
                digest: before.digest.clone(),
                replicate: before.replicate,
                reason: reason.to_owned(),
                evidence: json!({ "corrected_to_ms": row.latency_ms, "round": *free }),
            });
        }
        addition.fresh.push(Measurement {
            replicate: *free,
            ..row
        });
        *free += 1;
    }
    if !differing.is_empty() {
        return Err(AdditionError::Differs {
            hardware: hardware.clone(),
            rows: differing,
        });
    }
    if !is_first && !intent.add && addition.known == 0 && addition.exclusions.is_empty() {
        return Err(AdditionError::Strange {
            hardware: hardware.clone(),
        });
    }
    Ok(addition)
}
