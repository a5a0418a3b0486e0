//! Leases of jobs.

use serde_json::Value;

use crate::{Accepted, Job, JobOutcome, LeaseHolder, LeaseRequest, Measurement, Progress, Result};

/// Working on jobs. A lease ends unless it is renewed; its fencing token is refused from then on.
pub trait Leasing: Send + Sync {
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
    fn requeue_jobs(&self, gone: Option<&LeaseHolder>) -> Result<Vec<Job>>;

    /// Records measurements of the job that is leased, all that are not recorded yet: of each architecture there is one in a
    /// round, the first. A job that gets on is not given up for the processes that it has lost before.
    ///
    /// # Errors
    /// `Invalid`, also for another hardware target than the job's; `NotFound`; `StaleLease`.
    fn record_leased(&self, job: u64, fencing: u64, measurements: &[Measurement], actor: &str) -> Result<Accepted>;

    /// Begins the time of every lease anew but those of `holder`. For when the registry was not there: whoever holds them
    /// could not renew them.
    ///
    /// # Errors
    /// The common ones.
    fn renew_leases_except(&self, holder: &LeaseHolder) -> Result<()>;
}
