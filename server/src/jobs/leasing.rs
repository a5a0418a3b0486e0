//! Workers: what they register as, which jobs they get, how those of one hardware target share a long one, and what becomes of what they
//! tell.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use lglp_engine::measure::{LeftOutNetwork, Protocol, Repeatability, Summary, reference_space};
use lglp_engine::networks::rules_of;
use lglp_openapi::jobs::{Job as WireJob, MeasureParameters};
use lglp_openapi::workers::{Batch, LeftOut, Work};
use lglp_registry::{
    Accepted, Admission, Error, HardwareTarget, Job, JobKind, JobOutcome, JobState, Lease, LeaseHolder, LeaseRequest,
    Measurement, NewHardware, NewJob, NewWorker, ONNX, Progress, Quota, ReferenceNetwork, Result, Store, Worker,
    WorkerName,
};
use lglp_sdk::SearchSpace;
use serde_json::{Value, json};

use super::labels::names_in_plan;
use super::left::{Checkpoint, kept, left, planned};
use super::measure::space_of;
use super::networks::as_stored;
use super::queue::Queue;
use super::task::parse;
use super::{JobError, Services};

/// How long a worker's lease holds without a heartbeat, seconds.
pub(crate) const WORKER_LEASE_S: u32 = 30;

/// Architectures of a job that a worker has in hand at most: these stay with it when the job is shared.
pub(crate) const IN_HAND: usize = 128;

/// Architectures beyond these that are worth a job of their own.
const LEAST_SHARE: usize = 32;

/// Architectures that go with a lease.
const FIRST_BATCH: usize = 32;

/// The side of the queue that workers on other machines see.
pub struct Leasing {
    queue: Arc<Queue>,
    /// Held while a job is shared.
    sharing: Mutex<()>,
}

impl Leasing {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            sharing: Mutex::new(()),
        }
    }

    fn services(&self) -> &Services {
        self.queue.services()
    }

    fn store(&self) -> &dyn Store {
        self.queue.store()
    }

    /// Registers a worker, and with it the target that it brings along, where there is none of that name; what a process of the
    /// same name before it had leased is queued again.
    ///
    /// # Errors
    /// Those of `register_worker`.
    pub fn register(&self, new: &NewWorker, target: Option<&NewHardware>, quota: Quota, actor: &str) -> Result<Worker> {
        let store = self.store();
        let before = match store.worker(&new.name) {
            Ok(before) => Some(before),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let worker = store.register_worker(new, target, quota, actor)?;
        if let Some(before) = before.filter(|before| before.instance != new.instance) {
            self.queue.requeue(Some(&before.holder()));
        }
        Ok(worker)
    }

    /// Lets a worker go; whatever it had leased is queued again.
    ///
    /// # Errors
    /// Those of `sign_off_worker`.
    pub fn sign_off(&self, name: &WorkerName, instance: &str) -> Result<Worker> {
        let worker = self.store().sign_off_worker(name, instance)?;
        self.queue.requeue(Some(&worker.holder()));
        self.queue.notify();
        Ok(worker)
    }

    /// Takes back what a worker that asks for work still holds: the answer that leased it was lost.
    ///
    /// # Errors
    /// The common ones.
    pub(crate) fn take_back(&self, worker: &Worker) -> Result<()> {
        let holder = worker.holder();
        for job in self.queue.jobs_of(&worker.hardware, JobState::Running)? {
            if job.lease.as_ref().is_some_and(|lease| lease.holder == holder) {
                match self.release(job.id, job.attempts) {
                    Ok(_) | Err(Error::StaleLease { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Leases the next measuring job of its hardware target to a worker, if there is one.
    ///
    /// # Errors
    /// The common ones; a job that cannot be begun fails, and the next one is tried.
    pub(crate) fn lease_to(&self, worker: &Worker) -> Result<Option<Work>> {
        if worker.difference.is_some() {
            return Ok(None);
        }
        let request = LeaseRequest {
            holder: worker.holder(),
            device: worker.name.to_string(),
            kinds: BTreeSet::from([JobKind::Measure]),
            hardware: Some(BTreeSet::from([worker.hardware.clone()])),
            seconds: WORKER_LEASE_S,
        };
        self.requeue_overdue(worker)?;
        // Looking costs nothing; leasing, also in vain, syncs the disk.
        while self.is_queued(worker)? {
            let Some(job) = self.store().lease_job(&request)? else {
                break;
            };
            let (id, fencing) = (job.id, job.attempts);
            match self.work(job) {
                Ok(work) => {
                    self.told(&work.0);
                    tracing::info!(job = id, worker = %worker.name, "leased");
                    return Ok(Some(work.1));
                }
                Err(JobError::Registry(
                    error @ (Error::Io { .. }
                    | Error::Storage { .. }
                    | Error::WritesStopped { .. }
                    | Error::DiskFull { .. }
                    | Error::Busy { .. }),
                )) => {
                    return Err(error);
                }
                // Planning took longer than the lease: the next round takes it up again.
                Err(JobError::Registry(Error::StaleLease { .. })) => {}
                Err(error) => {
                    let failed = JobOutcome::failed(error.to_string());
                    match self.store().finish_job(id, fencing, &failed) {
                        Ok(job) => self.ended(job),
                        Err(Error::StaleLease { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(None)
    }

    /// Queues again what a process that went away had of a worker's target.
    fn requeue_overdue(&self, worker: &Worker) -> Result<()> {
        let is_overdue = |job: &Job| job.lease.as_ref().is_some_and(|lease| lease.is_over());
        if self
            .queue
            .jobs_of(&worker.hardware, JobState::Running)?
            .iter()
            .any(is_overdue)
        {
            self.queue.requeue(None);
        }
        Ok(())
    }

    fn is_queued(&self, worker: &Worker) -> Result<bool> {
        let queued = self.queue.jobs_of(&worker.hardware, JobState::Queued)?;
        Ok(queued.iter().any(|job| job.kind == JobKind::Measure))
    }

    /// As [`Self::lease_to`], or else a part of a long job that another worker has.
    ///
    /// # Errors
    /// Those of `lease_to`.
    pub(crate) fn lease_or_share(&self, worker: &Worker) -> Result<Option<Work>, JobError> {
        if let Some(work) = self.lease_to(worker)? {
            return Ok(Some(work));
        }
        if worker.difference.is_none() && self.share(worker)? {
            return Ok(self.lease_to(worker)?);
        }
        Ok(None)
    }

    /// Makes a job of the second half of what is left of one that another worker has, for a worker without work: two machines
    /// of a target share a long job. What the other one may have in hand already stays with it.
    fn share(&self, worker: &Worker) -> Result<bool, JobError> {
        // Two at once would share the same half.
        let _turn = self.sharing.lock().unwrap_or_else(PoisonError::into_inner);
        for job in self
            .queue
            .jobs_of(&worker.hardware, JobState::Running)?
            .into_iter()
            .rev()
        {
            let by_another =
                |lease: &Lease| matches!(&lease.holder, LeaseHolder::Worker { name, .. } if *name != worker.name);
            if job.kind != JobKind::Measure
                || !job.lease.as_ref().is_some_and(by_another)
                || job.checkpoint.is_null()
                || job.cancel_requested
            {
                continue;
            }
            let parameters: MeasureParameters = parse(job.parameters.clone())?;
            let left = match left(&self.queue, &job, &parameters) {
                Ok(left) => left,
                Err(error) => {
                    tracing::error!(job = job.id, "cannot be shared: {error}");
                    continue;
                }
            };
            let mut own: Vec<usize> = left.own().collect();
            let Some(spare) = own.len().checked_sub(IN_HAND).filter(|spare| *spare >= LEAST_SHARE) else {
                continue;
            };
            let part = left.part(&own.split_off(own.len() - spare.div_ceil(2)));
            let plan = self.services().plans.keep(self.store(), &part)?;
            let parameters = MeasureParameters {
                plan: Some(plan.to_string()),
                count: 0,
                weighted: 0,
                ..parameters
            };
            let new = NewJob {
                kind: JobKind::Measure,
                hardware: job.hardware,
                parameters: json!(parameters),
                creator: job.created_by,
                parent: Some(job.id),
            };
            let part = self.store().create_job(&new, None, Admission::Part)?;
            tracing::info!(job = part.id, of = job.id, worker = %worker.name, "shares");
            return Ok(true);
        }
        Ok(false)
    }

    /// What a worker needs to begin with a job.
    fn work(&self, job: Job) -> Result<(Job, Work), JobError> {
        let store = self.store();
        let parameters: MeasureParameters = parse(job.parameters.clone())?;
        let space = space_of(&parameters, &job.hardware, self.services())?;
        let target = store.hardware(&job.hardware)?;
        let reference_space = self.reference_space(&target, space)?;
        let job = match &job.checkpoint {
            Value::Null => {
                let plan = planned(&parameters, self.services(), &job.hardware, space)?;
                let plan = self.services().plans.keep(store, &plan)?;
                let left_out = Vec::new();
                store.checkpoint_job(job.id, job.attempts, &json!(Checkpoint { plan, left_out }))?
            }
            _ => job,
        };
        let work = Work {
            job: WireJob::of_holder(job.clone()),
            space: match parameters.space == ONNX {
                true => Value::Null,
                false => json!(space),
            },
            replicate: parameters.replicate,
            protocol: json!(Protocol::within(parameters.budget_s)?),
            reference_space: json!(reference_space),
            reference: target.reference.clone(),
            batch: self.remaining(&job, &parameters, FIRST_BATCH)?,
        };
        Ok((job, work))
    }

    /// The next architectures of a job, of which some are to be left out from now on.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`; `Invalid` for more that are left out than a job may leave out, and for architectures.
    pub fn batch(&self, id: u64, fencing: u64, limit: usize, left_out: Vec<LeftOut>) -> Result<Batch, JobError> {
        let job = self.store().heartbeat_job(id, fencing, None)?;
        let parameters: MeasureParameters = parse(job.parameters.clone())?;
        let job = match left_out.is_empty() {
            true => job,
            false => self.leave_out(job, &parameters, left_out)?,
        };
        self.remaining(&job, &parameters, limit)
    }

    fn leave_out(&self, job: Job, parameters: &MeasureParameters, more: Vec<LeftOut>) -> Result<Job, JobError> {
        if parameters.space != ONNX {
            let rule = "only networks of no space can be left out; finish the job as failed";
            return Err(Error::invalid("left_out", rule).into());
        }
        let mut checkpoint = Checkpoint::of(&job)?;
        checkpoint.leave_out(more, &*kept(self.services(), &job)?)?;
        Ok(self.store().checkpoint_job(job.id, job.attempts, &json!(checkpoint))?)
    }

    fn remaining(&self, job: &Job, parameters: &MeasureParameters, limit: usize) -> Result<Batch, JobError> {
        let left = left(&self.queue, job, parameters)?;
        Ok(Batch {
            items: left.own().take(limit).map(|at| left.item(at)).collect(),
            total: left.total(),
            done: left.total() - left.count(),
        })
    }

    /// Takes a worker's calibration over where its target has none; the target's reference, and the worker's against it.
    ///
    /// # Errors
    /// `Invalid` for another reference network than the target's.
    pub fn calibrate(&self, worker: &Worker, own: &ReferenceNetwork, actor: &str) -> Result<(ReferenceNetwork, f64)> {
        let store = self.store();
        let target = store.hardware(&worker.hardware)?;
        let target = match target.reference {
            Some(_) => target,
            None => store.put_hardware(&lglp_engine::measure::calibrated(target, own.clone()), actor)?,
        };
        let reference = target.reference.unwrap_or_else(|| own.clone());
        if reference.digest != own.digest {
            let rule = format!("the target is calibrated by the network {}", reference.digest);
            return Err(Error::invalid("reference.digest", rule));
        }
        let ratio = own.latency_ms / reference.latency_ms;
        Ok((reference, ratio))
    }

    /// Renews a worker's lease, and shows how far it is.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    pub fn heartbeat(&self, id: u64, fencing: u64, progress: Option<&Progress>) -> Result<Job> {
        let job = self.store().heartbeat_job(id, fencing, progress)?;
        self.told(&job);
        Ok(job)
    }

    /// Records what a worker measured.
    ///
    /// # Errors
    /// Those of `record_leased`; `Invalid` also for what the job is not about.
    pub fn record(&self, id: u64, fencing: u64, measured: &[Measurement], actor: &str) -> Result<Accepted, JobError> {
        let store = self.store();
        let job = store.job(id)?;
        let parameters: MeasureParameters = parse(job.parameters.clone())?;
        for (at, measurement) in measured.iter().enumerate() {
            let refuse =
                |field: &str, reason: String| Err(Error::invalid(format!("measurements.{at}.{field}"), reason));
            if measurement.space != parameters.space {
                refuse("space", format!("the job measures {}", parameters.space))?;
            }
            if measurement.replicate != parameters.replicate {
                refuse("round", format!("the job measures replicate {}", parameters.replicate))?;
            }
        }
        // Whoever does not hold the lease learns nothing, and costs nothing.
        store.heartbeat_job(id, fencing, None)?;
        let names = names_in_plan(&job, &parameters, measured, self.services())?;
        if parameters.space != ONNX {
            return Ok(store.record_leased(id, fencing, measured, actor)?);
        }
        let target = store.hardware(&job.hardware)?;
        let rules = rules_of(&target.fingerprint);
        let measured = as_stored(measured, names, rules.as_ref(), self.services())?;
        Ok(store.record_leased(id, fencing, &measured, actor)?)
    }

    /// Ends a worker's job: well where everything is measured. Where others still measure parts of it, it is queued until they
    /// have.
    ///
    /// # Errors
    /// `Invalid` where something is left; `NotFound`; `StaleLease`.
    pub fn finish(&self, id: u64, fencing: u64, failed: Option<String>) -> Result<Job, JobError> {
        let store = self.store();
        let outcome = match failed {
            Some(reason) => JobOutcome::failed(reason),
            None => {
                let job = store.heartbeat_job(id, fencing, None)?;
                let left = left(&self.queue, &job, &parse(job.parameters.clone())?)?;
                match left.own().count() {
                    0 if left.count() == 0 => {
                        let all = left.total() as u64;
                        let progress = Progress {
                            done: all,
                            of: all,
                            note: String::new(),
                        };
                        store.heartbeat_job(id, fencing, Some(&progress))?;
                        JobOutcome::Succeeded(self.summary(&job)?)
                    }
                    0 => return Ok(self.release(id, fencing)?),
                    own => {
                        let rule = format!("{own} of {} architectures are not measured yet", left.total());
                        return Err(Error::invalid("failed", rule).into());
                    }
                }
            }
        };
        let job = store.finish_job(id, fencing, &outcome)?;
        self.ended(job.clone());
        Ok(job)
    }

    /// Gives a worker's job back.
    ///
    /// # Errors
    /// `NotFound`; `StaleLease`.
    pub fn release(&self, id: u64, fencing: u64) -> Result<Job> {
        let job = self.store().release_job(id, fencing)?;
        self.ended(job.clone());
        Ok(job)
    }

    /// As a campaign on this machine sums up.
    fn summary(&self, job: &Job) -> Result<Value, JobError> {
        let store = self.store();
        let parameters: MeasureParameters = parse(job.parameters.clone())?;
        let plan = kept(self.services(), job)?;
        let done = store.measured_digests(&job.hardware, &parameters.space, parameters.replicate)?;
        let total = plan.digests().iter().filter(|digest| done.contains(digest)).count();
        let told = Checkpoint::of(job)?.left_out.into_iter().filter_map(|one| {
            let at = plan.architectures.iter().position(|text| *text == one.architecture)?;
            // Another worker may have measured it all the same.
            let is_left_out = !done.contains(&plan.digests()[at]);
            is_left_out.then(|| LeftOutNetwork {
                name: plan.names.get(at).cloned().unwrap_or_default(),
                reason: one.reason,
            })
        });
        let left_out: Vec<LeftOutNetwork> = told.collect();
        let repeatability = match parameters.replicate {
            0 => None,
            replicate => Repeatability::between(store, &job.hardware, &parameters.space, (0, replicate))?,
        };
        Ok(json!(Summary {
            measured: total,
            total,
            left_out,
            repeatability
        }))
    }

    fn reference_space<'a>(
        &'a self,
        target: &HardwareTarget,
        own: &'a SearchSpace,
    ) -> Result<&'a SearchSpace, JobError> {
        let spaces = &self.services().spaces;
        let found = reference_space(spaces, target.reference.as_ref(), own);
        found.ok_or_else(|| JobError::UnknownReference {
            hardware: target.name.clone(),
        })
    }

    /// Shows a job to those who listen to it; and its progress to those who listen to the job that waits for it.
    fn told(&self, job: &Job) {
        self.queue.feed().publish(job);
        let parent = job.parent.and_then(|parent| self.store().job(parent).ok());
        if let Some(parent) = parent.filter(|parent| parent.state == JobState::Queued) {
            self.queue.feed().publish(&Job {
                progress: job.progress.clone(),
                ..parent
            });
        }
    }

    /// Shows a job that somebody works on no more: others may begin now.
    fn ended(&self, job: Job) {
        let error = job.error.as_deref().unwrap_or_default();
        tracing::info!(job = job.id, error, "{}", job.state);
        self.queue.feed().publish(&job);
        if matches!(job.state, JobState::Failed | JobState::Cancelled)
            && let Err(error) = self.queue.cancel_parts(&job, "server")
        {
            tracing::error!(job = job.id, "what it needed cannot be cancelled: {error}");
        }
        self.queue.notify();
    }
}
