//! Workers as people see them: what they are doing, how fast they are, and how far their clocks are off.

use lglp_engine::measure::median;
use lglp_openapi::workers::{Worker as Shown, WorkerState};
use lglp_registry::{Error, JobFilter, JobKind, JobState, Recent, Result, Store, Worker};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::jobs::WORKER_LEASE_S;

/// A worker's clock minus this machine's, seconds, by the time that it sent.
///
/// # Errors
/// `Invalid` where it is no time.
pub fn skew(sent_at: &str) -> Result<f64> {
    let sent = OffsetDateTime::parse(sent_at, &Rfc3339)
        .map_err(|e| Error::invalid("sent_at", format!("expected an RFC 3339 time, got {sent_at:?}: {e}")))?;
    Ok((sent - OffsetDateTime::now_utc()).as_seconds_f64())
}

/// Clocks that differ by less are taken as one: a request takes a while, too.
const SKEW_TOLERATED_S: f64 = 5.0;

/// A time by a clock that is off, by this machine's. One that is no time stays as it is, for whoever checks it.
pub fn corrected(time: &str, skew_s: f64) -> String {
    match OffsetDateTime::parse(time, &Rfc3339) {
        Ok(at) if skew_s.abs() > SKEW_TOLERATED_S => {
            let at = at.checked_sub(Duration::seconds_f64(skew_s));
            at.and_then(|at| at.format(&Rfc3339).ok())
                .unwrap_or_else(|| time.to_owned())
        }
        _ => time.to_owned(),
    }
}

/// A worker with what it is doing, what waits for it, and its rate.
///
/// # Errors
/// The common ones of the registry.
pub fn worker_status(store: &dyn Store, worker: Worker) -> Result<Shown> {
    let in_state = |state| {
        let filter = JobFilter {
            hardware: Some(worker.hardware.clone()),
            state: Some(state),
        };
        store.jobs(&filter, usize::MAX)
    };
    let holder = worker.holder();
    let is_own = |job: &lglp_registry::Job| job.lease.as_ref().is_some_and(|lease| lease.holder == holder);
    let job = in_state(JobState::Running)?
        .iter()
        .find(|job| is_own(job))
        .map(|job| job.id);
    let queued = in_state(JobState::Queued)?;
    let (per_hour, timed_share) = rate(&worker.recent).unzip();
    Ok(Shown {
        state: state(&worker, job.is_some()),
        difference: worker.difference,
        name: worker.name.to_string(),
        hardware: worker.hardware.to_string(),
        fingerprint: worker.fingerprint,
        version: worker.version,
        registered_at: worker.registered_at,
        last_seen: worker.last_seen,
        clock_skew_s: worker.clock_skew_s,
        job,
        queued: queued.iter().filter(|job| job.kind == JobKind::Measure).count() as u64,
        measured: worker.measured,
        per_hour,
        timed_share,
        reference_ratio: worker.reference_ratio,
    })
}

fn state(worker: &Worker, has_job: bool) -> WorkerState {
    let seen = OffsetDateTime::parse(&worker.last_seen, &Rfc3339);
    let silence = seen.map_or(f64::INFINITY, |seen| {
        (OffsetDateTime::now_utc() - seen).as_seconds_f64()
    });
    if worker.signed_off {
        WorkerState::Gone
    } else if silence > f64::from(WORKER_LEASE_S) {
        WorkerState::Silent
    } else if worker.difference.is_some() {
        WorkerState::Unconfirmed
    } else if has_job {
        WorkerState::Measuring
    } else {
        WorkerState::Idle
    }
}

/// Measurements an hour, and the share of the time that was spent on timed runs. By the median distance of measurements, so
/// that a break between two jobs does not count; a share cannot exceed one, whatever clocks say.
fn rate(recent: &[Recent]) -> Option<(f64, f64)> {
    let at = |recent: &Recent| OffsetDateTime::parse(&recent.measured_at, &Rfc3339).ok();
    let pairs = recent.windows(2).filter_map(|pair| {
        let took = (at(&pair[1])? - at(&pair[0])?).as_seconds_f64();
        (took > 0.0).then(|| (took, (pair[1].timed_s / took).min(1.0)))
    });
    let (intervals, shares): (Vec<f64>, Vec<f64>) = pairs.unzip();
    (!intervals.is_empty()).then(|| (3600.0 / median(&intervals), median(&shares)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_between_two_jobs_is_no_slower_rate() {
        let recent = |second: u32, timed_s| Recent {
            measured_at: format!("2026-01-31T12:{:02}:{:02}Z", second / 60, second % 60),
            timed_s,
        };
        assert_eq!(rate(&[recent(0, 1.0)]), None);
        let times = [0, 10, 20, 1500, 1510].map(|second| recent(second, 7.5));
        assert_eq!(rate(&times), Some((360.0, 0.75)));
    }

    #[test]
    fn times_of_a_clock_that_is_off_are_corrected() {
        let at = "2026-01-31T13:00:00Z";
        assert_eq!(corrected(at, 3600.0), "2026-01-31T12:00:00Z");
        assert_eq!(corrected(at, -0.4), at);
        assert_eq!(corrected("noon", 3600.0), "noon");
        let now = OffsetDateTime::now_utc() + Duration::seconds(100);
        let skew = skew(&now.format(&Rfc3339).unwrap()).unwrap();
        assert!((99.0..100.1).contains(&skew), "{skew}");
    }
}
