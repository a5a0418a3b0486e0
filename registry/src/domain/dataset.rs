//! Datasets: measurements frozen at one moment, to train and compare on.

use serde::{Deserialize, Serialize};

use super::limits;
use crate::{Digest, HardwareName, Result, names};

/// What a caller says of the content it freezes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewDataset {
    /// The search space of its architectures.
    pub space: String,
    /// How many architectures it holds.
    pub rows: usize,
    /// Where it came from: a measuring job, an import, ...
    pub origin: String,
    /// Who freezes it, for the audit log.
    pub creator: String,
}

/// A frozen dataset of one hardware target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// The digest of its content.
    pub digest: Digest,
    /// The hardware target it was measured on.
    pub hardware: HardwareName,
    /// The search space of its architectures.
    pub space: String,
    /// How many architectures it holds.
    pub rows: usize,
    /// Where it came from.
    pub origin: String,
    /// When it was frozen; RFC 3339, UTC.
    pub created_at: String,
    /// The blob with its content; the same as `digest`.
    pub blob: Digest,
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
