//! A campaign: measuring many architectures of a space on one hardware target, resumably.

use lglp_registry::{
    Digest, HardwareName, HardwareTarget, Measurement, NewHardware, PairedSample, ReferenceNetwork, Store,
};
use lglp_sdk::{Architecture, SearchSpace};
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::plan::{Draw, plan};
use super::repeatability::Repeatability;
use super::{
    CALIBRATION_RUNS, PairedMeasurement, Protocol, WEIGHTS_SEED, calibrate, load_average, of_this_machine,
    reference_architecture,
};
use crate::networks;
use crate::plugins::{Kind, NetworkInstance, PluginError, PluginHost, RuntimeInstance};

/// What to measure, and where.
pub struct Campaign<'a> {
    pub store: &'a dyn Store,
    pub host: &'a PluginHost,
    pub space: &'a SearchSpace,
    pub hardware: &'a HardwareName,
    /// Runtime of the target, where it is to be created.
    pub runtime: &'a str,
    pub protocol: Protocol,
    pub wanted: Wanted<'a>,
    /// Who measures, for the audit log.
    pub actor: &'a str,
}

/// Which architectures a campaign measures; finished ones count in.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// New ones, drawn uniformly and weighted.
    Fresh { seed: u64, uniform: usize, weighted: usize },
    /// Some of round 0 again, for the noise floor; `round` is 1 or more.
    Again { round: u32, count: usize },
    /// These ones.
    These {
        round: u32,
        architectures: &'a [Architecture],
    },
}

impl Wanted<'_> {
    /// The round of the measurements.
    pub fn round(&self) -> u32 {
        match self {
            Self::Fresh { .. } => 0,
            Self::Again { round, .. } | Self::These { round, .. } => *round,
        }
    }
}

/// Progress of a campaign.
#[derive(Clone, Copy, Debug)]
pub enum CampaignEvent {
    Calibrating { done: usize, of: usize },
    Resuming { done: usize },
    Measured { latency_ms: f64, half_width: f64 },
}

/// What a campaign ended with.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Measured by this run.
    pub measured: usize,
    /// Measurements of the round by now.
    pub total: usize,
    /// How the round's labels compare with those of round 0; only of repetitions.
    pub repeatability: Option<Repeatability>,
}

/// Why a campaign stopped. Every finished measurement is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Labels of two machines in one target would be worthless.
    #[error(
        "`{hardware}` was created on another machine: its {fact} is {there}, this one's is {here}; measure here under \
         another name, e.g. --hardware {hardware}-2"
    )]
    OtherMachine {
        hardware: HardwareName,
        fact: &'static str,
        there: String,
        here: String,
    },
    /// Repetitions need something to repeat.
    #[error("round {round} repeats architectures of round 0, of which there are {available}; asked for {asked}")]
    NothingToRepeat { round: u32, available: usize, asked: usize },
    /// It was asked to.
    #[error("stopped")]
    Stopped,
    /// The runtime's times make no sense.
    #[error("{architecture}: the label came out as {latency_ms} ms; is the runtime's clock working?")]
    BadLabel { architecture: String, latency_ms: f64 },
}

/// Facts of a fingerprint that must agree for labels to belong together. The kernel may be updated.
const IDENTITY: [&str; 4] = ["architecture", "cpu", "cores", "simd"];

/// Whether a target can be measured on this machine, as far as the machine goes.
pub fn is_at_hand(target: &HardwareTarget) -> bool {
    other_machine(target, &of_this_machine()).is_none()
}

/// The first fact in which a target's machine is another one.
fn other_machine(target: &HardwareTarget, machine: &serde_json::Value) -> Option<&'static str> {
    IDENTITY
        .into_iter()
        .find(|fact| target.fingerprint[fact] != machine[fact])
}

/// Setting of a target that is lglp's own, the others being the runtime's.
const BATCH_SIZE: &str = "batch_size";

impl Campaign<'_> {
    /// Measures what is missing. A measurement is durable before the next begins; before each, `stopped` is asked.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(CampaignEvent),
        stopped: &dyn Fn() -> bool,
    ) -> Result<Summary, MeasureError> {
        let known = match self.store.hardware(self.hardware) {
            Ok(target) => Some(target),
            Err(lglp_registry::Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let (runtime_name, settings) = match &known {
            Some(target) => (target.runtime.clone(), runtime_settings(target)),
            None => (self.runtime.to_owned(), json!({})),
        };
        let runtime = RuntimeInstance::open(self.host.component(Kind::Runtime, &runtime_name)?, &settings)?;
        let reference_network = networks::build(self.space, &reference_architecture(self.space), 1, WEIGHTS_SEED);
        let mut reference = runtime.load(&reference_network.onnx)?;
        let target = self.target(known, &runtime, &mut reference, progress)?;
        let reference_ms = target.reference.as_ref().map_or(f64::NAN, |r| r.latency_ms);
        let done = self
            .store
            .measured_digests(self.hardware, &self.space.name, self.wanted.round())?;
        let plan = self.plan()?;
        progress(CampaignEvent::Resuming {
            done: plan.iter().filter(|(_, a)| done.contains(&self.digest(a))).count(),
        });
        let process = format!("{}@{}", std::process::id(), now());
        let mut measured = 0;
        for (draw, architecture) in plan.iter().filter(|(_, a)| !done.contains(&self.digest(a))) {
            if stopped() {
                return Err(MeasureError::Stopped);
            }
            let network = networks::build(self.space, architecture, 1, WEIGHTS_SEED);
            let mut candidate = runtime.load(&network.onnx)?;
            let paired = self.protocol.measure(&mut candidate, &mut reference)?;
            let record = self.record(*draw, architecture, &paired, paired.ratio * reference_ms, &process)?;
            self.store.record_measurement(&record, self.actor)?;
            measured += 1;
            progress(CampaignEvent::Measured {
                latency_ms: record.latency_ms,
                half_width: paired.half_width,
            });
        }
        self.summary(measured)
    }

    /// The target, created and calibrated where that was not done yet.
    fn target(
        &self,
        known: Option<HardwareTarget>,
        runtime: &RuntimeInstance,
        reference: &mut NetworkInstance<'_>,
        progress: &mut dyn FnMut(CampaignEvent),
    ) -> Result<HardwareTarget, MeasureError> {
        let machine = of_this_machine();
        if let Some(target) = &known {
            if let Some(fact) = other_machine(target, &machine) {
                return Err(MeasureError::OtherMachine {
                    hardware: self.hardware.clone(),
                    fact,
                    there: target.fingerprint[fact].to_string(),
                    here: machine[fact].to_string(),
                });
            }
            if target.reference.is_some() {
                return Ok(target.clone());
            }
        }
        let mut done = 0;
        let latency_ms = calibrate(reference, || {
            done += 1;
            progress(CampaignEvent::Calibrating {
                done,
                of: CALIBRATION_RUNS,
            });
        })?;
        let description = runtime.describe()?;
        let reference = ReferenceNetwork {
            digest: self.digest(&reference_architecture(self.space)),
            latency_ms,
        };
        let new = match known {
            Some(target) => NewHardware {
                name: target.name,
                runtime: target.runtime,
                settings: target.settings,
                fingerprint: target.fingerprint,
                reference: Some(reference),
            },
            None => {
                let mut fingerprint = machine;
                fingerprint["runtime"] = description.clone();
                let threads = description["threads"].clone();
                NewHardware {
                    name: self.hardware.clone(),
                    runtime: self.runtime.to_owned(),
                    settings: [(BATCH_SIZE.to_owned(), json!(1)), ("threads".to_owned(), threads)].into(),
                    fingerprint,
                    reference: Some(reference),
                }
            }
        };
        Ok(self.store.put_hardware(&new, self.actor)?)
    }

    /// The architectures of the round. Repetitions take those of round 0 in the order of their digests: another order.
    fn plan(&self) -> Result<Vec<(Draw, Architecture)>, MeasureError> {
        let (round, count) = match self.wanted {
            Wanted::Fresh {
                seed,
                uniform,
                weighted,
            } => return Ok(plan(self.space, seed, uniform, weighted)),
            Wanted::These { architectures, .. } => {
                return Ok(architectures.iter().map(|a| (Draw::Uniform, a.clone())).collect());
            }
            Wanted::Again { round, count } => (round, count),
        };
        let first = self.store.measurements(self.hardware, &self.space.name, Some(0))?;
        if first.len() < count {
            return Err(MeasureError::NothingToRepeat {
                round,
                available: first.len(),
                asked: count,
            });
        }
        let architectures = first
            .iter()
            .filter_map(|m| Some((Draw::Uniform, self.space.architecture_from_text(&m.architecture).ok()?)));
        Ok(architectures.take(count).collect())
    }

    fn digest(&self, architecture: &Architecture) -> Digest {
        Digest::of(self.space.canonical_text(architecture).as_bytes())
    }

    fn record(
        &self,
        draw: Draw,
        architecture: &Architecture,
        paired: &PairedMeasurement,
        latency_ms: f64,
        process: &str,
    ) -> Result<Measurement, MeasureError> {
        let text = self.space.canonical_text(architecture);
        if !(latency_ms.is_finite() && latency_ms > 0.0) {
            return Err(MeasureError::BadLabel {
                architecture: text,
                latency_ms,
            });
        }
        let mut flags: Vec<String> = draw.flag().map(str::to_owned).into_iter().collect();
        if paired.attempts > 1 {
            flags.push(format!("attempts:{}", paired.attempts));
        }
        Ok(Measurement {
            hardware: self.hardware.clone(),
            space: self.space.name.clone(),
            digest: Digest::of(text.as_bytes()),
            architecture: text,
            round: self.wanted.round(),
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
            process: process.to_owned(),
        })
    }

    fn summary(&self, measured: usize) -> Result<Summary, MeasureError> {
        let these = self
            .store
            .measurements(self.hardware, &self.space.name, Some(self.wanted.round()))?;
        let repeatability = match self.wanted.round() {
            0 => None,
            _ => Repeatability::of(
                &self.store.measurements(self.hardware, &self.space.name, Some(0))?,
                &these,
            ),
        };
        Ok(Summary {
            measured,
            total: these.len(),
            repeatability,
        })
    }
}

/// The settings of a target that are its runtime's.
fn runtime_settings(target: &HardwareTarget) -> serde_json::Value {
    let own = target.settings.iter().filter(|(name, _)| *name != BATCH_SIZE);
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn now() -> String {
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .expect("the present has four digits of years")
}
