//! Measurements: ground truth of one architecture on one hardware target.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{finite, item, items, limits, plausible, remarks};
use crate::{Conditions, Digest, Error, HardwareName, Result, TimedNetwork, clock, names};

/// The latency of one architecture on one hardware target, with everything needed to judge it later. It is found by
/// hardware, space, digest and round, and written once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The hardware target.
    pub hardware: HardwareName,
    /// The search space.
    pub space: String,
    /// The architecture's canonical text.
    pub architecture: String,
    /// The digest of the canonical text.
    pub digest: Digest,
    /// 0 for the first measurement of an architecture, 1 and up for repeated ones.
    pub round: u32,
    /// The latency, in milliseconds.
    pub latency_ms: f64,
    /// How it was made from the samples: `median`, ...
    pub statistic: String,
    /// How the samples were taken: warm-up, runs, budget, ...
    pub protocol: Value,
    /// Every sample taken, in order.
    pub samples: Vec<PairedSample>,
    /// The machine's load average over one minute when the measurement began.
    pub load_average: f64,
    /// Whether the reference network drifted beyond the bound meanwhile.
    pub drift: bool,
    /// Other remarks on its quality, in the measurer's words.
    pub flags: Vec<String>,
    /// When it was finished; RFC 3339.
    pub measured_at: String,
    /// The run of the measuring process.
    pub process: String,
    /// Energy that the device spent on one inference, in joules, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
    /// The state of the device meanwhile, as far as it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// The larger network that it was paired with in the place of the target's reference network, where one was nearer to it in
    /// size: with the latency that the label was reckoned by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<TimedNetwork>,
    /// The worker that measured it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Which networks the space's texts named then: the digest of what they leave to its definition. `None` in measurements from
    /// before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space_definition: Option<Digest>,
}

/// A space of which a hardware target has measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredSpace {
    /// Its name.
    pub space: String,
    /// The definition that the measurements belong to, all of them; `None` where none of them tells.
    pub definition: Option<Digest>,
}

/// One run of the architecture beside one of the reference network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedSample {
    /// Elapsed time of the architecture, in milliseconds.
    pub wall_ms: f64,
    /// Processor time of the thread that ran the architecture, in milliseconds; 0 where the runtime does not know it.
    pub cpu_ms: f64,
    /// Elapsed time of the reference network, in milliseconds.
    pub reference_wall_ms: f64,
    /// The same of the reference network.
    pub reference_cpu_ms: f64,
}

impl PairedSample {
    fn check(&self) -> Result<()> {
        plausible::elapsed_ms("wall_ms", self.wall_ms)?;
        plausible::elapsed_ms("cpu_ms", self.cpu_ms)?;
        plausible::elapsed_ms("reference_wall_ms", self.reference_wall_ms)?;
        plausible::elapsed_ms("reference_cpu_ms", self.reference_cpu_ms)
    }
}

impl Measurement {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        names::check("space", &self.space)?;
        let digest = Digest::of(self.architecture.as_bytes());
        if digest != self.digest {
            return Err(Error::invalid(
                "digest",
                format!("the architecture's digest is {digest}, not {}", self.digest),
            ));
        }
        limits::bytes("architecture", self.architecture.len(), limits::ARCHITECTURE)?;
        plausible::latency_ms("latency_ms", self.latency_ms)?;
        limits::text("statistic", &self.statistic)?;
        limits::document("protocol", &self.protocol, limits::DESCRIPTION)?;
        limits::count("samples", self.samples.len(), limits::SAMPLES)?;
        remarks("flags", &self.flags)?;
        limits::short("process", &self.process)?;
        self.worker
            .as_ref()
            .map_or(Ok(()), |worker| limits::short("worker", worker))?;
        finite("load_average", self.load_average)?;
        self.energy_j
            .map_or(Ok(()), |energy| plausible::energy_j("energy_j", energy))?;
        self.conditions.as_ref().map_or(Ok(()), Conditions::check)?;
        self.reference.as_ref().map_or(Ok(()), |reference| {
            plausible::latency_ms("reference.latency_ms", reference.latency_ms)
        })?;
        item("samples", items(&self.samples, PairedSample::check))?;
        clock::check("measured_at", &self.measured_at)
    }

    /// The first field in which two measurements of one key differ, if any. One that does not tell its definition may have any.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            ("architecture", self.architecture != other.architecture),
            ("latency_ms", self.latency_ms != other.latency_ms),
            ("statistic", self.statistic != other.statistic),
            ("protocol", self.protocol != other.protocol),
            ("samples", self.samples != other.samples),
            ("load_average", self.load_average != other.load_average),
            ("drift", self.drift != other.drift),
            ("flags", self.flags != other.flags),
            ("measured_at", self.measured_at != other.measured_at),
            ("process", self.process != other.process),
            ("energy_j", self.energy_j != other.energy_j),
            ("conditions", self.conditions != other.conditions),
            ("reference", self.reference != other.reference),
            ("worker", self.worker != other.worker),
            ("space_definition", {
                let told = [self, other].map(|one| one.space_definition.as_ref());
                matches!(told, [Some(own), Some(others)] if own != others)
            }),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}
