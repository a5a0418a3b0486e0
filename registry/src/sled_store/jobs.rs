//! Jobs. Those that have not ended are few, for the queue is bounded: one record lists their numbers, so that nobody who
//! looks for work reads the whole history.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::changes::Changes;
use super::idempotency::IdempotencyKey;
use super::reading::entries;
use super::stored::decode;
use super::turns::Turns;
use super::{SledStore, keys};
use crate::domain::limits;
use crate::{Admission, Change, Error, Job, JobFilter, JobOutcome, JobState, Jobs, NewJob, Result, Visitor, clock};

impl Jobs for SledStore {
    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, admission: Admission) -> Result<Job> {
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

    fn job(&self, id: u64) -> Result<Job> {
        self.find(&keys::job(id))?.ok_or_else(|| Error::not_found("job", id))
    }

    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        let mut found = Vec::new();
        if limit > 0 {
            let _ = self.visit_jobs(filter, &mut |job| {
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

    fn visit_jobs(&self, filter: &JobFilter, visitor: Visitor<'_, Job>) -> Result<ControlFlow<()>> {
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

    fn cancel_job(&self, id: u64, actor: &str) -> Result<Job> {
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

pub(super) fn numbers(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.id).collect()
}

impl Changes<'_> {
    pub(super) fn job(&self, id: u64) -> Result<Job> {
        self.find(&keys::job(id))?.ok_or_else(|| Error::not_found("job", id))
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

    /// Ends a job, whoever works on it.
    pub(super) fn end(&mut self, job: Job, outcome: &JobOutcome, actor: &str) -> Result<Job> {
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
}

impl Changes<'_> {
    pub(super) fn turns(&self) -> Result<Turns> {
        Ok(self.find(keys::JOBS_TURNS)?.unwrap_or_default())
    }

    pub(super) fn put_turns(&mut self, mut turns: Turns, open: &[u64]) -> Result<()> {
        turns.keep(open);
        self.put(keys::JOBS_TURNS.to_owned(), &turns)
    }
}
