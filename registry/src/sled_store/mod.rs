//! [`SledStore`]: the registry in one folder, with sled for the records and files for the blobs.
//!
//! How it stays durable: every change is one sled batch, written under one writer lock, flushed and synced before the
//! call returns (`changes.rs`). sled's own `flush` is not enough on Linux: it uses `sync_file_range`, which leaves
//! the drive's cache and the file's size alone, so the database file is synced once more.

mod agreement;
mod aliases;
mod audit;
mod backup;
mod changes;
mod datasets;
mod exclusions;
mod format;
mod gates;
mod hardware;
mod idempotency;
mod interventions;
mod jobs;
mod keys;
mod leftovers;
mod lock;
mod maintenance;
mod measurements;
mod queue;
mod reading;
mod records;
mod restore;
mod tokens;
mod traffic;
mod turns;
mod usage;
mod validations;
mod versions;
mod watchers;
mod webhooks;
mod workers;

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use self::changes::{Changes, decode, decode_json};
pub use self::format::is_registry;
use self::lock::FolderLock;
pub use self::lock::{HolderInfo, holder};
use self::queue::{Queue, Turn};
use self::reading::{entries, page, visit};
use self::watchers::Watchers;
use crate::names;
use crate::storage::blobs::Blobs;
use crate::storage::disk::{Disk, RealDisk};
use crate::storage::durable::{Durable, storage};
use crate::storage::files::failed;
use crate::{Admission, Credential, NewToken, Quota, Token, TokenId};
use crate::{
    Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditHead, AuditQuery, CreatedWebhook, Dataset, Delivery,
    Digest, Error, Event, Exclusion, Forecast, Gate, GateChange, HardwareName, HardwareTarget, Job, JobFilter,
    JobOutcome, LeaseRequest, MeasuredSpace, Measurement, NewDataset, NewHardware, NewJob, NewValidation, NewVersion,
    NewWebhook, Progress, Result, Rollback, SetTraffic, Store, Traffic, Validation, Version, Visitor, Watcher, Webhook,
    WebhookId,
};

/// Memory that sled may use to cache records, in bytes. Its default is a gigabyte.
const CACHE_BYTES: u64 = 64 << 20;

/// A registry in one folder, open in this process alone.
#[derive(Debug)]
pub struct SledStore {
    // Fields are dropped in this order: the lock goes last.
    db: sled::Db,
    file: Arc<File>,
    blobs: Blobs,
    durable: Arc<Durable>,
    writers: Queue,
    watchers: Watchers,
    _lock: FolderLock,
}

impl SledStore {
    /// Opens the registry in `dir`, or creates it where `dir` is missing or empty, and tells other processes that
    /// this one holds it. Dropping the store closes the registry.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process has it open; [`Error::NotARegistry`] and [`Error::NewerFormat`] where
    /// the folder must not be touched; [`Error::Io`] and [`Error::Storage`].
    pub fn open(dir: impl AsRef<Path>, info: HolderInfo) -> Result<Self> {
        Self::open_on(dir, info, Arc::new(RealDisk))
    }

    /// Opens the registry in `dir` with all writing going through `disk`.
    ///
    /// # Errors
    /// Those of [`SledStore::open`].
    pub fn open_on(dir: impl AsRef<Path>, info: HolderInfo, disk: Arc<dyn Disk>) -> Result<Self> {
        let dir = dir.as_ref();
        format::prepare(dir)?;
        let durable = Arc::new(Durable::new(dir, disk)?);
        let lock = FolderLock::take(dir, info, &durable)?;
        format::settle(dir, &durable, || Blobs::create(&dir.join("blobs"), &durable))?;
        let store = Self::assemble(dir, lock, durable)?;
        store.log_earlier()?;
        Ok(store)
    }

    /// Opens the parts of a folder that is locked.
    fn assemble(dir: &Path, lock: FolderLock, durable: Arc<Durable>) -> Result<Self> {
        let blobs = Blobs::open(dir.join("blobs"), durable.clone())?;
        let path = dir.join("db");
        if lock.disorder {
            durable.forget(&path)?;
        }
        leftovers::remove(&path)?;
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = config.open().map_err(storage("open the database"))?;
        let path = path.join("db");
        // Space is held behind its end, which is a kind of writing.
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        Ok(Self {
            db,
            file: Arc::new(file),
            blobs,
            durable,
            writers: Queue::default(),
            watchers: Watchers::default(),
            _lock: lock,
        })
    }

    /// Runs `work`, and commits the changes it collected, durably and at once. Writers take turns.
    fn write<T>(&self, work: impl FnOnce(&mut Changes) -> Result<T>) -> Result<T> {
        let turn = self.settled_turn()?;
        let mut changes = Changes::new(&self.db);
        let output = work(&mut changes)?;
        let logged = changes.logged().to_vec();
        let committed = self.commit(changes);
        drop(turn);
        // Also after a failure: where flushing failed, readers see the change all the same. Where the disk is full nothing happened.
        if !matches!(committed, Err(Error::DiskFull { .. })) {
            logged.iter().for_each(|change| self.watchers.tell(change));
        }
        committed.map(|()| output)
    }

    /// As [`Self::write`], but durable only with the next write: for what may be lost.
    fn write_lazily<T>(&self, work: impl FnOnce(&mut Changes) -> Result<T>) -> Result<T> {
        let _turn = self.settled_turn()?;
        let mut changes = Changes::new(&self.db);
        let output = work(&mut changes)?;
        if let Some(batch) = changes.into_batch() {
            self.durable.apply(&self.db, &self.file, batch)?;
        }
        Ok(output)
    }

    /// Waits for the writer's turn. Fails where too many wait already, and where the writing has stopped: memory may hold
    /// half a change then.
    fn settled_turn(&self) -> Result<Turn<'_>> {
        let turn = self.writers.turn()?;
        self.durable.check()?;
        Ok(turn)
    }

    /// Commits changes within a turn.
    fn commit(&self, changes: Changes) -> Result<()> {
        self.durable.commit(&self.db, &self.file, changes.into_batch())
    }
}

impl Store for SledStore {
    fn put_hardware_within(&self, quota: Quota, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        self.write_hardware(quota, new, actor)
    }

    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget> {
        self.find(&keys::hardware(name))?
            .ok_or_else(|| Error::not_found("hardware target", name))
    }

    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>> {
        self.list(keys::HARDWARE)
    }

    fn record_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize> {
        self.write_measurements(measurements, actor)
    }

    fn measurements(&self, hardware: &HardwareName, space: &str, round: Option<u32>) -> Result<Vec<Measurement>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        self.list(&keys::measurements(hardware, space, round))
    }

    fn visit_measurements(
        &self,
        hardware: &HardwareName,
        space: &str,
        round: Option<u32>,
        after: Option<&(u32, Digest)>,
        visitor: Visitor<'_, Measurement>,
    ) -> Result<ControlFlow<()>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        let after = after.map(|(round, digest)| keys::measurement(hardware, space, *round, digest));
        let found = self.scan_after(&keys::measurements(hardware, space, round), after);
        visit(found, |key, bytes| decode(&key, &bytes), visitor)
    }

    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>> {
        self.hardware(hardware)?;
        self.list_measured_spaces(hardware)
    }

    fn measured_digests(&self, hardware: &HardwareName, space: &str, round: u32) -> Result<BTreeSet<Digest>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        self.list_measured(hardware, space, round)
    }

    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize> {
        self.write_exclusions(hardware, exclusions, actor)
    }

    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        self.list(&keys::exclusions(hardware, space))
    }

    fn count_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64> {
        self.add_predictions(hardware, count)
    }

    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64> {
        self.hardware(hardware)?;
        Ok(self.find(&keys::predictions(hardware))?.unwrap_or(0))
    }

    fn freeze_dataset(&self, hardware: &HardwareName, new: &NewDataset, content: &[u8]) -> Result<Dataset> {
        self.write_dataset(hardware, new, content)
    }

    fn dataset(&self, hardware: &HardwareName, digest: &Digest) -> Result<Dataset> {
        self.find(&keys::dataset(hardware, digest))?
            .ok_or_else(|| Error::not_found("dataset", digest))
    }

    fn datasets(&self, hardware: &HardwareName) -> Result<Vec<Dataset>> {
        self.hardware(hardware)?;
        self.list(&keys::datasets(hardware))
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        self.blobs.put(bytes)
    }

    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.blobs.get(digest)
    }

    fn blob_size(&self, digest: &Digest) -> Result<u64> {
        self.blobs.size(digest).ok_or_else(|| Error::not_found("blob", digest))
    }

    fn create_version(
        &self,
        hardware: &HardwareName,
        new: &NewVersion,
        idempotency_key: Option<&str>,
    ) -> Result<Version> {
        self.write_version(hardware, new, idempotency_key)
    }

    fn version(&self, hardware: &HardwareName, version: u32) -> Result<Version> {
        self.read_version(hardware, version)
    }

    fn versions(&self, hardware: &HardwareName) -> Result<Vec<Version>> {
        self.hardware(hardware)?;
        self.read_versions(hardware)
    }

    fn visit_versions(
        &self,
        hardware: &HardwareName,
        after: u32,
        visitor: Visitor<'_, Version>,
    ) -> Result<ControlFlow<()>> {
        self.hardware(hardware)?;
        let found = self.scan_after(&keys::versions(hardware), Some(keys::version(hardware, after)));
        visit(found, |key, bytes| self.decode_version(hardware, &key, &bytes), visitor)
    }

    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias> {
        self.write_alias(hardware, request)
    }

    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast> {
        self.judge_move(hardware, request)
    }

    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias> {
        self.write_rollback(hardware, request)
    }

    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        self.write_gate(hardware, change)
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        self.hardware(hardware)?;
        self.find(&keys::gate(hardware))
    }

    fn create_validation(
        &self,
        hardware: &HardwareName,
        new: &NewValidation,
        idempotency_key: Option<&str>,
    ) -> Result<Validation> {
        self.write_validation(hardware, new, idempotency_key)
    }

    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        self.read_validation(hardware, number)
    }

    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        self.hardware(hardware)?;
        self.read_validations(hardware, version)
    }

    fn visit_validations(
        &self,
        hardware: &HardwareName,
        version: Option<u32>,
        after: u32,
        visitor: Visitor<'_, Validation>,
    ) -> Result<ControlFlow<()>> {
        self.hardware(hardware)?;
        self.show_validations(hardware, version, after, visitor)
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        self.find(&keys::alias(hardware, name))?
            .ok_or_else(|| Error::not_found("alias", name))
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        self.hardware(hardware)?;
        self.list(&keys::aliases(hardware))
    }

    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, admission: Admission) -> Result<Job> {
        self.write_job(new, idempotency_key, admission)
    }

    fn job(&self, id: u64) -> Result<Job> {
        self.find(&keys::job(id))?.ok_or_else(|| Error::not_found("job", id))
    }

    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        self.list_jobs(filter, limit)
    }

    fn visit_jobs(&self, filter: &JobFilter, visitor: Visitor<'_, Job>) -> Result<ControlFlow<()>> {
        self.show_jobs(filter, visitor)
    }

    fn cancel_job(&self, id: u64, actor: &str) -> Result<Job> {
        self.write_cancel(id, actor)
    }

    fn lease_job(&self, request: &LeaseRequest) -> Result<Option<Job>> {
        self.write_lease(request)
    }

    fn heartbeat_job(&self, id: u64, fencing: u64, progress: Option<&Progress>) -> Result<Job> {
        self.write_heartbeat(id, fencing, progress)
    }

    fn checkpoint_job(&self, id: u64, fencing: u64, checkpoint: &Value) -> Result<Job> {
        self.write_checkpoint(id, fencing, checkpoint)
    }

    fn finish_job(&self, id: u64, fencing: u64, outcome: &JobOutcome) -> Result<Job> {
        self.write_outcome(id, fencing, outcome)
    }

    fn release_job(&self, id: u64, fencing: u64) -> Result<Job> {
        self.write_release(id, fencing)
    }

    fn requeue_jobs(&self, gone: Option<&str>) -> Result<Vec<Job>> {
        self.write_requeued(gone)
    }

    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        self.write_traffic(hardware, request)
    }

    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        self.hardware(hardware)?;
        Ok(self.find(&keys::traffic(hardware))?.unwrap_or_default())
    }

    fn add_agreement(&self, hardware: &HardwareName, seen: &Agreement) -> Result<Agreement> {
        self.merge_agreement(hardware, seen)
    }

    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        self.hardware(hardware)?;
        self.list(&keys::agreements(hardware))
    }

    fn watch(&self, watcher: Watcher) -> Result<()> {
        self.watchers.add(watcher);
        Ok(())
    }

    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.list_sequence(keys::audit, from, limit)
    }

    fn verify_audit(&self) -> Result<AuditHead> {
        self.check_audit()
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        self.list_sequence(keys::event, from, limit)
    }

    fn create_webhook(&self, new: &NewWebhook, actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook> {
        self.write_webhook(new, actor, idempotency_key)
    }

    fn webhook(&self, id: &WebhookId) -> Result<Webhook> {
        self.find(&keys::webhook(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }

    fn webhooks(&self) -> Result<Vec<Webhook>> {
        self.list(keys::WEBHOOK)
    }

    fn delete_webhook(&self, id: &WebhookId, actor: &str) -> Result<()> {
        self.remove_webhook(id, actor)
    }

    fn webhook_secret(&self, id: &WebhookId) -> Result<String> {
        self.find(&keys::webhook_secret(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }

    fn delivery(&self, id: &WebhookId) -> Result<Delivery> {
        self.find(&keys::webhook_delivery(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }

    fn put_delivery(&self, webhook: &Webhook, delivery: &Delivery) -> Result<()> {
        self.write_delivery(webhook, delivery)
    }

    fn create_token(&self, new: &NewToken, secret: &Digest, actor: &str) -> Result<Token> {
        self.write_token(new, secret, actor)
    }

    fn tokens(&self) -> Result<Vec<Token>> {
        self.list_tokens()
    }

    fn credential(&self, id: &TokenId) -> Result<Credential> {
        self.find(&keys::token(id))?
            .ok_or_else(|| Error::not_found("token", id))
    }

    fn revoke_token(&self, id: &TokenId, actor: &str, reason: &str) -> Result<Token> {
        self.write_revocation(id, actor, reason)
    }

    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        self.read_audit(query)
    }
}
