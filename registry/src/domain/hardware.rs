//! Hardware targets: what a latency is a latency of.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{item, items, limits, plausible};
use crate::{Digest, Error, HardwareName, Result, names};

/// A target that is to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewHardware {
    /// Its name, the same as in the path.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub name: HardwareName,
    /// The runtime that measures: a plugin's, or one that the owner of the machine has set up.
    #[cfg_attr(feature = "schema", schema(example = "onnxruntime"))]
    pub runtime: String,
    /// The runtime's settings, and `batch_size`: inputs that a network takes at once, 1 to 1,000,000.
    #[serde(deserialize_with = "settings")]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub settings: BTreeMap<String, Value>,
    /// The machine: processor, cores, libraries.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub fingerprint: Value,
    /// The network that measurements are paired with; it may be left out, and set later, once.
    #[serde(default)]
    pub reference: Option<ReferenceNetwork>,
    /// Whether workers alone are to measure for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
}

/// A device, runtime and settings that latencies belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Hardware))]
pub struct HardwareTarget {
    /// Its name, by which paths and other records name it.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub name: HardwareName,
    /// The runtime that measures: a plugin's, or one that the owner of the machine has set up.
    #[cfg_attr(feature = "schema", schema(example = "onnxruntime"))]
    pub runtime: String,
    /// The runtime's settings, batch size included. What names a program, a library or a file is not among them: it is the
    /// measuring machine's own, which `runtime.configuration` of the fingerprint tells the digest of.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub settings: BTreeMap<String, Value>,
    /// The machine: processor, cores, libraries.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub fingerprint: Value,
    /// The network that measurements are paired with; null before the first calibration.
    pub reference: Option<ReferenceNetwork>,
    /// Further machines that may measure for it, which somebody has confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Object>))]
    pub confirmed: Vec<Value>,
    /// Whether workers alone measure for it: one of them has brought it along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it; left out where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

/// The calibrated reference network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Reference))]
pub struct ReferenceNetwork {
    /// SHA-256 of its architecture's canonical text.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub digest: Digest,
    /// Milliseconds.
    pub latency_ms: f64,
    /// Larger networks, which candidates of their size are paired with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(max_items = 16))]
    pub larger: Vec<TimedNetwork>,
}

/// A network whose latency on a target is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimedNetwork {
    /// SHA-256 of its architecture's canonical text.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub digest: Digest,
    /// Milliseconds.
    pub latency_ms: f64,
}

/// Larger reference networks of a target at most.
const LARGER: usize = 16;

/// The setting that is not the runtime's: inputs that a network takes at once.
pub const BATCH_SIZE: &str = "batch_size";

/// Values of [`BATCH_SIZE`] that a target may tell; fewer are measured.
const BATCHES: RangeInclusive<u64> = 1..=1_000_000;

impl HardwareTarget {
    /// Inputs that a network takes at once; `None` where the target does not tell.
    pub fn batch_size(&self) -> Option<u64> {
        self.settings.get(BATCH_SIZE).and_then(Value::as_u64)
    }
}

/// Settings in which a batch size of 64.0 becomes 64: both name one target.
fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BTreeMap<String, Value>, D::Error> {
    let mut settings = BTreeMap::deserialize(deserializer)?;
    let batch = settings.get(BATCH_SIZE).and_then(Value::as_f64);
    if let Some(batch) = batch.filter(|batch| batch.fract() == 0.0 && BATCHES.contains(&(*batch as u64))) {
        settings.insert(BATCH_SIZE.to_owned(), json!(batch as u64));
    }
    Ok(settings)
}

impl NewHardware {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("runtime", &self.runtime)?;
        names::check("runtime", &self.runtime)?;
        limits::document("settings", &self.settings, limits::DESCRIPTION)?;
        limits::document("fingerprint", &self.fingerprint, limits::DESCRIPTION)?;
        if let Some(batch) = self.settings.get(BATCH_SIZE)
            && !batch.as_u64().is_some_and(|batch| BATCHES.contains(&batch))
        {
            let (least, most) = (BATCHES.start(), BATCHES.end());
            let reason = format!("expected a whole number from {least} to {most}, got {batch}");
            return Err(Error::invalid(format!("settings.{BATCH_SIZE}"), reason));
        }
        let Some(reference) = &self.reference else {
            return Ok(());
        };
        plausible::latency_ms("reference.latency_ms", reference.latency_ms)?;
        limits::count("reference.larger", reference.larger.len(), LARGER)?;
        let timed = |network: &TimedNetwork| plausible::latency_ms("latency_ms", network.latency_ms);
        item("reference.larger", items(&reference.larger, timed))
    }

    /// The field in which this describes another target than `recorded`, if any. A reference network differs where
    /// both have one and they are not the same.
    pub fn difference(&self, recorded: &HardwareTarget) -> Option<&'static str> {
        let reference = self.reference.is_some() && recorded.reference.is_some();
        [
            ("runtime", self.runtime != recorded.runtime),
            ("settings", self.settings != recorded.settings),
            ("fingerprint", self.fingerprint != recorded.fingerprint),
            ("reference", reference && self.reference != recorded.reference),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}
