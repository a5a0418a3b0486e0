//! Measurements.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{Visitor, show};
use crate::{Digest, HardwareName, MeasuredSpace, Measurement, Result};

/// What was measured on a hardware target.
pub trait Measurements: Send + Sync {
    /// Records measurements, all or none, and returns how many of them were not recorded before. Recording the same
    /// measurement again is a no-op. The audit log gets one entry for each hardware target and space.
    ///
    /// # Errors
    /// `Invalid`, also for what is an earlier replicate again, and for a space that was defined otherwise when others were measured;
    /// `NotFound` for the hardware target; `Conflict` where another measurement is recorded for the same
    /// hardware, space, digest and replicate.
    fn record_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize>;

    /// Records one measurement.
    ///
    /// # Errors
    /// Those of [`Measurements::record_measurements`].
    fn record_measurement(&self, measurement: &Measurement, actor: &str) -> Result<()> {
        self.record_measurements(std::slice::from_ref(measurement), actor)
            .map(drop)
    }

    /// The measurements of a space on a hardware target, of one replicate or of all, by replicate and then by digest.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn measurements(&self, hardware: &HardwareName, space: &str, replicate: Option<u32>) -> Result<Vec<Measurement>>;

    /// As [`Measurements::measurements`], each without its samples, which are most of it: for whoever wants labels.
    ///
    /// # Errors
    /// Those of [`Measurements::measurements`].
    fn measurements_without_samples(
        &self,
        hardware: &HardwareName,
        space: &str,
        replicate: Option<u32>,
    ) -> Result<Vec<Measurement>> {
        let mut found = Vec::new();
        let _ = self.visit_measurements(hardware, space, replicate, None, &mut |mut measurement| {
            measurement.samples = Vec::new();
            found.push(measurement);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Shows the measurements of a space one at a time, in the order of [`Measurements::measurements`], those after the one of a
    /// replicate and digest, if they are named. `Break` where the visitor had seen enough: there may be more.
    ///
    /// # Errors
    /// Those of [`Measurements::measurements`].
    fn visit_measurements(
        &self,
        hardware: &HardwareName,
        space: &str,
        replicate: Option<u32>,
        after: Option<&(u32, Digest)>,
        visitor: Visitor<'_, Measurement>,
    ) -> Result<ControlFlow<()>> {
        let mut found = self.measurements(hardware, space, replicate)?;
        found.retain(|m| after.is_none_or(|(replicate, digest)| (m.replicate, &m.digest) > (*replicate, digest)));
        Ok(show(found, visitor))
    }

    /// The spaces of which a hardware target has measurements.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>>;

    /// Which architectures have been measured in a replicate: what a resumed measuring job may skip.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn measured_digests(&self, hardware: &HardwareName, space: &str, replicate: u32) -> Result<BTreeSet<Digest>>;
}
