//! Handing over measurements while the device is busy with the next.

use lglp_client::{Failure, Refusal};
use lglp_registry::Measurement;

use super::connection::{ServerConnection, WAITS};
use super::event::Event;
use super::lease::{Lease, LeaseEnd};
use super::spool::Spool;

/// Measurements in one call: half a minute's worth of a slow line.
const TOGETHER: usize = 32;

/// Sends what is finished, of this process or of one before, until the lease is closed or over.
pub(crate) fn deliver(connection: &ServerConnection, spool: &Spool, lease: &Lease) {
    let mut failures = 0;
    loop {
        let over = || lease.is_closed() || lease.is_stale();
        let seen = connection.events.count();
        if over() {
            return;
        }
        let waiting = spool.waiting(&lease.series, TOGETHER);
        if waiting.is_empty() {
            connection.events.wait(seen, None);
            continue;
        }
        match send(connection, lease, &waiting) {
            Ok(()) => {
                failures = 0;
                spool.acknowledge(&waiting);
            }
            Err(Failure::Lost(_)) => {
                failures += 1;
                connection.pause_unless(WAITS.delay(failures, &mut rand::rng()), over);
            }
            Err(Failure::Refused {
                why: Refusal::Other, ..
            }) => {
                if !one_by_one(connection, spool, lease, &waiting) {
                    failures += 1;
                    connection.pause_unless(WAITS.delay(failures, &mut rand::rng()), over);
                }
            }
            Err(Failure::Refused { .. }) => lease.stop(LeaseEnd::Stale),
        }
    }
}

fn send(connection: &ServerConnection, lease: &Lease, measurements: &[Measurement]) -> Result<(), Failure> {
    // Within the call, so that a server which loses some is told of like one that is away.
    connection.call(|api| {
        let taken = api.submit(lease.job, lease.fencing, measurements)?;
        let (taken, sent) = (taken.accepted.saturating_add(taken.known), measurements.len());
        if taken != sent {
            return Err(Failure::Lost(format!("the server took {taken} measurements of {sent}")));
        }
        Ok(())
    })
}

/// One that is refused must not keep the others: it is set aside, and the job stops, since measuring it again would end alike. False
/// where one stays that the server does not take.
fn one_by_one(connection: &ServerConnection, spool: &Spool, lease: &Lease, measurements: &[Measurement]) -> bool {
    let mut is_free = true;
    for measurement in measurements {
        match send(connection, lease, std::slice::from_ref(measurement)) {
            Ok(()) => spool.acknowledge(std::slice::from_ref(measurement)),
            Err(Failure::Refused {
                why: Refusal::Other,
                text,
            }) => {
                is_free &= spool.set_aside(measurement, &text);
                let architecture = measurement.architecture.clone();
                lease.stop(LeaseEnd::Refused(format!(
                    "the measurement of {architecture} was refused: {text}"
                )));
                (connection.report)(&Event::Refused {
                    architecture,
                    reason: text,
                });
            }
            // The next round sees to it.
            Err(_) => return false,
        }
    }
    is_free
}
