//! The conditions under which something was measured, as far as the machine tells.

use serde::{Deserialize, Serialize};

use super::{finite, remarks};
use crate::Result;

/// The state of a device while it measured. What it does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Conditions {
    /// Clock of the processor, MHz: the mean over its cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_mhz: Option<f64>,
    /// Its graphics processor, where it measured on one that tells its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuConditions>,
    /// Why the device ran slower than it can, as its driver names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttled: Vec<String>,
}

/// The state of a graphics processor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GpuConditions {
    /// Clock of the streaming multiprocessors, MHz: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_mhz: Option<f64>,
    /// Clock of the memory, MHz: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mhz: Option<f64>,
    /// The highest temperature, degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// Power that it drew, watts: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
}

impl Conditions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        let gpu = self.gpu.clone().unwrap_or_default();
        for (field, value) in [
            ("conditions.cpu_mhz", self.cpu_mhz),
            ("conditions.gpu.sm_mhz", gpu.sm_mhz),
            ("conditions.gpu.memory_mhz", gpu.memory_mhz),
            ("conditions.gpu.temperature_c", gpu.temperature_c),
            ("conditions.gpu.power_w", gpu.power_w),
        ] {
            value.map_or(Ok(()), |value| finite(field, value))?;
        }
        remarks("conditions.throttled", &self.throttled)
    }
}
