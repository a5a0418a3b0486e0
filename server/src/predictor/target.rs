//! What the components of a recipe learn.

use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use crate::networks;

/// The quantity that extractor and regressor are fitted to; predictions are latencies whichever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Latency, milliseconds, as in the paper.
    #[default]
    Latency,
    /// Milliseconds per GMAC. The multiply-accumulates of an architecture are known exactly and explain most of its latency;
    /// what is left to learn, how well the device runs such layers, spans a factor of two instead of several hundred.
    LatencyPerMac,
}

impl Target {
    /// What the target of an architecture is multiplied with to be its latency in milliseconds.
    pub fn scale(self, space: &SearchSpace, architecture: &Architecture) -> f64 {
        match self {
            Self::Latency => 1.0,
            Self::LatencyPerMac => networks::cost(space, architecture).macs as f64 / 1e9,
        }
    }

    /// For progress reports.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Latency => "ms",
            Self::LatencyPerMac => "ms/GMAC",
        }
    }
}
