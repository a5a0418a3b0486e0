//! Datasets: measurements frozen at one moment, to train and compare on.

use serde::{Deserialize, Serialize};

use super::limits;
use super::network::ONNX;
use crate::{Digest, HardwareName, Result, names};

/// What a caller says of the content it freezes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewDataset {
    /// The search space of its architectures; `onnx` where it is of networks alone.
    pub space: String,
    /// How many architectures it holds.
    pub rows: usize,
    /// Where it came from: a measuring job, an import, ...
    pub origin: String,
    /// Who freezes it, for the audit log.
    pub creator: String,
}

/// Measurements, frozen for training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Dataset {
    /// SHA-256 of its content, by which it is found.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// The hardware target that it was measured on.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub hardware: HardwareName,
    /// The search space of its architectures; `onnx` where it is of networks alone.
    #[cfg_attr(feature = "schema", schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub space: String,
    /// How many rows it has: one for each architecture.
    pub rows: usize,
    /// Where it comes from, in the words of the caller that froze it: `measured` where training froze it.
    #[cfg_attr(feature = "schema", schema(max_length = 4096))]
    pub origin: String,
    /// When it was frozen here; RFC 3339, UTC.
    pub created_at: String,
    /// The blob with its content; the same as `digest`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub blob: Digest,
}

impl Dataset {
    /// Whether versions of a search space may be fitted on it: those of its own, and those of any where it is of networks of no space.
    pub fn suits(&self, space: &str) -> bool {
        self.space == space || self.space == ONNX
    }
}

impl NewDataset {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        names::check("space", &self.space)?;
        limits::short("origin", &self.origin)?;
        limits::text("creator", &self.creator)
    }

    /// The field in which this describes the same content otherwise than `recorded`, if any. Who freezes it is not
    /// a part of a dataset.
    pub fn difference(&self, recorded: &Dataset) -> Option<&'static str> {
        [
            ("space", self.space != recorded.space),
            ("rows", self.rows != recorded.rows),
            ("origin", self.origin != recorded.origin),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}
