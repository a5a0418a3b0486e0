//! Leases of jobs.

use std::ops::ControlFlow;

use serde_json::Value;

use super::changes::Changes;
use super::jobs::numbers;
use super::measurements;
use super::{SledStore, keys};
use crate::domain::{item, items, limits};
use crate::{
    Accepted, Error, JOB_ATTEMPTS, Job, JobOutcome, JobState, Lease, LeaseHolder, LeaseRequest, Leasing, Measurement,
    Progress, Result, Worker, clock,
};

/// Who gives up a job whose process went away too often.
const REGISTRY: &str = "registry";

impl Leasing for SledStore {
    fn lease_job(&self, request: &LeaseRequest) -> Result<Option<Job>> {
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

    fn heartbeat_job(&self, id: u64, fencing: u64, progress: Option<&Progress>) -> Result<Job> {
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

    fn checkpoint_job(&self, id: u64, fencing: u64, checkpoint: &Value) -> Result<Job> {
        limits::document("checkpoint", checkpoint, limits::DOCUMENT)?;
        self.write(|changes| {
            let (job, _) = changes.leased(id, fencing)?;
            let checkpoint = checkpoint.clone();
            let job = Job { checkpoint, ..job };
            changes.put(keys::job(id), &job)?;
            Ok(job)
        })
    }

    fn finish_job(&self, id: u64, fencing: u64, outcome: &JobOutcome) -> Result<Job> {
        outcome.check()?;
        self.write(|changes| {
            let (job, lease) = changes.leased(id, fencing)?;
            let author = changes.author(&lease)?;
            changes.end(job, outcome, &author)
        })
    }

    fn release_job(&self, id: u64, fencing: u64) -> Result<Job> {
        self.write(|changes| {
            let (job, lease) = changes.leased(id, fencing)?;
            if job.cancel_requested {
                let author = changes.author(&lease)?;
                return changes.end(job, &JobOutcome::Cancelled, &author);
            }
            changes.queue_again(job)
        })
    }

    fn requeue_jobs(&self, gone: Option<&LeaseHolder>) -> Result<Vec<Job>> {
        let mut requeued = Vec::new();
        // One at a time: a set of changes has one entry in the audit log.
        while let ControlFlow::Continue(job) = self.write(|changes| changes.requeue_one(gone))? {
            requeued.push(job);
        }
        Ok(requeued)
    }

    fn record_leased(&self, job: u64, fencing: u64, measured: &[Measurement], actor: &str) -> Result<Accepted> {
        limits::text("actor", actor)?;
        item("measurements", items(measured, Measurement::check))?;
        self.write(|changes| {
            let (mut job, lease) = changes.leased(job, fencing)?;
            if let Some(at) = measured.iter().position(|m| m.hardware != job.hardware) {
                let rule = format!("{} is not the job's target, {}", measured[at].hardware, job.hardware);
                return Err(Error::invalid(format!("measurements.{at}.hardware"), rule));
            }
            let fresh = item("measurements", changes.put_measurements(measured, |_, _, _| Ok(())))?;
            let counts = Accepted {
                accepted: fresh.len(),
                known: measured.len() - fresh.len(),
            };
            if counts.accepted > 0 {
                job.lost = 0;
                changes.put(keys::job(job.id), &job)?;
                changes.count_for_worker(&lease.device, fresh.values().copied())?;
                measurements::log(changes, fresh, actor, None)?;
            }
            Ok(counts)
        })
    }

    fn renew_leases_except(&self, holder: &LeaseHolder) -> Result<()> {
        self.write(|changes| {
            for mut job in changes.open_jobs()? {
                let lease = job.lease.as_mut().filter(|lease| lease.holder != *holder);
                if let Some(lease) = lease {
                    lease.expires_at = clock::after(lease.seconds);
                    changes.put(keys::job(job.id), &job)?;
                }
            }
            Ok(())
        })
    }
}

impl Changes<'_> {
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
        let worker = match &lease.holder {
            LeaseHolder::Worker { name, .. } => self.find::<Worker>(&keys::worker(name))?,
            LeaseHolder::Server => None,
        };
        let worker = worker.filter(|worker| worker.holder() == lease.holder && !worker.speaker().is_empty());
        Ok(worker.map_or_else(|| lease.holder.to_string(), |worker| worker.speaker().to_owned()))
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
    fn requeue_one(&mut self, gone: Option<&LeaseHolder>) -> Result<ControlFlow<(), Job>> {
        let is_lost = |lease: &Lease| gone == Some(&lease.holder) || lease.is_over();
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
