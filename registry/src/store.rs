//! [`Store`]: the operations of the registry.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use crate::{
    Alias, AliasMove, AliasName, AuditEntry, AuditHead, AuditQuery, Collected, Dataset, Digest, Event, Exclusion,
    HardwareName, HardwareTarget, Measurement, NewDataset, NewHardware, NewVersion, Result, Verification, Version,
};

/// The operations of the registry.
///
/// Every operation may be called from any thread and blocks until it is done. An operation that writes returns `Ok`
/// only once the write is durable; a reader may see it a moment earlier. The crate's documentation lists what else an
/// implementation promises. Any operation may fail with [`Error::Io`](crate::Error::Io),
/// [`Error::Storage`](crate::Error::Storage) or [`Error::CorruptRecord`](crate::Error::CorruptRecord), and any that
/// writes with [`Error::WritesStopped`](crate::Error::WritesStopped); the other errors are named at each.
pub trait Store: Send + Sync {
    /// Creates a hardware target. Where it exists with the same description it is returned as it is, after taking
    /// over a reference network that it did not have.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` naming the field in which an existing target differs.
    fn put_hardware(&self, new: &NewHardware, actor: &str) -> Result<HardwareTarget>;

    /// A hardware target.
    ///
    /// # Errors
    /// `NotFound`.
    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget>;

    /// Every hardware target, by name.
    ///
    /// # Errors
    /// The common ones.
    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>>;

    /// Records measurements, all or none, and returns how many of them were not recorded before. Recording the same
    /// measurement again is a no-op. The audit log gets one entry for each hardware target and space.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target; `Conflict` where another measurement is recorded for the same
    /// hardware, space, digest and round.
    fn record_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize>;

    /// Records one measurement.
    ///
    /// # Errors
    /// Those of [`Store::record_measurements`].
    fn record_measurement(&self, measurement: &Measurement, actor: &str) -> Result<()> {
        self.record_measurements(std::slice::from_ref(measurement), actor)
            .map(drop)
    }

    /// The measurements of a space on a hardware target, of one round or of all, by round and then by digest.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn measurements(&self, hardware: &HardwareName, space: &str, round: Option<u32>) -> Result<Vec<Measurement>>;

    /// Which architectures have been measured in a round: what a resumed measuring job may skip.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn measured_digests(&self, hardware: &HardwareName, space: &str, round: u32) -> Result<BTreeSet<Digest>>;

    /// Marks measurements as not to be trained on, all or none, and returns how many of them were not marked before.
    /// The measurements stay. Marking one again in the same way is a no-op.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target or a measurement; `Conflict` where a measurement is marked for
    /// another reason.
    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize>;

    /// The exclusions of a space on a hardware target, by round and then by digest.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>>;

    /// Adds to the number of predictions that were served, and returns the new number. It is a count, not a change: the
    /// one write without an audit entry.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn count_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64>;

    /// How many predictions were served for a hardware target.
    ///
    /// # Errors
    /// `NotFound`.
    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64>;

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

    /// Stores a blob. Storing the same bytes again is a no-op.
    ///
    /// # Errors
    /// The common ones.
    fn put_blob(&self, bytes: &[u8]) -> Result<Digest>;

    /// The content of a blob, verified against its digest.
    ///
    /// # Errors
    /// `NotFound`; `CorruptBlob`.
    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>>;

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

    /// Moves an alias, or creates it, together with an audit entry and an event. Of callers that race from the same
    /// generation exactly one wins.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target or the version; `StaleGeneration`.
    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias>;

    /// An alias.
    ///
    /// # Errors
    /// `NotFound`.
    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias>;

    /// The aliases of a hardware target, by name.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>>;

    /// At most `limit` audit entries from sequence `from` on.
    ///
    /// # Errors
    /// The common ones.
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>>;

    /// Reads the whole audit log, checks its chain and that the records are what it tells, and returns its end.
    ///
    /// # Errors
    /// `AuditBroken` naming the first entry that does not fit; `RecordDiffers` naming the first such record;
    /// `WritesStopped`, since half a change may be in memory then.
    fn verify_audit(&self) -> Result<AuditHead>;

    /// At most `limit` events from sequence `from` on.
    ///
    /// # Errors
    /// The common ones.
    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>>;

    /// The audit entries that a query asks for, oldest first.
    ///
    /// # Errors
    /// The common ones.
    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;

    /// Whether the store still takes writes.
    ///
    /// # Errors
    /// `WritesStopped`.
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
