//! Jobs.

use std::ops::ControlFlow;

use super::{Visitor, show};
use crate::{Admission, Job, JobFilter, NewJob, Result};

/// What is done in the background, as those see it who ask for it.
pub trait Jobs: Send + Sync {
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
}
