//! Workers.

use crate::{NewHardware, NewWorker, Quota, Result, SignOfLife, Worker, WorkerName};

/// Machines that measure for the process that holds the registry.
pub trait Workers: Send + Sync {
    /// Registers a worker. Of one name there is one: a process that registers takes the place of the one before. The same
    /// process may register again, which keeps its counts. The audit log tells of a name that is new, or that is another
    /// machine or measures for another target now. `target` is created with the worker where there is none of its name: both,
    /// or neither.
    ///
    /// # Errors
    /// `Invalid`, naming a field of the target below `setup`; `NotFound` for the hardware target; `QuotaReached`.
    fn register_worker(
        &self,
        new: &NewWorker,
        target: Option<&NewHardware>,
        quota: Quota,
        actor: &str,
    ) -> Result<Worker>;

    /// A worker.
    ///
    /// # Errors
    /// `NotFound`.
    fn worker(&self, name: &WorkerName) -> Result<Worker>;

    /// Every worker that ever registered, by name.
    ///
    /// # Errors
    /// The common ones.
    fn workers(&self) -> Result<Vec<Worker>>;

    /// Notes a sign of life. Like a heartbeat it may be lost to a kill.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`; `StaleInstance` where another process has the name by now, or it has signed off.
    fn see_worker(&self, name: &WorkerName, instance: &str, sign: SignOfLife) -> Result<Worker>;

    /// Lets a worker go. It may register again.
    ///
    /// # Errors
    /// `NotFound`; `StaleInstance`.
    fn sign_off_worker(&self, name: &WorkerName, instance: &str) -> Result<Worker>;

    /// Lets a worker whose machine differs from its target's measure for it all the same: its fingerprint is from now on one
    /// of the target's. Audited, with the reason.
    ///
    /// # Errors
    /// `Invalid` where there is nothing to confirm; `NotFound`.
    fn confirm_worker(&self, name: &WorkerName, actor: &str, reason: &str) -> Result<Worker>;
}
