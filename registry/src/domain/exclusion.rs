//! Exclusions: measurements that are kept but not trained on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits;
use crate::{Digest, Result, names};

/// A mark on a measurement: it stays as it is, but no model is trained or judged by it. Written once; an architecture that
/// was excluded by mistake comes back by measuring it in another round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The search space.
    pub space: String,
    /// The digest of the architecture's canonical text.
    pub digest: Digest,
    /// The round of the measurement.
    pub round: u32,
    /// Why, for people.
    pub reason: String,
    /// The figures that speak for it: predictions, residuals, repetitions.
    pub evidence: Value,
}

impl Exclusion {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        names::check("space", &self.space)?;
        limits::text("reason", &self.reason)?;
        limits::document("evidence", &self.evidence, limits::DESCRIPTION)
    }

    /// What a measurement is marked by, within its hardware target.
    pub fn key(&self) -> MeasurementKey {
        MeasurementKey {
            space: self.space.clone(),
            digest: self.digest.clone(),
            round: self.round,
        }
    }

    /// The first field in which two marks of one measurement differ, if any.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            ("reason", self.reason != other.reason),
            ("evidence", self.evidence != other.evidence),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}

/// Which measurement of a hardware target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasurementKey {
    /// The search space.
    pub space: String,
    /// The digest of the architecture's canonical text.
    pub digest: Digest,
    /// The round.
    pub round: u32,
}
