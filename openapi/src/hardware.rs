//! Hardware targets: `/v1/hardware`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A device, runtime and settings that latencies belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hardware {
    /// Its name, by which paths and other records name it.
    #[schema(example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    /// The runtime that measures: a plugin's, or one that the owner of the machine has set up.
    #[schema(example = "onnxruntime")]
    pub runtime: String,
    /// The runtime's settings, batch size included. What names a program, a library or a file is not among them: it is the
    /// measuring machine's own, which `runtime.configuration` of the fingerprint tells the digest of.
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The machine: processor, cores, libraries.
    #[schema(value_type = Object)]
    pub fingerprint: serde_json::Value,
    /// The network that measurements are paired with; null before the first calibration.
    pub reference: Option<Reference>,
    /// Further machines that may measure for it, which somebody has confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub confirmed: Vec<serde_json::Value>,
    /// Whether workers alone measure for it: one of them has brought it along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it; left out where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

/// A target that is to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHardware {
    /// Its name, the same as in the path.
    #[schema(example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    /// The runtime that measures: a plugin's, or one that the owner of the machine has set up.
    #[schema(example = "onnxruntime")]
    pub runtime: String,
    /// The runtime's settings, and `batch_size`: inputs that a network takes at once, 1 to 1,000,000.
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The machine: processor, cores, libraries.
    #[schema(value_type = Object)]
    pub fingerprint: serde_json::Value,
    /// The network that measurements are paired with; it may be left out, and set later, once.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Whether workers alone are to measure for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
}

/// Another name for a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameHardware {
    /// The name that it has from now on, which no other target has.
    #[schema(example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub to: String,
    /// Why, for the audit log.
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Also where a version is in production, or a worker has not signed off.
    #[serde(default)]
    pub force: bool,
}

/// The calibrated reference network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// SHA-256 of its architecture's canonical text.
    pub digest: String,
    /// Milliseconds.
    pub latency_ms: f64,
    /// Larger networks, which candidates of their size are paired with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    pub larger: Vec<TimedNetwork>,
}

/// A network whose latency on a target is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimedNetwork {
    /// SHA-256 of its architecture's canonical text.
    pub digest: String,
    /// Milliseconds.
    pub latency_ms: f64,
}

/// A list of targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HardwareList {
    /// The hardware targets that the caller may use, by name.
    pub hardware: Vec<Hardware>,
}
