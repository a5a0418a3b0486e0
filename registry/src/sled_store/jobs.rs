//! Jobs. Those that have not ended are few, for the queue is bounded: one record lists their numbers, so that nobody who
//! looks for work reads the whole history.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::changes::Changes;
use super::idempotency::IdempotencyKey;
use super::{SledStore, decode, entries, keys};
use crate::domain::limits;
use crate::{
    Admission, Change, Error, JOB_ATTEMPTS, Job, JobFilter, JobOutcome, JobState, Lease, LeaseRequest, NewJob,
    Progress, Result, Visitor, Worker, WorkerName, clock,
};

/// Who gives up a job whose process went away too often.
const REGISTRY: &str = "registry";

impl SledStore {
    pub(super) fn write_job(&self, new: &NewJob, idempotency_key: Option<&str>, admission: Admission) -> Result<Job> {
        new.check()?;
        let once = IdempotencyKey::new("jobs", idempotency_key, new)?;
        self.write(|changes| {
            if let Some(before) = changes.answered(&once)? {
                return changes.job(before);
            }
            if let Some(parent) = new.parent {
                let parent = changes.job(parent)?;
                if parent.state.has_ended() || parent.cancel_requested {
                    return Err(Error::JobEnded {
                        job: parent.id,
                        state: parent.state,
                    });
                }
            }
            let mut open = changes.open_jobs()?;
            let queued = open.iter().filter(|job| job.state == JobState::Queued);
            admission.check(&new.creator, queued)?;
            let last = changes.last(keys::JOB)?;
            let job = as_queued(last.map_or(Ok(0), |key| keys::number::<u64>(&key))? + 1, new);
            let change = Change::JobCreated {
                job: job.id,
                job_kind: job.kind,
                hardware: job.hardware.clone(),
            };
            changes.answer(once, &job.id)?;
            changes.log(change, &new.creator, None, (Value::Null, json!(job)))?;
            changes.put(keys::job(job.id), &job)?;
            open.push(job.clone());
            let mut turns = changes.turns()?;
            turns.give(&job);
            changes.put_turns(turns, &numbers(&open))?;
            changes.put_open(open.iter())?;
            Ok(job)
        })
    }

    pub(super) fn list_jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        let mut found = Vec::new();
        if limit > 0 {
            let _ = self.show_jobs(filter, &mut |job| {
                found.push(job);
                if found.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(found)
    }

    pub(super) fn show_jobs(&self, filter: &JobFilter, visitor: Visitor<'_, Job>) -> Result<ControlFlow<()>> {
        if filter.state.is_some_and(|state| !state.has_ended()) {
            let open = Changes::new(&self.db).open_jobs()?;
            let mut admitted = open.into_iter().rev().filter(|job| filter.admits(job));
            return Ok(admitted.try_for_each(visitor));
        }
        for entry in entries(self.db.scan_prefix(keys::JOB).rev()) {
            let (key, bytes) = entry?;
            let job: Job = decode(&key, &bytes)?;
            if filter.admits(&job) && visitor(job).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    pub(super) fn write_cancel(&self, id: u64, actor: &str) -> Result<Job> {
        limits::text("actor", actor)?;
        self.write(|changes| {
            let job = changes.job(id)?;
            match job.state {
                JobState::Queued => changes.end(job, &JobOutcome::Cancelled, actor),
                JobState::Running if job.cancel_requested => Ok(job),
                JobState::Running => {
                    let before = json!(job);
                    let job = Job {
                        cancel_requested: true,
                        ..job
                    };
                    let change = Change::JobCancelRequested {
                        job: id,
                        job_kind: job.kind,
                        hardware: job.hardware.clone(),
                    };
                    changes.log(change, actor, None, (before, json!(job)))?;
                    changes.put(keys::job(id), &job)?;
                    Ok(job)
                }
                state => Err(Error::JobEnded { job: id, state }),
            }
        })
    }

    pub(super) fn write_lease(&self, request: &LeaseRequest) -> Result<Option<Job>> {
        request.check()?;
        self.write(|changes| {
            let open = changes.open_jobs()?;
            let busy = |job: &Job| {
                open.iter().any(|other| {
                    other.kind.is_measuring() == job.kind.is_measuring()
                        && other.lease.as_ref().is_some_and(|lease| lease.device == request.device)
                })
            };
            let waits = |job: &Job| open.iter().any(|other| other.parent == Some(job.id));
            let mut turns = changes.turns()?;
            let next = open
                .iter()
                .filter(|job| job.state == JobState::Queued && request.admits(job) && !busy(job) && !waits(job))
                .min_by_key(|job| turns.order(job));
            let Some(job) = next.cloned() else { return Ok(None) };
            turns.take(&job);
            changes.put_turns(turns, &numbers(&open))?;
            let attempts = job.attempts + 1;
            let job = Job {
                state: JobState::Running,
                started_at: job.started_at.or_else(|| Some(clock::now())),
                attempts,
                lease: Some(Lease {
                    holder: request.holder.clone(),
                    device: request.device.clone(),
                    fencing: attempts,
                    seconds: request.seconds,
                    expires_at: clock::after(request.seconds),
                }),
                ..job
            };
            changes.put(keys::job(job.id), &job)?;
            Ok(Some(job))
        })
    }

    pub(super) fn write_heartbeat(&self, id: u64, fencing: u64, progress: Option<&Progress>) -> Result<Job> {
        progress.map_or(Ok(()), Progress::check)?;
        self.write_lazily(|changes| {
            let (job, lease) = changes.leased(id, fencing)?;
            let job = Job {
                progress: progress.cloned().or(job.progress),
                lease: Some(Lease {
                    expires_at: clock::after(lease.seconds),
                    ..lease
                }),
                ..job
            };
            changes.put(keys::job(id), &job)?;
            Ok(job)
        })
    }

    pub(super) fn write_checkpoint(&self, id: u64, fencing: u64, checkpoint: &Value) -> Result<Job> {
        limits::document("checkpoint", checkpoint, limits::DOCUMENT)?;
        self.write(|changes| {
            let (job, _) = changes.leased(id, fencing)?;
            let checkpoint = checkpoint.clone();
            let job = Job { checkpoint, ..job };
            changes.put(keys::job(id), &job)?;
            Ok(job)
        })
    }

    pub(super) fn write_outcome(&self, id: u64, fencing: u64, outcome: &JobOutcome) -> Result<Job> {
        outcome.check()?;
        self.write(|changes| {
            let (job, lease) = changes.leased(id, fencing)?;
            let author = changes.author(&lease)?;
            changes.end(job, outcome, &author)
        })
    }

    pub(super) fn write_release(&self, id: u64, fencing: u64) -> Result<Job> {
        self.write(|changes| {
            let (job, lease) = changes.leased(id, fencing)?;
            if job.cancel_requested {
                let author = changes.author(&lease)?;
                return changes.end(job, &JobOutcome::Cancelled, &author);
            }
            changes.queue_again(job)
        })
    }

    pub(super) fn write_requeued(&self, gone: Option<&str>) -> Result<Vec<Job>> {
        let mut requeued = Vec::new();
        // One at a time: a set of changes has one entry in the audit log.
        while let ControlFlow::Continue(job) = self.write(|changes| changes.requeue_one(gone))? {
            requeued.push(job);
        }
        Ok(requeued)
    }
}

/// A job that waits.
fn as_queued(id: u64, new: &NewJob) -> Job {
    let new = new.clone();
    Job {
        id,
        kind: new.kind,
        hardware: new.hardware,
        parameters: new.parameters,
        state: JobState::Queued,
        progress: None,
        result: None,
        error: None,
        created_at: clock::now(),
        created_by: new.creator,
        started_at: None,
        finished_at: None,
        attempts: 0,
        lost: 0,
        lease: None,
        cancel_requested: false,
        checkpoint: Value::Null,
        parent: new.parent,
    }
}

fn numbers(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.id).collect()
}

impl Changes<'_> {
    fn job(&self, id: u64) -> Result<Job> {
        self.find(&keys::job(id))?.ok_or_else(|| Error::not_found("job", id))
    }

    /// A running job and its lease, which must be the one with this token.
    pub(super) fn leased(&self, id: u64, fencing: u64) -> Result<(Job, Lease)> {
        let mut job = self.job(id)?;
        match job.lease.take() {
            Some(lease) if lease.fencing == fencing => {
                job.lease = Some(lease.clone());
                Ok((job, lease))
            }
            _ => Err(Error::StaleLease { job: id, fencing }),
        }
    }

    /// Who ends a job under a lease: whoever registered the worker that holds it, else the holder itself.
    fn author(&self, lease: &Lease) -> Result<String> {
        let worker = match lease.device.parse::<WorkerName>() {
            Ok(name) => self.find::<Worker>(&keys::worker(&name))?,
            Err(_) => None,
        };
        let worker = worker.filter(|worker| worker.holder() == lease.holder && !worker.speaker().is_empty());
        Ok(worker.map_or_else(|| lease.holder.clone(), |worker| worker.speaker().to_owned()))
    }

    /// The jobs that have not ended, oldest first.
    pub(super) fn open_jobs(&self) -> Result<Vec<Job>> {
        let numbers: Vec<u64> = self.find(keys::JOBS_OPEN)?.unwrap_or_default();
        numbers.into_iter().map(|id| self.job(id)).collect()
    }

    fn put_open<'a>(&mut self, jobs: impl Iterator<Item = &'a Job>) -> Result<()> {
        let numbers: Vec<u64> = jobs.map(|job| job.id).collect();
        self.put(keys::JOBS_OPEN.to_owned(), &numbers)
    }

    fn end(&mut self, job: Job, outcome: &JobOutcome, actor: &str) -> Result<Job> {
        let before = json!(job);
        let (state, result, error) = match outcome {
            JobOutcome::Succeeded(result) => (JobState::Succeeded, Some(result.clone()), None),
            JobOutcome::Failed(reason) => (JobState::Failed, None, Some(reason.clone())),
            JobOutcome::Cancelled => (JobState::Cancelled, None, None),
        };
        let job = Job {
            state,
            result,
            error,
            finished_at: Some(clock::now()),
            lease: None,
            ..job
        };
        let change = Change::JobEnded {
            job: job.id,
            job_kind: job.kind,
            hardware: job.hardware.clone(),
            state,
        };
        self.log(change, actor, None, (before, json!(job)))?;
        self.put(keys::job(job.id), &job)?;
        let open = self.open_jobs()?;
        self.put_open(open.iter().filter(|other| other.id != job.id))?;
        Ok(job)
    }

    fn queue_again(&mut self, job: Job) -> Result<Job> {
        let job = Job {
            state: JobState::Queued,
            lease: None,
            ..job
        };
        self.put(keys::job(job.id), &job)?;
        Ok(job)
    }

    /// Takes one job from a process that went away, if there is one.
    fn requeue_one(&mut self, gone: Option<&str>) -> Result<ControlFlow<(), Job>> {
        let is_lost = |lease: &Lease| gone == Some(lease.holder.as_str()) || lease.is_over();
        let lost = self
            .open_jobs()?
            .into_iter()
            .find(|job| job.lease.as_ref().is_some_and(is_lost));
        let Some(mut job) = lost else {
            return Ok(ControlFlow::Break(()));
        };
        job.lost += 1;
        let job = if job.cancel_requested {
            self.end(job, &JobOutcome::Cancelled, REGISTRY)?
        } else if job.lost >= JOB_ATTEMPTS {
            let reason = format!(
                "given up: {} times the process that worked on it went away before it had ended",
                job.lost
            );
            self.end(job, &JobOutcome::Failed(reason), REGISTRY)?
        } else {
            self.queue_again(job)?
        };
        Ok(ControlFlow::Continue(job))
    }
}
