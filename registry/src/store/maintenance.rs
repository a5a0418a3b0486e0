//! Maintenance.

use std::io::Write;
use std::time::Duration;

use crate::{Collected, HardwareName, HardwareTarget, Intervention, Result, Verification};

/// What somebody does who looks after a registry.
pub trait Maintenance: Send + Sync {
    /// Deletes a hardware target with all that belongs to it: measurements, datasets, versions, aliases, reports, counts. Its
    /// name is free again. The audit log and the events keep what they told, jobs that have ended stay, and blobs that nothing
    /// else names go with [`Maintenance::collect_blobs`].
    ///
    /// # Errors
    /// `Invalid`; `NotFound`; `InUse` where a job for it has not ended, and, unless forced, where it has a version in production
    /// or a worker that has not signed off.
    fn delete_hardware(&self, hardware: &HardwareName, how: &Intervention) -> Result<()>;

    /// Gives a hardware target another name, which all that belongs to it takes over. Jobs that have ended, the audit log,
    /// tokens and webhooks keep the name that it had.
    ///
    /// # Errors
    /// `Invalid`, also for its own name, and where it has too many measurements; `NotFound`; `Conflict` where there is a target of the new name; `InUse` as for
    /// [`Maintenance::delete_hardware`].
    fn rename_hardware(&self, hardware: &HardwareName, to: &HardwareName, how: &Intervention)
    -> Result<HardwareTarget>;

    /// Deletes the measurements of a space on a hardware target, with their exclusions and the definition that they belong to,
    /// and returns how many there were. Versions and frozen datasets stay.
    ///
    /// # Errors
    /// `Invalid`, also where there are none; `NotFound` for the hardware target; `InUse` as for
    /// [`Maintenance::delete_hardware`].
    fn delete_measurements(&self, hardware: &HardwareName, space: &str, how: &Intervention) -> Result<usize>;

    /// Whether the store takes writes at this moment.
    ///
    /// # Errors
    /// `WritesStopped`; `DiskFull`.
    fn check_writable(&self) -> Result<()>;

    /// Writes a backup of the whole registry as it is at one moment, to be read by
    /// [`SledStore::restore`](crate::SledStore::restore) and [`check_backup`](crate::check_backup). Writers wait only while
    /// the records are copied.
    ///
    /// # Errors
    /// `CorruptRecord`, `CorruptBlob` and `NotFound` for what is damaged or missing in the registry; `WritesStopped`. What
    /// was written of the backup is worthless after an error.
    fn backup(&self, out: &mut dyn Write) -> Result<()>;

    /// Checks everything: that records read back, that every blob is what it was and every blob named is there, that
    /// aliases point at versions, that the audit chain holds and that the records are what it tells. What is wrong is
    /// a finding, not an error. `progress` is told how many bytes of how many were hashed.
    ///
    /// # Errors
    /// `WritesStopped`; the common ones, where checking cannot go on.
    fn verify(&self, progress: &dyn Fn(u64, u64)) -> Result<Verification>;

    /// Removes the blobs that nothing names and that nobody has put for the time `keep`, and returns what it removed;
    /// `dry_run` only tells. Whoever puts blobs and then what names them must be done within that time.
    ///
    /// # Errors
    /// `Invalid` for an empty actor; `WritesStopped`.
    fn collect_blobs(&self, keep: Duration, dry_run: bool, actor: &str) -> Result<Collected>;
}
