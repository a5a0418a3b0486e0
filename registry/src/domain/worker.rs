//! Workers: processes on other machines that measure there for the registry.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{finite, limits};
use crate::{Error, HardwareName, LeaseHolder, Measurement, Result, WorkerName};

/// Measurements by which a worker's rate is told.
pub(crate) const RECENT: usize = 20;

/// A worker that comes, or comes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewWorker {
    /// Its name; also the device that its leases are on.
    pub name: WorkerName,
    /// The hardware target that it measures for.
    pub hardware: HardwareName,
    /// Tells its process from those of the same name before and after.
    pub instance: String,
    /// Its machine and runtime.
    pub fingerprint: Value,
    /// In what its machine differs from its target's, if it does: it gets no work then until that is confirmed.
    pub difference: Option<String>,
    /// Of the program.
    pub version: String,
}

impl NewWorker {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("version", &self.version)?;
        limits::bytes("version", self.version.len(), limits::VERSION)?;
        limits::document("fingerprint", &self.fingerprint, limits::DESCRIPTION)?;
        let length = self.instance.len();
        if !(8..=64).contains(&length) || !self.instance.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let rule = "expected 8 to 64 letters and digits, drawn at random by each process";
            return Err(Error::invalid("instance", rule));
        }
        Ok(())
    }
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name; also the device that its leases are on.
    pub name: WorkerName,
    /// The hardware target that it measures for.
    pub hardware: HardwareName,
    /// Tells its process from those of the same name before and after.
    pub instance: String,
    /// Its machine and runtime.
    pub fingerprint: Value,
    /// In what its machine differs from its target's; none where it does not, or where that was confirmed.
    pub difference: Option<String>,
    /// Of the program.
    pub version: String,
    /// When this process registered; RFC 3339, UTC.
    pub registered_at: String,
    /// Its last sign of life; RFC 3339, UTC.
    pub last_seen: String,
    /// Its clock minus the registry's, in seconds, by its last sign of life.
    pub clock_skew_s: f64,
    /// Whether it has signed off.
    pub signed_off: bool,
    /// Its measurements that were recorded since it registered.
    pub measured: u64,
    /// The last of them, at most `RECENT`, oldest first.
    pub recent: Vec<Recent>,
    /// Its own latency of the reference network against its target's.
    pub reference_ratio: Option<f64>,
    /// Who registered it first; empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub registered_by: String,
    /// Who registered this process; empty where that is whoever registered the name first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub process_of: String,
}

/// When a measurement ended, and what of its time was spent on timed runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// RFC 3339.
    pub measured_at: String,
    /// Seconds.
    pub timed_s: f64,
}

impl Recent {
    /// What is remembered of a measurement.
    pub fn of(measurement: &Measurement) -> Self {
        let timed = measurement.samples.iter().map(|s| s.wall_ms + s.reference_wall_ms);
        Self {
            measured_at: measurement.measured_at.clone(),
            timed_s: timed.sum::<f64>() / 1e3,
        }
    }
}

impl Worker {
    /// Under what name it holds leases.
    pub fn holder(&self) -> LeaseHolder {
        LeaseHolder::Worker {
            name: self.name.clone(),
            instance: Some(self.instance.clone()),
        }
    }

    /// Who registered this process, and speaks for it.
    pub fn speaker(&self) -> &str {
        match self.process_of.as_str() {
            "" => &self.registered_by,
            name => name,
        }
    }
}

/// What a worker tells beside what it came for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SignOfLife {
    /// Its clock minus the registry's, in seconds, where it told its time.
    pub clock_skew_s: Option<f64>,
    /// Its own latency of the reference network against its target's, where it has measured it now.
    pub reference_ratio: Option<f64>,
}

impl SignOfLife {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        self.clock_skew_s.map_or(Ok(()), |value| finite("sent_at", value))?;
        self.reference_ratio.map_or(Ok(()), |value| finite("reference", value))
    }
}

/// What became of measurements that were recorded under a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Recorded now.
    pub accepted: usize,
    /// Measured before, by whomever: what is recorded stays.
    pub known: usize,
}
