//! Datasets.

use crate::{Dataset, Digest, HardwareName, NewDataset, Result};

/// Frozen rows of measurements, which versions were trained on.
pub trait Datasets: Send + Sync {
    /// Freezes a dataset. Freezing the same content with the same description again returns the first.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target; `Conflict` where the content is described otherwise.
    fn freeze_dataset(&self, hardware: &HardwareName, new: &NewDataset, content: &[u8]) -> Result<Dataset>;

    /// A dataset. Its content is the blob of the same digest.
    ///
    /// # Errors
    /// `NotFound`.
    fn dataset(&self, hardware: &HardwareName, digest: &Digest) -> Result<Dataset>;

    /// The datasets of a hardware target, by digest.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn datasets(&self, hardware: &HardwareName) -> Result<Vec<Dataset>>;
}
