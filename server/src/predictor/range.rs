//! What a model has seen in training, so that predictions outside of it say so.

use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use crate::networks;

/// The range of a training set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRange {
    /// Resolutions that occur, pixels.
    pub resolutions: Vec<u32>,
    /// Fewest and most layers.
    pub layers: (usize, usize),
    /// Fewest and most multiply-accumulates.
    pub macs: (u64, u64),
    /// Shortest and longest latency, milliseconds.
    pub latency_ms: (f64, f64),
}

impl TrainingRange {
    /// The range of some architectures and their latencies; `None` where there are none.
    pub fn of(space: &SearchSpace, architectures: &[Architecture], latencies_ms: &[f64]) -> Option<Self> {
        let mut resolutions: Vec<u32> = architectures.iter().map(|a| space.resolution(a)).collect();
        resolutions.sort_unstable();
        resolutions.dedup();
        let layers: Vec<usize> = architectures.iter().map(|a| space.layers(a).len()).collect();
        let macs: Vec<u64> = architectures.iter().map(|a| networks::cost(space, a).macs).collect();
        Some(Self {
            resolutions,
            layers: (*layers.iter().min()?, *layers.iter().max()?),
            macs: (*macs.iter().min()?, *macs.iter().max()?),
            latency_ms: (
                latencies_ms.iter().copied().min_by(f64::total_cmp)?,
                latencies_ms.iter().copied().max_by(f64::total_cmp)?,
            ),
        })
    }

    /// In what an architecture or its predicted latency lies outside, in words; `None` where it lies within.
    pub fn outside(&self, space: &SearchSpace, architecture: &Architecture, latency_ms: f64) -> Option<String> {
        let mut reasons = Vec::new();
        let resolution = space.resolution(architecture);
        if !self.resolutions.contains(&resolution) {
            reasons.push(format!("resolution {resolution} was not in the training set"));
        }
        let layers = space.layers(architecture).len();
        if layers < self.layers.0 || layers > self.layers.1 {
            reasons.push(format!(
                "{layers} layers; trained on {} to {}",
                self.layers.0, self.layers.1
            ));
        }
        let macs = networks::cost(space, architecture).macs;
        if macs < self.macs.0 || macs > self.macs.1 {
            let giga = |m: u64| m as f64 / 1e9;
            reasons.push(format!(
                "{:.2} GMAC; trained on {:.2} to {:.2}",
                giga(macs),
                giga(self.macs.0),
                giga(self.macs.1)
            ));
        }
        if latency_ms < self.latency_ms.0 || latency_ms > self.latency_ms.1 {
            reasons.push(format!(
                "latency beyond the {:.1} to {:.1} ms trained on",
                self.latency_ms.0, self.latency_ms.1
            ));
        }
        if reasons.is_empty() {
            None
        } else {
            Some(reasons.join("; "))
        }
    }
}
