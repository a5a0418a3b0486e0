//! What the components of a recipe learn.

use lglp_registry::Quantity;
use serde::{Deserialize, Serialize};

/// What extractor and regressor are fitted to. Predictions are latencies or energies, whether they are learned whole or
/// per multiply-accumulate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Latency, milliseconds, as in the paper.
    #[default]
    Latency,
    /// Milliseconds per GMAC. The multiply-accumulates of an architecture are known exactly and explain most of its latency;
    /// what is left to learn, how well the device runs such layers, spans a factor of two instead of several hundred.
    LatencyPerMac,
    /// Energy, joules.
    Energy,
    /// Joules per GMAC.
    EnergyPerMac,
}

impl Target {
    /// What is predicted in the end.
    pub fn quantity(self) -> Quantity {
        match self {
            Self::Latency | Self::LatencyPerMac => Quantity::Latency,
            Self::Energy | Self::EnergyPerMac => Quantity::Energy,
        }
    }

    /// The same of another quantity: whole stays whole, and per multiply-accumulate stays so.
    #[must_use]
    pub fn of(self, quantity: Quantity) -> Self {
        match (quantity, self.is_per_mac()) {
            (Quantity::Latency, false) => Self::Latency,
            (Quantity::Latency, true) => Self::LatencyPerMac,
            (Quantity::Energy, false) => Self::Energy,
            (Quantity::Energy, true) => Self::EnergyPerMac,
        }
    }

    /// What the target of a network of so many multiply-accumulates is multiplied with to be its latency in milliseconds or its energy
    /// in joules.
    pub fn scale(self, macs: u64) -> f64 {
        match self.is_per_mac() {
            false => 1.0,
            true => macs as f64 / 1e9,
        }
    }

    /// For progress reports.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Latency => "ms",
            Self::LatencyPerMac => "ms/GMAC",
            Self::Energy => "J",
            Self::EnergyPerMac => "J/GMAC",
        }
    }

    pub(crate) fn is_per_mac(self) -> bool {
        matches!(self, Self::LatencyPerMac | Self::EnergyPerMac)
    }
}
