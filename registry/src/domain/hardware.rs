//! Hardware targets: what a latency is a latency of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{limits, positive_ms};
use crate::{Digest, HardwareName, Result};

/// A device with a runtime and its settings, as the caller describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewHardware {
    /// Its name.
    pub name: HardwareName,
    /// The runtime plugin that measures on it.
    pub runtime: String,
    /// The runtime's settings: threads, precision, batch size, ...
    pub settings: BTreeMap<String, Value>,
    /// The machine: CPU model, cores, operating system, ...
    pub fingerprint: Value,
    /// The network that is timed between architectures to notice drift. It may be set later, once.
    #[serde(default)]
    pub reference: Option<ReferenceNetwork>,
    /// Whether workers alone measure for it: one of them has brought it along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
}

/// A hardware target of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardwareTarget {
    /// Its name.
    pub name: HardwareName,
    /// The runtime plugin that measures on it.
    pub runtime: String,
    /// The runtime's settings.
    pub settings: BTreeMap<String, Value>,
    /// The machine.
    pub fingerprint: Value,
    /// The reference network, where it is known.
    pub reference: Option<ReferenceNetwork>,
    /// Further machines that may measure for it, which somebody has confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<Value>,
    /// Whether workers alone measure for it: one of them has brought it along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_workers: bool,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it; empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

/// The network that is timed between architectures, and how long it takes on a quiet machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceNetwork {
    /// The digest of its canonical text.
    pub digest: Digest,
    /// Its latency, in milliseconds.
    pub latency_ms: f64,
}

impl NewHardware {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("runtime", &self.runtime)?;
        limits::document("settings", &self.settings, limits::DESCRIPTION)?;
        limits::document("fingerprint", &self.fingerprint, limits::DESCRIPTION)?;
        self.reference.as_ref().map_or(Ok(()), |reference| {
            positive_ms("reference.latency_ms", reference.latency_ms)
        })
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
