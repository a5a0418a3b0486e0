//! Keeping a lease: signs of life while the device is busy.

use lglp_client::Failure;

use super::connection::{ServerConnection, WAITS};
use super::lease::{Lease, LeaseEnd};

/// Tells that the worker lives until the lease is closed or over.
pub(crate) fn keep_alive(connection: &ServerConnection, lease: &Lease) {
    let every = lease.holds / 3;
    let mut failures = 0;
    let mut wait = every;
    loop {
        let over = || lease.is_closed() || lease.is_stale();
        connection.pause_unless(wait, over);
        if over() {
            return;
        }
        match connection.call(|api| api.heartbeat(lease.job, lease.fencing, lease.progress())) {
            Ok(job) => {
                if job.cancel_requested {
                    lease.stop(LeaseEnd::Cancelled);
                }
                failures = 0;
                wait = every;
            }
            // Whatever it refuses a heartbeat for, the job is not this worker's any more.
            Err(Failure::Refused { .. }) => return lease.stop(LeaseEnd::Stale),
            Err(Failure::Lost(_)) => {
                failures += 1;
                wait = WAITS.delay(failures, &mut rand::rng()).min(every);
            }
        }
    }
}
