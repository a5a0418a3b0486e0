//! Exclusions: measurements that are kept but not trained on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits;
use crate::{Digest, Result, names};

// Written once; an architecture that was excluded by mistake comes back by measuring it in another replicate.
/// A mark on a measurement: it stays, but no model is trained or judged by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Exclusion {
    /// The search space of the measurement.
    #[cfg_attr(feature = "schema", schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub space: String,
    /// SHA-256 of the architecture's canonical text.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// The replicate of the measurement.
    #[serde(rename = "round")]
    pub replicate: u32,
    /// Why, for people.
    #[cfg_attr(feature = "schema", schema(max_length = 4096))]
    pub reason: String,
    /// The figures that speak for it.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
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
            replicate: self.replicate,
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
    /// The replicate.
    #[serde(rename = "round")]
    pub replicate: u32,
}
