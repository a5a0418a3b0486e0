//! Measurements: ground truth of one architecture on one hardware target.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::network::MeasuredNetwork;
use super::{finite, item, items, limits, plausible, remarks};
use crate::{Conditions, Digest, Error, HardwareName, Result, TimedNetwork, clock, names};

// Found by hardware, space, digest and replicate, and written once.
/// The measured latency of one architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Measurement {
    /// The hardware target that was measured.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub hardware: HardwareName,
    /// The search space of the architecture; `onnx` where it is a network of none.
    #[cfg_attr(feature = "schema", schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub space: String,
    /// Canonical text; of a network of no space, the SHA-256 of its ONNX model without the weights.
    pub architecture: String,
    /// SHA-256 of the canonical text.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// 0 for the first measurement, 1 and up for repetitions: `round` in JSON, the older word.
    #[serde(rename = "round")]
    pub replicate: u32,
    /// The label, milliseconds.
    pub latency_ms: f64,
    /// How the label follows from the samples.
    pub statistic: String,
    /// How the samples were taken: warm-up, number of pairs, time budget, ...
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub protocol: Value,
    /// Every run that counts.
    pub samples: Vec<PairedSample>,
    /// Of the machine, one minute.
    pub load_average: f64,
    /// Whether the reference network drifted beyond the protocol's bound.
    pub drift: bool,
    /// Remarks on it, in the measurer's words: `attempts:2`, `throttled`, `wide`, `coarse`, `reference:+12%`, ...
    pub flags: Vec<String>,
    /// When it was finished; RFC 3339.
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub measured_at: String,
    /// The process that measured.
    pub process: String,
    /// Energy that the device spent on one inference, joules; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(exclusive_minimum = 0))]
    pub energy_j: Option<f64>,
    /// The state of the device meanwhile; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// The larger network that it was paired with, and by whose latency the label was reckoned; absent where that was the target's
    /// reference network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<TimedNetwork>,
    /// The worker that measured; absent where the server's own machine did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Which networks the texts of the space named then: a SHA-256 of what they leave to its definition. Where it is left out,
    /// that of the server's definition is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub space_definition: Option<Digest>,
    /// What the network computes, where the space is `onnx`; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<MeasuredNetwork>,
}

/// A space of which a hardware target has measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MeasuredSpace {
    /// The space's name.
    pub space: String,
    /// The definition that the measurements belong to; null where none of them tells.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub definition: Option<Digest>,
}

/// One run of a network between runs of the reference network. Milliseconds; 0 where a time is not known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PairedSample {
    /// Elapsed time of the network.
    pub wall_ms: f64,
    /// Processor time of the thread that ran the network; 0 where the runtime does not know it.
    pub cpu_ms: f64,
    /// Elapsed time of a run of the reference network, in the mean of before and after.
    pub reference_wall_ms: f64,
    /// The same of a run of the reference network, in the mean of before and after.
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
        MeasuredNetwork::check_place(self.network.as_ref(), &self.space, &self.architecture)?;
        if self.network.is_some() && self.space_definition.is_some() {
            return Err(Error::invalid(
                "space_definition",
                "a network of no space depends on none",
            ));
        }
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
            ("network", self.network != other.network),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}
