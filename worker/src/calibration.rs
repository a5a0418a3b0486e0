//! How this machine compares with its target: the reference network's latency here against the target's.

use lglp_client::Failure;
use lglp_engine::host::PluginError;
use lglp_engine::measure::{CALIBRATION_RUNS, MeasurementHarness, reference_network};
use lglp_openapi::workers::Calibrated;
use lglp_registry::ReferenceNetwork;
use lglp_sdk::SearchSpace;

use super::connection::ServerConnection;
use super::device::Device;
use super::error::WorkerError;
use super::event::Event;

/// Beyond it every measurement says how far the machine is off.
const REMARKABLE: f64 = 0.05;

/// Beyond it the machine measures nothing.
const UNLIKE: f64 = 0.25;

/// Calibrations where a machine seems unlike its target, before it counts as such: shared machines are slow for a while.
const ATTEMPTS: usize = 3;

/// What one process knows of one reference network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calibration {
    /// Of the reference network.
    pub digest: String,
    /// The target's latency, which labels are relative to, milliseconds.
    pub target_ms: f64,
    /// This machine's to the target's.
    pub ratio: f64,
    /// The target's.
    pub reference: ReferenceNetwork,
}

/// Why there is no calibration.
pub(crate) enum Uncalibrated {
    Plugin(PluginError),
    Failure(Failure),
    Worker(WorkerError),
    /// The work is to stop.
    Stopped,
}

impl Calibration {
    /// Whether the machine is so far off that its labels do not belong with the target's.
    pub(crate) fn is_unlike(&self) -> bool {
        (self.ratio - 1.0).abs() > UNLIKE
    }

    /// What each measurement says where the machine is off.
    pub(crate) fn flag(&self) -> Option<String> {
        let off = self.ratio - 1.0;
        (off.abs() > REMARKABLE).then(|| format!("reference:{:+.0}%", 100.0 * off))
    }

    /// Measures the reference network and tells the server; the target has this latency where it had none. `is_first`: whether it had
    /// none when the job was leased, so that larger ones are compared, too.
    pub(crate) fn take(
        connection: &ServerConnection,
        device: &Device<'_>,
        reference_space: &SearchSpace,
        harness: &mut MeasurementHarness<'_>,
        is_first: bool,
        goes_on: impl Fn() -> bool,
    ) -> Result<Self, Uncalibrated> {
        let mut best: Option<Self> = None;
        for _ in 0..ATTEMPTS {
            let calibration = Self::once(connection, device, reference_space, harness, is_first, &goes_on)?;
            if best.as_ref().is_none_or(|b| calibration.ratio < b.ratio) {
                best = Some(calibration);
            }
            if best.as_ref().is_some_and(|best| !best.is_unlike()) || !goes_on() {
                break;
            }
        }
        Ok(best.expect("one attempt at least"))
    }

    fn once(
        connection: &ServerConnection,
        device: &Device<'_>,
        reference_space: &SearchSpace,
        harness: &mut MeasurementHarness<'_>,
        is_first: bool,
        goes_on: &impl Fn() -> bool,
    ) -> Result<Self, Uncalibrated> {
        let of = CALIBRATION_RUNS;
        let turn = device
            .lock
            .turn(|| (connection.report)(&Event::Waiting), &|| !goes_on())
            .map_err(|reason| {
                let path = device.lock.file().display().to_string();
                Uncalibrated::Worker(WorkerError::DeviceLock { path, reason })
            })?;
        let turn = turn.ok_or(Uncalibrated::Stopped)?;
        let latency_ms = harness
            .calibrate(|done| (connection.report)(&Event::Calibrating { done, of }))
            .map_err(Uncalibrated::Plugin)?;
        let own = reference_network(reference_space, latency_ms);
        let mut own = own.map_err(|none| Uncalibrated::Plugin(none.into()))?;
        if is_first {
            own.larger = harness.compare(latency_ms).map_err(Uncalibrated::Plugin)?;
        }
        drop(turn);
        let told = connection.ask(goes_on, |api| api.calibrate(own.clone()));
        let Calibrated { reference, ratio } = told.map_err(Uncalibrated::Failure)?;
        let target_ms = reference.latency_ms;
        (connection.report)(&Event::Calibrated {
            latency_ms,
            target_ms,
            ratio,
        });
        Ok(Self {
            digest: own.digest.to_string(),
            target_ms,
            ratio,
            reference,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off_by(percent: f64) -> Calibration {
        Calibration {
            digest: String::new(),
            target_ms: 1.0,
            ratio: 1.0 + percent / 100.0,
            reference: ReferenceNetwork {
                digest: lglp_registry::Digest::of(b""),
                latency_ms: 1.0,
                larger: Vec::new(),
            },
        }
    }

    #[test]
    fn measurements_say_how_far_the_machine_is_off() {
        for (percent, flag, unlike) in [
            (0.0, None, false),
            (4.9, None, false),
            (-4.9, None, false),
            (12.0, Some("reference:+12%"), false),
            (-12.0, Some("reference:-12%"), false),
            (26.0, Some("reference:+26%"), true),
            (-30.0, Some("reference:-30%"), true),
        ] {
            let calibration = off_by(percent);
            assert_eq!(calibration.flag().as_deref(), flag, "{percent}");
            assert_eq!(calibration.is_unlike(), unlike, "{percent}");
        }
    }
}
