//! Validation reports.

use std::ops::ControlFlow;

use super::{Visitor, show};
use crate::{HardwareName, NewValidation, Result, Validation};

/// Reports of versions' predictions against fresh measurements.
pub trait Validations: Send + Sync {
    /// A validation report.
    ///
    /// # Errors
    /// `NotFound`; `CorruptBlob` where its content was damaged.
    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation>;

    /// The validation reports of a hardware target, oldest first; those of one version, if one is named.
    ///
    /// # Errors
    /// `NotFound` for the hardware target; `CorruptBlob` where the content of one was damaged.
    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>>;

    /// Shows the validation reports after a number one at a time, oldest first; those of one version, if one is named. `Break`
    /// where the visitor had seen enough: there may be more.
    ///
    /// # Errors
    /// Those of [`Validations::validations`].
    fn visit_validations(
        &self,
        hardware: &HardwareName,
        version: Option<u32>,
        after: u32,
        visitor: Visitor<'_, Validation>,
    ) -> Result<ControlFlow<()>> {
        let mut found = self.validations(hardware, version)?;
        found.retain(|report| report.number > after);
        Ok(show(found, visitor))
    }
}

/// Storing validation reports: the process that holds the registry makes them, from measurements that it has recorded.
pub trait Reporting: Send + Sync {
    /// Stores a validation report under the next number. The same content with the same idempotency key gives the report
    /// that it gave before.
    ///
    /// # Errors
    /// `Invalid`, also where the report does not agree with the version or with the recorded measurements; `NotFound` for
    /// the hardware target or the version; `MissingBlob` for the scatter plot; `Conflict` for a reused key.
    fn create_validation(
        &self,
        hardware: &HardwareName,
        new: &NewValidation,
        idempotency_key: Option<&str>,
    ) -> Result<Validation>;
}
