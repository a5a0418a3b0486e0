//! What versions predict.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// How long an inference takes, ms.
    #[default]
    Latency,
    /// What the device spends on it, J.
    Energy,
}

/// A value of a quantity, in its unit. Its JSON is a field of that name: `"latency_ms": 12.3` or `"energy_j": 0.4`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Milliseconds.
    LatencyMs(f64),
    /// Joules.
    EnergyJ(f64),
}

impl Quantity {
    /// The symbol of its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Latency => "ms",
            Self::Energy => "J",
        }
    }

    /// A value in its unit.
    pub fn amount(self, value: f64) -> Amount {
        match self {
            Self::Latency => Amount::LatencyMs(value),
            Self::Energy => Amount::EnergyJ(value),
        }
    }

    /// Whether it is what production answers.
    pub fn is_latency(&self) -> bool {
        *self == Self::Latency
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latency => "latency",
            Self::Energy => "energy",
        })
    }
}

impl Amount {
    /// What it is a value of.
    pub fn quantity(self) -> Quantity {
        match self {
            Self::LatencyMs(_) => Quantity::Latency,
            Self::EnergyJ(_) => Quantity::Energy,
        }
    }

    /// The value, in the quantity's unit.
    pub fn value(self) -> f64 {
        match self {
            Self::LatencyMs(value) | Self::EnergyJ(value) => value,
        }
    }
}
