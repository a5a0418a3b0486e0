//! A leased job from its first call to its last.

use std::sync::Arc;

use lglp_client::{Failure, Refusal, WorkerApi};
use lglp_openapi::workers::Work;

use super::calibration::Calibration;
use super::connection::ServerConnection;
use super::device::Device;
use super::error::WorkerError;
use super::event::Event;
use super::lease::{Lease, LeaseEnd};
use super::leased_work::{LeasedWork, StopReason};
use super::spool::Spool;
use super::{heartbeat, uploader};

/// What works on jobs.
pub(crate) struct JobRunner<'a> {
    pub connection: Arc<ServerConnection>,
    pub spool: Arc<Spool>,
    pub device: Device<'a>,
    /// When the hardware target was created.
    pub target_since: String,
    /// What this process knows of reference networks.
    pub calibrations: Vec<Calibration>,
    /// Whether the disk takes no measurements, as far as it was told.
    pub disk_is_full: bool,
}

/// How the work on a job ended.
#[derive(Debug, PartialEq)]
pub(crate) enum JobEnd {
    /// The job is over, or somebody else's: there may be another.
    Over,
    /// The worker can do no job for now; the reason.
    Blocked(String),
    /// The machine is too unlike its target; the ratio.
    Unlike(f64),
}

impl JobRunner<'_> {
    /// Works on a job until it is done, or is not this worker's any more.
    ///
    /// # Errors
    /// What ends the worker.
    pub(crate) fn work(&mut self, work: Work) -> Result<JobEnd, WorkerError> {
        let lease = Arc::new(Lease::of(&work, &self.target_since, self.connection.events.clone())?);
        (self.connection.report)(&Event::Leased {
            job: lease.job,
            space: lease.series.space.clone(),
            replicate: lease.series.replicate,
            done: work.batch.done,
            total: work.batch.total,
        });
        let measuring = match LeasedWork::new(
            self.connection.clone(),
            self.spool.clone(),
            &lease,
            &work,
            self.disk_is_full,
        ) {
            Ok(measuring) => measuring,
            Err(error) => {
                // A newer worker may understand it.
                let _ = self.connection.call(|api| api.release(lease.job, lease.fencing));
                return Err(error);
            }
        };
        // Neither is waited for: a call that hangs must not keep a worker that is to end, and a late one is refused.
        let (connection, held) = (self.connection.clone(), lease.clone());
        std::thread::spawn(move || heartbeat::keep_alive(&connection, &held));
        let (connection, spool, held) = (self.connection.clone(), self.spool.clone(), lease.clone());
        std::thread::spawn(move || uploader::deliver(&connection, &spool, &held));
        let ended = self.measure(&lease, measuring);
        lease.close();
        ended
    }

    fn measure(&mut self, lease: &Lease, mut measuring: LeasedWork<'_>) -> Result<JobEnd, WorkerError> {
        let stop = loop {
            match measuring.measure(&self.device, &mut self.calibrations) {
                StopReason::Broken(reason) => match self.device.reopen() {
                    Ok(()) => {}
                    Err(error) => break StopReason::DeviceGone(format!("{reason}; {error}")),
                },
                stop => break stop,
            }
        };
        self.disk_is_full = measuring.disk_is_full();
        let measured = measuring.measured();
        self.end(lease, measured, stop)
    }

    /// Hands over what is finished, then tells how the job ended.
    fn end(&self, lease: &Lease, measured: usize, stop: StopReason) -> Result<JobEnd, WorkerError> {
        let job = lease.job;
        let delivered = self.deliver_rest(lease);
        if lease.is_stale() {
            let unsent = self.spool.len();
            (self.connection.report)(&Event::LeaseLost { job, unsent });
        }
        // A server that cannot be reached notices by itself that the worker is gone.
        let can_tell = delivered && !lease.is_stale();
        let give_back = |reason: &str| {
            if can_tell && self.ask(|api| api.release(job, lease.fencing)).is_ok() {
                let reason = reason.to_owned();
                (self.connection.report)(&Event::Released { job, reason });
            }
        };
        let failed = match (&stop, lease.stopped()) {
            (StopReason::Failed(reason), _) => Some(reason.clone()),
            (_, Some(LeaseEnd::Refused(reason))) => Some(reason),
            _ => None,
        };
        match stop {
            StopReason::Error(error) => return Err(error),
            StopReason::DeviceGone(reason) | StopReason::Broken(reason) => {
                give_back(&reason);
                return Ok(JobEnd::Blocked(reason));
            }
            StopReason::Unlike(ratio) => {
                give_back("this machine is too unlike its target");
                return Ok(JobEnd::Unlike(ratio));
            }
            StopReason::Draining => give_back("the worker drains"),
            StopReason::Stopped if failed.is_none() => give_back("it was cancelled"),
            StopReason::Done | StopReason::Failed(_) | StopReason::Stopped if can_tell => {
                match self.ask(|api| api.finish(job, lease.fencing, failed.clone())) {
                    Ok(told) => (self.connection.report)(&match failed {
                        Some(reason) => Event::Failed { job, reason },
                        None if told.finished_at.is_some() => Event::Finished { job, measured },
                        None => {
                            let reason = "other workers still measure parts of it".to_owned();
                            Event::Released { job, reason }
                        }
                    }),
                    Err(Failure::Refused { why, text }) if why != Refusal::StaleLease => {
                        let _ = self.ask(|api| api.release(job, lease.fencing));
                        return Ok(JobEnd::Blocked(text));
                    }
                    Err(_) => {}
                }
            }
            StopReason::Done | StopReason::Failed(_) | StopReason::Stopped => {}
        }
        Ok(JobEnd::Over)
    }

    /// Waits until the uploader has handed over everything; false where it could not.
    fn deliver_rest(&self, lease: &Lease) -> bool {
        loop {
            let seen = self.connection.events.count();
            if self.spool.waiting(&lease.series, 1).is_empty() {
                return true;
            }
            if lease.is_stale() || self.connection.drain.is_over() {
                return false;
            }
            self.connection.wait(seen);
        }
    }

    fn ask<T>(&self, call: impl Fn(&WorkerApi) -> Result<T, Failure>) -> Result<T, Failure> {
        self.connection.ask(|| true, call)
    }
}
