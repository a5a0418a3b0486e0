//! What a worker tells of its day: a line each for people, an object each for programs.

use std::fmt;
use std::path::PathBuf;

use lglp_sdk::count;
use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Measurements of a process before wait to be handed over.
    Resumed {
        waiting: usize,
        folder: PathBuf,
    },
    Registered {
        worker: String,
        hardware: String,
        server: String,
        runtime: String,
    },
    /// What waited was measured for another target of the name; it is written down apart.
    OfAnotherTarget {
        others: usize,
        folder: PathBuf,
    },
    /// The machine is another one than its target's.
    Unconfirmed {
        reason: String,
        again_s: u64,
    },
    Calibrating {
        done: usize,
        of: usize,
    },
    /// The reference network's latency here, and the target's.
    Calibrated {
        latency_ms: f64,
        target_ms: f64,
        ratio: f64,
    },
    /// Another process measures on the device.
    Waiting,
    /// The machine is too unlike its target's, or is throttled.
    Unlike {
        ratio: f64,
        again_s: u64,
    },
    Leased {
        job: u64,
        space: String,
        replicate: u32,
        done: usize,
        total: usize,
    },
    Measured {
        job: u64,
        architecture: String,
        latency_ms: f64,
        half_width: f64,
        done: usize,
        total: usize,
    },
    /// Measuring an architecture failed, and is tried again.
    Retried {
        architecture: String,
        reason: String,
    },
    /// A network cannot be measured here; the job goes on without it.
    LeftOut {
        name: String,
        reason: String,
    },
    /// What was measured for the job is with the server, and the job is over.
    Finished {
        job: u64,
        measured: usize,
    },
    Failed {
        job: u64,
        reason: String,
    },
    Released {
        job: u64,
        reason: String,
    },
    /// Somebody else has the job by now.
    LeaseLost {
        job: u64,
        unsent: usize,
    },
    ServerLost {
        reason: String,
    },
    ServerBack {
        after_s: f64,
    },
    /// The disk takes no measurement: they stay in memory.
    DiskFull {
        reason: String,
    },
    DiskBack,
    /// The server refuses a measurement; it is written down apart.
    Refused {
        architecture: String,
        reason: String,
    },
    Blocked {
        reason: String,
        again_s: u64,
    },
    Draining,
    /// The end. `unsent` measurements wait for the next start.
    Drained {
        unsent: usize,
        folder: PathBuf,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resumed { waiting, folder } => {
                let waiting = count(*waiting, "finished measurement");
                write!(f, "{waiting} to be handed over, in {}", folder.display())
            }
            Self::Registered {
                worker,
                hardware,
                server,
                runtime,
            } => write!(
                f,
                "registered as {worker} at {server}: measures {hardware} with {runtime}"
            ),
            Self::OfAnotherTarget { others, folder } => {
                let others = count(*others, "finished measurement");
                let folder = folder.display();
                write!(
                    f,
                    "{others} of another target of this name are not handed over: refused.jsonl in {folder} has them"
                )
            }
            Self::Unconfirmed { reason, again_s } => {
                write!(f, "not admitted: {reason}; asking again every {again_s} s")
            }
            Self::Calibrating { done, of } => write!(f, "calibrating the reference network: {done} of {of} runs"),
            Self::Calibrated {
                latency_ms,
                target_ms,
                ratio,
            } => write!(
                f,
                "the reference network takes {latency_ms:.2} ms here, {target_ms:.2} ms on the target ({:+.1} %)",
                percent(*ratio)
            ),
            Self::Waiting => f.write_str("another process measures on the device: waiting for a turn"),
            Self::Unlike { ratio, again_s } => write!(
                f,
                "the reference network is {:+.0} % off its target's: another machine, or one that is throttled or busy; \
                 not measuring, looking again in {again_s} s",
                percent(*ratio)
            ),
            Self::Leased {
                job,
                space,
                replicate,
                done,
                total,
            } => write!(
                f,
                "leased job {job}: {} of {space}, replicate {replicate}, {done} done",
                count(*total, "architecture")
            ),
            Self::Measured {
                job,
                latency_ms,
                half_width,
                done,
                total,
                ..
            } => write!(
                f,
                "job {job}: {done} of {total} measured, the last {latency_ms:.2} ms +- {:.1} %",
                100.0 * half_width
            ),
            Self::Retried { architecture, reason } => write!(f, "trying {architecture} again: {reason}"),
            Self::LeftOut { name, reason } => write!(f, "left out: {name}: {reason}"),
            Self::Finished { job, measured } => write!(f, "finished job {job}: {measured} measured here"),
            Self::Failed { job, reason } => write!(f, "gave up job {job}: {reason}"),
            Self::Released { job, reason } => write!(f, "gave job {job} back: {reason}"),
            Self::LeaseLost { job, unsent } => write!(
                f,
                "the lease on job {job} is over; to go with the next lease: {}",
                count(*unsent, "finished measurement")
            ),
            Self::ServerLost { reason } => write!(f, "server lost: {reason}; trying again"),
            Self::ServerBack { after_s } => write!(f, "server back after {after_s:.0} s"),
            Self::DiskFull { reason } => write!(
                f,
                "cannot keep measurements on disk: {reason}; sending each before the next begins"
            ),
            Self::DiskBack => write!(f, "measurements are kept on disk again"),
            Self::Refused { architecture, reason } => {
                write!(f, "the server refuses the measurement of {architecture}: {reason}")
            }
            Self::Blocked { reason, again_s } => write!(f, "{reason}; trying again in {again_s} s"),
            Self::Draining => write!(
                f,
                "draining: finishing the architecture in hand; a second signal ends at once"
            ),
            Self::Drained { unsent: 0, .. } => write!(f, "drained"),
            Self::Drained { unsent, folder } => write!(
                f,
                "drained; {} to be handed over at the next start, in {}",
                count(*unsent, "finished measurement"),
                folder.display()
            ),
        }
    }
}

/// How far a ratio is from 1.
fn percent(ratio: f64) -> f64 {
    100.0 * (ratio - 1.0)
}
