//! [`Store`]: the operations of the registry.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{
    Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditHead, Change, Dataset, Digest, Event, Exclusion,
    HardwareName, HardwareTarget, Measurement, NewDataset, NewHardware, NewVersion, Result, SetTraffic, Traffic,
    Version,
};

/// Who is told of changes; see [`Store::watch`].
pub type Watcher = Arc<dyn Fn(&Change) + Send + Sync>;

/// The operations of the registry.
///
/// Every operation may be called from any thread and blocks until it is done. An operation that writes returns `Ok`
/// only once the write is durable; a reader may see it a moment earlier. The crate's documentation lists what else an
/// implementation promises. Any operation may fail with [`Error::Io`](crate::Error::Io),
/// [`Error::Storage`](crate::Error::Storage) or [`Error::CorruptRecord`](crate::Error::CorruptRecord); the other
/// errors are named at each.
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
    /// measurement again is a no-op.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target; `Conflict` where another measurement is recorded for the same
    /// hardware, space, digest and round.
    fn record_measurements(&self, measurements: &[Measurement]) -> Result<usize>;

    /// Records one measurement.
    ///
    /// # Errors
    /// Those of [`Store::record_measurements`].
    fn record_measurement(&self, measurement: &Measurement) -> Result<()> {
        self.record_measurements(std::slice::from_ref(measurement)).map(drop)
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

    /// Adds to the number of predictions that were served, and returns the new number.
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

    /// Divides the traffic of a hardware target otherwise, together with an audit entry and an event. Of callers that
    /// race from the same generation exactly one wins.
    ///
    /// # Errors
    /// `Invalid`, also where a version predicts in another space than production's; `NotFound` for the hardware target
    /// or an alias, `production` included; `StaleGeneration`.
    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic>;

    /// How the traffic of a hardware target is divided; of generation 0 where that was never set.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic>;

    /// Adds to what is recorded of how far two versions agree, and returns the whole.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target.
    fn add_agreement(&self, hardware: &HardwareName, seen: &Agreement) -> Result<Agreement>;

    /// How far versions of a hardware target agree, by production's version and the candidate's.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>>;

    /// From now on calls `watcher` with every change that this value makes and logs, once it can be read and before the
    /// call that made it returns, on the thread of that call. Watchers of changes that are made at once are called in
    /// any order: they read the record rather than believe the change. A watcher must not write.
    ///
    /// # Errors
    /// `Invalid` where changes are made elsewhere.
    fn watch(&self, watcher: Watcher) -> Result<()>;

    /// At most `limit` audit entries from sequence `from` on.
    ///
    /// # Errors
    /// The common ones.
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>>;

    /// Reads the whole audit log, checks its chain and returns its end.
    ///
    /// # Errors
    /// `AuditBroken` naming the first entry that does not fit.
    fn verify_audit(&self) -> Result<AuditHead>;

    /// At most `limit` events from sequence `from` on.
    ///
    /// # Errors
    /// The common ones.
    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>>;
}
