//! Versions.

use std::ops::ControlFlow;

use super::{Visitor, show};
use crate::{HardwareName, NewVersion, Result, Version};

/// Models of a hardware target, numbered, which never change.
pub trait Versions: Send + Sync {
    /// Creates the next version of a hardware target. The same content with the same idempotency key gives the
    /// version that it gave before; without a key, or with another, it gives a new one.
    ///
    /// # Errors
    /// `Invalid`, also for a key that is not 1 to 255 visible ASCII characters; `NotFound` for the hardware target
    /// or its dataset; `MissingBlob`; `CorruptBlob` for a blob it names; `Conflict` where the key was used with other
    /// content.
    fn create_version(
        &self,
        hardware: &HardwareName,
        new: &NewVersion,
        idempotency_key: Option<&str>,
    ) -> Result<Version>;

    /// A version.
    ///
    /// # Errors
    /// `NotFound`; `CorruptBlob` where its content was damaged.
    fn version(&self, hardware: &HardwareName, version: u32) -> Result<Version>;

    /// The versions of a hardware target, oldest first.
    ///
    /// # Errors
    /// `NotFound` for the hardware target; `CorruptBlob` where the content of one was damaged.
    fn versions(&self, hardware: &HardwareName) -> Result<Vec<Version>>;

    /// Shows the versions of a hardware target after a number one at a time, oldest first. `Break` where the visitor had seen
    /// enough: there may be more.
    ///
    /// # Errors
    /// Those of [`Versions::versions`].
    fn visit_versions(
        &self,
        hardware: &HardwareName,
        after: u32,
        visitor: Visitor<'_, Version>,
    ) -> Result<ControlFlow<()>> {
        let mut found = self.versions(hardware)?;
        found.retain(|version| version.version > after);
        Ok(show(found, visitor))
    }
}
