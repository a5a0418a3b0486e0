//! A leased job from its first call to its last.

use std::sync::Arc;

use lglp_client::{Failure, Refusal, WorkerApi};
use lglp_openapi::workers::{Batch, Work};

use super::calibration::Calibration;
use super::device::Device;
use super::error::WorkerError;
use super::event::Event;
use super::lease::{Lease, Stop};
use super::link::Link;
use super::shift::{Halt, Shift};
use super::spool::Spool;
use super::{courier, heartbeat};

/// What works on jobs.
pub struct Bench<'a> {
    pub link: Arc<Link>,
    pub spool: Arc<Spool>,
    pub device: Device<'a>,
    /// What this process knows of reference networks.
    pub calibrations: Vec<Calibration>,
    /// Whether the disk takes no measurements, as far as it was told.
    pub disk_is_full: bool,
}

/// How the work on a job ended.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// The job is over, or somebody else's: there may be another.
    Over,
    /// The worker can do no job for now; the reason.
    Blocked(String),
    /// The machine is too unlike its target; the ratio.
    Unlike(f64),
}

impl Bench<'_> {
    /// Works on a job until it is done, or is not this worker's any more.
    ///
    /// # Errors
    /// What ends the worker.
    pub fn work(&mut self, work: Work) -> Result<Ended, WorkerError> {
        let lease = Arc::new(Lease::of(&work, self.link.bell.clone())?);
        (self.link.tell)(&Event::Leased {
            job: lease.job,
            space: lease.series.space.clone(),
            round: lease.series.round,
            done: work.batch.done,
            total: work.batch.total,
        });
        let shift = match Shift::new(self.link.clone(), self.spool.clone(), &lease, &work) {
            Ok(shift) => shift,
            Err(error) => {
                // A newer worker may understand it.
                let _ = self.link.call(|api| api.release(lease.job, lease.fencing));
                return Err(error);
            }
        };
        // Neither is waited for: a call that hangs must not keep a worker that is to end, and a late one is refused.
        let (link, held) = (self.link.clone(), lease.clone());
        std::thread::spawn(move || heartbeat::keep_alive(&link, &held));
        let (link, spool, held) = (self.link.clone(), self.spool.clone(), lease.clone());
        std::thread::spawn(move || courier::deliver(&link, &spool, &held));
        let ended = self.shift(&lease, shift, work.batch);
        lease.close();
        ended
    }

    fn shift(&mut self, lease: &Lease, mut shift: Shift<'_>, batch: Batch) -> Result<Ended, WorkerError> {
        let mut batch = Some(batch);
        let halt = loop {
            let (calibrations, disk_is_full) = (&mut self.calibrations, &mut self.disk_is_full);
            match shift.measure(&self.device, calibrations, disk_is_full, batch.take()) {
                Halt::Broken(reason) => match self.device.reopen() {
                    Ok(()) => {}
                    Err(error) => break Halt::DeviceGone(format!("{reason}; {error}")),
                },
                halt => break halt,
            }
        };
        let measured = shift.measured();
        self.end(lease, measured, halt)
    }

    /// Hands over what is finished, then tells how the job ended.
    fn end(&self, lease: &Lease, measured: usize, halt: Halt) -> Result<Ended, WorkerError> {
        let job = lease.job;
        let delivered = self.deliver_rest(lease);
        if lease.is_stale() {
            let unsent = self.spool.len();
            (self.link.tell)(&Event::LeaseLost { job, unsent });
        }
        // A server that cannot be reached notices by itself that the worker is gone.
        let can_tell = delivered && !lease.is_stale();
        let give_back = |reason: &str| {
            if can_tell && self.tell(|api| api.release(job, lease.fencing)).is_ok() {
                let reason = reason.to_owned();
                (self.link.tell)(&Event::Released { job, reason });
            }
        };
        let failed = match (&halt, lease.stopped()) {
            (Halt::Failed(reason), _) => Some(reason.clone()),
            (_, Some(Stop::Refused(reason))) => Some(reason),
            _ => None,
        };
        match halt {
            Halt::Error(error) => return Err(error),
            Halt::DeviceGone(reason) | Halt::Broken(reason) => {
                give_back(&reason);
                return Ok(Ended::Blocked(reason));
            }
            Halt::Unlike(ratio) => {
                give_back("this machine is too unlike its target");
                return Ok(Ended::Unlike(ratio));
            }
            Halt::Draining => give_back("the worker drains"),
            Halt::Stopped if failed.is_none() => give_back("it was cancelled"),
            Halt::Done | Halt::Failed(_) | Halt::Stopped if can_tell => {
                match self.tell(|api| api.finish(job, lease.fencing, failed.clone())) {
                    Ok(told) => (self.link.tell)(&match failed {
                        Some(reason) => Event::Failed { job, reason },
                        None if told.finished_at.is_some() => Event::Finished { job, measured },
                        None => {
                            let reason = "other workers still measure parts of it".to_owned();
                            Event::Released { job, reason }
                        }
                    }),
                    Err(Failure::Refused { why, text }) if why != Refusal::StaleLease => {
                        let _ = self.tell(|api| api.release(job, lease.fencing));
                        return Ok(Ended::Blocked(text));
                    }
                    Err(_) => {}
                }
            }
            Halt::Done | Halt::Failed(_) | Halt::Stopped => {}
        }
        Ok(Ended::Over)
    }

    /// Waits until the courier has handed over everything; false where it could not.
    fn deliver_rest(&self, lease: &Lease) -> bool {
        loop {
            let seen = self.link.bell.count();
            if self.spool.waiting(&lease.series, 1).is_empty() {
                return true;
            }
            if lease.is_stale() || self.link.drain.is_over() {
                return false;
            }
            self.link.wait(seen);
        }
    }

    fn tell<T>(&self, call: impl Fn(&WorkerApi) -> Result<T, Failure>) -> Result<T, Failure> {
        self.link.ask(|| true, call)
    }
}
