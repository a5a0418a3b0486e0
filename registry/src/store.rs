//! [`Store`]: the operations of the registry.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::Value;

use crate::{
    Admission, Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditHead, AuditQuery, Change, CreatedWebhook,
    Credential, Dataset, Delivery, Digest, Event, Exclusion, Forecast, Gate, GateChange, HardwareName, HardwareTarget,
    Job, JobFilter, JobOutcome, LeaseRequest, MeasuredSpace, Measurement, NewDataset, NewHardware, NewJob, NewToken,
    NewValidation, NewVersion, NewWebhook, Progress, Quota, Result, Rollback, SetTraffic, Token, TokenId, Traffic,
    Validation, Version, Webhook, WebhookId,
};
use crate::{Maintenance, Workers};

/// Who is told of changes; see [`Store::watch`].
pub type Watcher = Arc<dyn Fn(&Change) + Send + Sync>;

/// Who is shown records one at a time, and says when it has seen enough.
pub type Visitor<'a, T> = &'a mut dyn FnMut(T) -> ControlFlow<()>;

/// Shows records until the visitor has seen enough; a [`Store`] that holds them all at once need not do better.
fn show<T>(records: impl IntoIterator<Item = T>, visitor: Visitor<'_, T>) -> ControlFlow<()> {
    records.into_iter().try_for_each(visitor)
}

/// What idempotency keys begin with that a program gives itself: their answers are kept for good. All others are kept for
/// seven days.
pub const LASTING_KEY: &str = "lglp:";

/// The operations of the registry.
///
/// Every operation may be called from any thread and blocks until it is done. An operation that writes returns `Ok`
/// only once the write is durable; a reader may see it a moment earlier. The crate's documentation lists what else an
/// implementation promises. Any operation may fail with [`Error::Io`](crate::Error::Io),
/// [`Error::Storage`](crate::Error::Storage) or [`Error::CorruptRecord`](crate::Error::CorruptRecord), and any that
/// writes with [`Error::WritesStopped`](crate::Error::WritesStopped), [`Error::DiskFull`](crate::Error::DiskFull) or
/// [`Error::Busy`](crate::Error::Busy); the other errors are named at each.
pub trait Store: Workers + Maintenance {
    /// Creates a hardware target, where the author may create another one. Where it exists with the same description it is
    /// returned as it is, after taking over a reference network that it did not have.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` naming the field in which an existing target differs; `QuotaReached`.
    fn put_hardware_within(&self, quota: Quota, new: &NewHardware, actor: &str) -> Result<HardwareTarget>;

    /// Creates a hardware target, however many its author has created.
    ///
    /// # Errors
    /// Those of [`Store::put_hardware_within`], but for `QuotaReached`.
    fn put_hardware(&self, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        self.put_hardware_within(Quota::NONE, new, actor)
    }

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
    /// `Invalid`, also for what is an earlier round again, and for a space that was defined otherwise when others were measured;
    /// `NotFound` for the hardware target; `Conflict` where another measurement is recorded for the same
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

    /// As [`Store::measurements`], each without its samples, which are most of it: for whoever wants labels.
    ///
    /// # Errors
    /// Those of [`Store::measurements`].
    fn measurements_without_samples(
        &self,
        hardware: &HardwareName,
        space: &str,
        round: Option<u32>,
    ) -> Result<Vec<Measurement>> {
        let mut found = Vec::new();
        let _ = self.visit_measurements(hardware, space, round, None, &mut |mut measurement| {
            measurement.samples = Vec::new();
            found.push(measurement);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Shows the measurements of a space one at a time, in the order of [`Store::measurements`], those after the one of a
    /// round and digest, if they are named. `Break` where the visitor had seen enough: there may be more.
    ///
    /// # Errors
    /// Those of [`Store::measurements`].
    fn visit_measurements(
        &self,
        hardware: &HardwareName,
        space: &str,
        round: Option<u32>,
        after: Option<&(u32, Digest)>,
        visitor: Visitor<'_, Measurement>,
    ) -> Result<ControlFlow<()>> {
        let mut found = self.measurements(hardware, space, round)?;
        found.retain(|m| after.is_none_or(|(round, digest)| (m.round, &m.digest) > (*round, digest)));
        Ok(show(found, visitor))
    }

    /// The spaces of which a hardware target has measurements.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>>;

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

    /// Adds to the number of predictions that were served, and returns the new number. It is a count, not a
    /// change, and has no audit entry.
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

    /// The size of a blob, bytes. Where that is known without reading it, its content is not looked at.
    ///
    /// # Errors
    /// `NotFound`.
    fn blob_size(&self, digest: &Digest) -> Result<u64> {
        self.get_blob(digest).map(|content| content.len() as u64)
    }

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
    /// Those of [`Store::versions`].
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

    /// Moves an alias, or creates it, together with an audit entry and an event. Of callers that race from the same
    /// generation exactly one wins. `production` moves only where the hardware's gate, if there is one, lets the version
    /// pass, or by force.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target or the version; `StaleGeneration`; `GateRefused`; `Conflict` where the
    /// idempotency key was used for another move.
    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias>;

    /// What [`Store::move_alias`] would do now. A gate that refuses is no error here.
    ///
    /// # Errors
    /// Those of `move_alias`, without `GateRefused`.
    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast>;

    /// Moves an alias back to the version it pointed at before; doing it again goes back further. No gate is asked: what
    /// is gone back to has been in use.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the alias; `StaleGeneration`; `NoPrevious`; `Conflict` as for `move_alias`.
    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias>;

    /// Sets the rules of a hardware target's gate.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target; `StaleGeneration`.
    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate>;

    /// The gate of a hardware target, where it has one.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>>;

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
    /// Those of [`Store::validations`].
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

    /// Puts a job into the queue. The same job with the same idempotency key gives the job that it gave before.
    ///
    /// # Errors
    /// `Invalid`; `QueueFull` and `ShareTaken` as the admission says; `JobEnded` where its parent has ended, or is to;
    /// `Conflict` where the key was used for another job.
    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, admission: Admission) -> Result<Job>;

    /// A job.
    ///
    /// # Errors
    /// `NotFound`.
    fn job(&self, id: u64) -> Result<Job>;

    /// At most `limit` jobs, newest first.
    ///
    /// # Errors
    /// The common ones.
    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>>;

    /// Shows jobs one at a time, newest first, until the visitor has seen enough.
    ///
    /// # Errors
    /// The common ones.
    fn visit_jobs(&self, filter: &JobFilter, visitor: Visitor<'_, Job>) -> Result<ControlFlow<()>> {
        Ok(show(self.jobs(filter, usize::MAX)?, visitor))
    }

    /// Ends a queued job, or asks whoever works on it to end it. Asking again changes nothing.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`; `JobEnded`.
    fn cancel_job(&self, id: u64, actor: &str) -> Result<Job>;

    /// Takes the next queued job that the caller can do, if there is one. Creators take turns, a job each, whoever comes new
    /// in the running round; of one creator the oldest job is next, and what was begun before goes first. On one device at
    /// most one job that measures is running, and at most one that does not.
    ///
    /// # Errors
    /// `Invalid`.
    fn lease_job(&self, request: &LeaseRequest) -> Result<Option<Job>>;

    /// Renews a lease, and tells how far the work is. The job that is returned says whether it is to be cancelled.
    ///
    /// The one operation that may be lost to a kill: the lease then ends earlier, which is safe.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    fn heartbeat_job(&self, id: u64, fencing: u64, progress: Option<&Progress>) -> Result<Job>;

    /// Keeps what a job needs to go on where it is, in the place of what was kept before.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    fn checkpoint_job(&self, id: u64, fencing: u64, checkpoint: &Value) -> Result<Job>;

    /// Ends a job.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    fn finish_job(&self, id: u64, fencing: u64, outcome: &JobOutcome) -> Result<Job>;

    /// Gives a job back unfinished: it is queued again, or cancelled where that was asked for.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    fn release_job(&self, id: u64, fencing: u64) -> Result<Job>;

    /// Queues again what a process that went away was working on: jobs whose lease has run out, and those of `gone`, a
    /// holder that is known to be gone. Jobs that were to be cancelled are; those that were lost too often fail. Returns
    /// all of them.
    ///
    /// # Errors
    /// The common ones.
    fn requeue_jobs(&self, gone: Option<&str>) -> Result<Vec<Job>>;

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

    /// At most `limit` audit entries from sequence `from` on; fewer, but at least one, where they are large.
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

    /// At most `limit` events from sequence `from` on; fewer, but at least one, where they are large.
    ///
    /// # Errors
    /// The common ones.
    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>>;

    /// Creates a webhook, with a secret drawn for it. It is sent events from then on, none of before. The same content
    /// with the same idempotency key gives the webhook and the secret that it gave before, so that a creator whose
    /// answer got lost learns the secret.
    ///
    /// # Errors
    /// `Invalid`, also where there are too many webhooks; `NotFound` for a hardware target, and for a webhook that this
    /// key created and that is deleted since; `Conflict` where there is one of that name, or the key was used with other
    /// content.
    fn create_webhook(&self, new: &NewWebhook, actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook>;

    /// A webhook.
    ///
    /// # Errors
    /// `NotFound`.
    fn webhook(&self, id: &WebhookId) -> Result<Webhook>;

    /// Every webhook, by name.
    ///
    /// # Errors
    /// The common ones.
    fn webhooks(&self) -> Result<Vec<Webhook>>;

    /// Deletes a webhook, its secret, and how far its events were delivered.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`.
    fn delete_webhook(&self, id: &WebhookId, actor: &str) -> Result<()>;

    /// What the deliveries of a webhook are signed with: for the process that delivers.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where the store does not tell secrets.
    fn webhook_secret(&self, id: &WebhookId) -> Result<String>;

    /// How far the events have been delivered to a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    fn delivery(&self, id: &WebhookId) -> Result<Delivery>;

    /// Records how far the events have been delivered: for the process that delivers. Neither audited nor an event.
    ///
    /// # Errors
    /// `NotFound` where the webhook was deleted, even if there is another one of its name since; `Invalid` where it would
    /// deliver again what is delivered, or the store delivers itself.
    fn put_delivery(&self, webhook: &Webhook, delivery: &Delivery) -> Result<()>;
    /// Creates a token. `secret` is the SHA-256 of its secret, which the registry never sees. Whoever lost the secret
    /// revokes the token and creates another.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` where the id is taken, or the name by a token that is not revoked.
    fn create_token(&self, new: &NewToken, secret: &Digest, actor: &str) -> Result<Token>;

    /// Every token, revoked ones included, the latest last.
    ///
    /// # Errors
    /// The common ones.
    fn tokens(&self) -> Result<Vec<Token>>;

    /// What the holder of a token is recognised by.
    ///
    /// # Errors
    /// `NotFound`.
    fn credential(&self, id: &TokenId) -> Result<Credential>;

    /// Revokes a token for good. Revoking it again changes nothing.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`.
    fn revoke_token(&self, id: &TokenId, actor: &str, reason: &str) -> Result<Token>;

    /// The audit entries that a query asks for, oldest first; fewer, but at least one, where they are large.
    ///
    /// # Errors
    /// The common ones.
    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;
}
