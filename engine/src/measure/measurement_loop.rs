//! The loop that measures: one candidate after the other, each kept before the next begins, in turns with other processes on the
//! device. What differs between a campaign here and a worker elsewhere is where architectures come from and where measurements go.

use std::io;

use lglp_registry::{HardwareName, Measurement};
use lglp_sdk::Architecture;

use super::{Candidate, DeviceLock, MeasureError, MeasurementHarness, RecordContext};

/// A source of what is to be measured and a sink of their measurements.
pub trait MeasurementWork {
    /// Why measuring ends before everything is measured.
    type Stop;

    /// The next one; none where everything is measured.
    fn next(&mut self) -> Result<Option<Candidate>, Self::Stop>;

    /// The architecture after that, where it is known: its network is built meanwhile.
    fn upcoming(&self) -> Option<&Architecture>;

    /// Whether to go on with another one, asked also while another process measures.
    fn goes_on(&self) -> Result<(), Self::Stop>;

    /// Whether nobody wants the one that is being measured any more: asked between its runs.
    fn is_cancelled(&self) -> bool;

    /// Called before each attempt: returns once another measurement can be kept.
    fn ready(&mut self) -> Result<(), Self::Stop>;

    /// Called where another process has the device.
    fn waits(&self);

    /// What ends measuring where processes cannot take turns.
    fn unlockable(&self, reason: io::Error) -> Self::Stop;

    /// Keeps a measurement. `half_width` is that of the 95 % confidence interval of its ratio to the reference network, relative to
    /// the ratio.
    fn keep(&mut self, measurement: Measurement, half_width: f64) -> Result<(), Self::Stop>;

    /// Hears that an attempt failed. Whether there is to be another one: else the candidate is left out.
    fn failed(&mut self, candidate: &Candidate, error: MeasureError) -> Result<bool, Self::Stop>;
}

/// What all measurements of a loop have in common.
pub struct MeasurementLoop<'a, 'r> {
    /// By which processes take turns.
    pub lock: &'a DeviceLock,
    /// The open runtime and its reference networks.
    pub harness: MeasurementHarness<'r>,
    /// The target that is measured for.
    pub hardware: &'a HardwareName,
    /// The replicate that measurements are of.
    pub replicate: u32,
    /// The target's latency of its reference network, milliseconds.
    pub reference_ms: f64,
}

impl MeasurementLoop<'_, '_> {
    /// Measures until there is nothing left to measure.
    ///
    /// # Errors
    /// Why it ends before.
    pub fn run<W: MeasurementWork>(&mut self, work: &mut W) -> Result<(), W::Stop> {
        while let Some(candidate) = work.next()? {
            while !self.attempt(work, &candidate)? {}
        }
        Ok(())
    }

    /// Tries to measure; whether the candidate is done with.
    fn attempt<W: MeasurementWork>(&mut self, work: &mut W, candidate: &Candidate) -> Result<bool, W::Stop> {
        work.goes_on()?;
        work.ready()?;
        let lock = self.lock;
        let turn = lock.turn(|| work.waits(), &|| work.goes_on().is_err());
        let turn = turn.map_err(|reason| work.unlockable(reason))?;
        // Another process's architecture may have taken minutes.
        work.goes_on()?;
        // Held until the measurement is kept: a disk that is busy disturbs others.
        let Some(_turn) = turn else { return Ok(false) };
        let context = RecordContext {
            hardware: self.hardware,
            replicate: self.replicate,
            reference_ms: self.reference_ms,
            flags: &candidate.flags,
            goes_on: &|| !work.is_cancelled(),
        };
        match self.harness.measure(&candidate.subject, work.upcoming(), context) {
            Ok((measurement, paired)) => work.keep(measurement, paired.half_width).map(|()| true),
            Err(error) => {
                if work.is_cancelled() {
                    work.goes_on()?;
                }
                work.failed(candidate, error).map(|again| !again)
            }
        }
    }
}
