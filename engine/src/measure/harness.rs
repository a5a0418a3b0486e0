//! A device that is set up to measure: its runtime is open, and the reference network loaded beside what is measured.

use lglp_registry::{
    Digest, HardwareName, MeasuredNetwork, Measurement, PairedSample, ReferenceNetwork, TimedNetwork, now, plausible,
};
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::json;

use super::ahead::Ahead;
use super::candidate::Told;
use super::memory::admit_operators;
use super::meters::{Device, Window};
use super::references::References;
use super::{
    MeasureError, PairedMeasurement, Protocol, Subject, WEIGHTS_SEED, admit_batch, fingerprint, load_average, median,
};
use crate::host::{NetworkInstance, PluginError, RuntimeInstance};
use crate::networks::{self, GivenNetwork, Rules, rules_of};

/// A device that measures networks of one space, and of none, one at a time.
pub struct MeasurementHarness<'a> {
    space: &'a SearchSpace,
    runtime: &'a RuntimeInstance,
    references: References<'a>,
    protocol: Protocol,
    batch: u32,
    /// By which the runtime executes networks here.
    rules: Option<Rules>,
    /// What the runtime runs on.
    device: Device,
    /// What the runtime rounds times to, milliseconds; 0 where it does not.
    resolution_ms: f64,
    /// The network that is measured next, where the device leaves this processor the time to build it.
    ahead: Option<Ahead>,
    /// This process, as measurements name it.
    process: String,
}

/// What a measurement is recorded as.
#[derive(Clone, Copy)]
pub struct RecordContext<'a> {
    /// The target that is measured.
    pub hardware: &'a HardwareName,
    /// 0 for the first measurement of an architecture, 1 and up for repeated ones.
    pub replicate: u32,
    /// The latency of the target's reference network, milliseconds.
    pub reference_ms: f64,
    /// Remarks that it begins with.
    pub flags: &'a [String],
    /// Whether to go on, asked between runs.
    pub goes_on: &'a dyn Fn() -> bool,
}

impl<'a> MeasurementHarness<'a> {
    /// Loads the reference network, which is of `reference_space`.
    pub fn new(
        space: &'a SearchSpace,
        reference_space: &'a SearchSpace,
        runtime: &'a RuntimeInstance,
        protocol: Protocol,
        batch: u32,
    ) -> Result<Self, PluginError> {
        let description = runtime.describe()?;
        Ok(Self {
            space,
            runtime,
            references: References::load(reference_space, runtime, batch)?,
            protocol,
            batch,
            rules: rules_of(&fingerprint(&description)),
            device: Device::of_runtime(&description),
            resolution_ms: description["resolution_ms"].as_f64().unwrap_or(0.0),
            ahead: None,
            process: format!("{}@{}", std::process::id(), now()),
        })
    }

    /// The reference network's latency here, milliseconds. `progress` is told how many runs are done.
    pub fn calibrate(&mut self, progress: impl FnMut(usize)) -> Result<f64, PluginError> {
        self.references.calibrate(progress)
    }

    /// Larger reference networks with their latencies, milliseconds, where that of the target's own is `own_ms`.
    pub fn compare(&mut self, own_ms: f64) -> Result<Vec<TimedNetwork>, PluginError> {
        self.references.compare(own_ms, &self.protocol, &self.device)
    }

    /// Takes the larger reference networks that a target has.
    pub fn know(&mut self, reference: Option<&ReferenceNetwork>) {
        self.references.know(reference);
    }

    /// Measures one network. `next`: the architecture that is measured after it, where that is known.
    pub fn measure(
        &mut self,
        subject: &Subject,
        next: Option<&Architecture>,
        context: RecordContext<'_>,
    ) -> Result<(Measurement, PairedMeasurement), MeasureError> {
        let (onnx, network) = match subject {
            Subject::Architecture(architecture) => (self.built(architecture)?, None),
            Subject::Network(given) => {
                let (onnx, network) = self.given(given)?;
                (onnx, Some(network))
            }
            // Its space tells what it is.
            Subject::Exported(_, given) => (self.given(given)?.0, None),
        };
        if let Some(next) = next.filter(|next| self.device.is_apart() && self.admit(next).is_ok()) {
            self.ahead = Some(Ahead::begin(self.space, next, self.batch));
        }
        let mut candidate = self.runtime.load(&onnx)?;
        drop(onnx);
        let at_once = self.runtime.runs_at_once();
        let (mut paired, reference) = match self.paired(&mut candidate, at_once, context) {
            Ok(paired) => paired,
            Err(error) => {
                // It may be a reference network that failed; that it cannot be loaded either, the next measurement says.
                if !matches!(error, PluginError::Cancelled { .. }) {
                    let _ = self.references.reload();
                }
                return Err(error.into());
            }
        };
        if paired.energy_j.is_none() {
            paired.energy_j = self.energy_j(&mut candidate, at_once, &paired)?;
        }
        let reference_ms = reference
            .as_ref()
            .map_or(context.reference_ms, |larger| larger.latency_ms);
        let told = subject.told(self.space, network);
        let mut record = self.record(told, &paired, paired.ratio * reference_ms, context)?;
        record.reference = reference;
        Ok((record, paired))
    }

    /// The network of an architecture, as ONNX.
    fn built(&mut self, architecture: &Architecture) -> Result<Vec<u8>, PluginError> {
        self.admit(architecture)?;
        let ahead = self.ahead.take().and_then(|ahead| ahead.network_of(architecture));
        let network = match ahead {
            Some(network) => network,
            None => networks::build(self.space, architecture, self.batch, WEIGHTS_SEED)?,
        };
        Ok(network.onnx)
    }

    /// A network that is given, as ONNX and as what it computes.
    fn given(&self, given: &GivenNetwork) -> Result<(Vec<u8>, MeasuredNetwork), MeasureError> {
        let loaded = given.load(self.rules.as_ref())?;
        if loaded.batch != u64::from(self.batch) {
            return Err(MeasureError::OtherBatch {
                name: given.name().to_owned(),
                batch: loaded.batch,
                here: self.batch,
            });
        }
        let most = self.runtime.network_memory();
        admit_operators(&loaded.operators(), self.batch, most)?;
        let network = loaded.network.clone();
        Ok((loaded.into_onnx(most)?, network))
    }

    /// A candidate's runs beside those of the nearest reference network; which that is, where it is a larger one.
    fn paired(
        &mut self,
        candidate: &mut NetworkInstance<'_>,
        at_once: usize,
        context: RecordContext<'_>,
    ) -> Result<(PairedMeasurement, Option<TimedNetwork>), PluginError> {
        let reference = self.references.nearest(candidate, context.reference_ms)?;
        let told = reference.told();
        let paired = self
            .protocol
            .measure(candidate, reference.network, at_once, &self.device, context.goes_on)?;
        Ok((paired, told))
    }

    fn admit(&self, architecture: &Architecture) -> Result<(), PluginError> {
        admit_batch(self.space, architecture, self.batch, self.runtime.network_memory())
    }

    /// Energy of one run, joules, where a meter of the device tells.
    fn energy_j(
        &self,
        candidate: &mut NetworkInstance<'_>,
        at_once: usize,
        paired: &PairedMeasurement,
    ) -> Result<Option<f64>, PluginError> {
        let Some(meter) = self.device.meter() else {
            return Ok(None);
        };
        let Some(window) = Window::new(self.protocol.energy_window_s, self.protocol.budget_s, meter) else {
            return Ok(None);
        };
        let times: Vec<f64> = paired.pairs.iter().map(|pair| pair.wall_ms).collect();
        window.joules(candidate, meter, at_once, median(&times))
    }

    fn record(
        &self,
        told: Told,
        paired: &PairedMeasurement,
        latency_ms: f64,
        context: RecordContext<'_>,
    ) -> Result<Measurement, MeasureError> {
        if plausible::latency_ms("latency_ms", latency_ms).is_err() {
            return Err(MeasureError::BadLabel {
                architecture: told.text,
                latency_ms,
            });
        }
        let mut flags = context.flags.to_vec();
        if paired.attempts > 1 {
            flags.push(format!("attempts:{}", paired.attempts));
        }
        let coarse = paired.is_coarse(self.resolution_ms, self.protocol.precision);
        let marks = [
            ("throttled", paired.throttled()),
            ("wide", paired.wide),
            ("coarse", coarse),
        ];
        flags.extend(
            marks
                .into_iter()
                .filter(|(_, set)| *set)
                .map(|(mark, _)| mark.to_owned()),
        );
        Ok(Measurement {
            hardware: context.hardware.clone(),
            space: told.space,
            digest: Digest::of(told.text.as_bytes()),
            architecture: told.text,
            replicate: context.replicate,
            latency_ms,
            statistic: self.protocol.statistic().to_owned(),
            protocol: json!(self.protocol),
            samples: paired
                .pairs
                .iter()
                .map(|p| PairedSample {
                    wall_ms: p.wall_ms,
                    cpu_ms: p.cpu_ms,
                    reference_wall_ms: p.reference_wall_ms,
                    reference_cpu_ms: p.reference_cpu_ms,
                })
                .collect(),
            load_average: load_average().unwrap_or(0.0),
            drift: paired.drifted,
            flags,
            measured_at: now(),
            process: self.process.clone(),
            energy_j: paired.energy_j,
            conditions: paired.conditions.clone(),
            reference: None,
            worker: None,
            space_definition: told.space_definition,
            network: told.network,
        })
    }
}
