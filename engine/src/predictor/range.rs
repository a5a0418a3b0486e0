//! What a model has seen in training, so that predictions outside of it say so.

use lglp_registry::{FittedNetworks, Quantity};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use crate::networks;

/// The range of a training set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRange {
    /// Resolutions that occur, pixels, or lengths of texts, tokens; none where the space does not say, and where no architecture was in the
    /// training set, but other networks were.
    pub resolutions: Vec<u32>,
    /// Fewest and most layers; of a space that is no chain, decisions that are there. 0 where no architecture was in the training set.
    pub layers: (usize, usize),
    /// Fewest and most multiply-accumulates.
    pub macs: (u64, u64),
    /// Least and most of what is predicted.
    #[serde(flatten)]
    pub labels: LabelRange,
}

/// The least and the most that was measured; in JSON a field of that name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelRange {
    /// Milliseconds.
    LatencyMs((f64, f64)),
    /// Joules.
    EnergyJ((f64, f64)),
}

impl LabelRange {
    fn of(quantity: Quantity, labels: &[f64]) -> Option<Self> {
        let least = labels.iter().copied().min_by(f64::total_cmp)?;
        let most = labels.iter().copied().max_by(f64::total_cmp)?;
        Some(Self::from_to(quantity, (least, most)))
    }

    fn from_to(quantity: Quantity, range: (f64, f64)) -> Self {
        match quantity {
            Quantity::Latency => Self::LatencyMs(range),
            Quantity::Energy => Self::EnergyJ(range),
        }
    }

    /// What a prediction lies beyond, in words.
    fn outside(self, predicted: f64) -> Option<String> {
        let (Self::LatencyMs((least, most)) | Self::EnergyJ((least, most))) = self;
        if (least..=most).contains(&predicted) {
            return None;
        }
        Some(match self {
            Self::LatencyMs(_) => format!("latency beyond the {least:.1} to {most:.1} ms trained on"),
            Self::EnergyJ(_) => format!("energy beyond the {least:.3} to {most:.3} J trained on"),
        })
    }
}

/// Layers of a chain; of any other architecture, decisions that are there.
fn layers(space: &SearchSpace, architecture: &Architecture) -> usize {
    match space.chain() {
        Some(chain) => chain.layers(architecture).count(),
        None => architecture.row().iter().filter(|cell| **cell != 0).count(),
    }
}

/// Reasons as one text.
fn joined<const COUNT: usize>(reasons: [Option<String>; COUNT]) -> Option<String> {
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

impl TrainingRange {
    /// The range of some architectures and what was measured of them; `None` where there are none.
    pub fn of(space: &SearchSpace, architectures: &[Architecture], quantity: Quantity, labels: &[f64]) -> Option<Self> {
        let mut resolutions: Vec<u32> = architectures.iter().filter_map(|a| space.input_side(a)).collect();
        resolutions.sort_unstable();
        resolutions.dedup();
        let layers: Vec<usize> = architectures.iter().map(|a| layers(space, a)).collect();
        let macs: Vec<u64> = architectures.iter().map(|a| networks::macs_if_any(space, a)).collect();
        Some(Self {
            resolutions,
            layers: (*layers.iter().min()?, *layers.iter().max()?),
            macs: (*macs.iter().min()?, *macs.iter().max()?),
            labels: LabelRange::of(quantity, labels)?,
        })
    }

    /// The range of networks of no space, whose layers and resolutions are of no account.
    pub(crate) fn of_networks(networks: &FittedNetworks, quantity: Quantity) -> Self {
        Self {
            resolutions: Vec::new(),
            layers: (0, 0),
            macs: (networks.fewest_macs, networks.most_macs),
            labels: LabelRange::from_to(quantity, (networks.least, networks.most)),
        }
    }

    /// Whether the training set had architectures of the space.
    pub(super) fn has_architectures(&self) -> bool {
        self.layers.1 > 0
    }

    /// In what an architecture, of so many multiply-accumulates, or what is predicted of it lies outside, in words; `None` where it lies within.
    pub fn outside(
        &self,
        space: &SearchSpace,
        architecture: &Architecture,
        macs: u64,
        predicted: f64,
    ) -> Option<String> {
        if !self.has_architectures() {
            let none = format!("no architecture of `{}` was in the training set", space.name());
            return joined([Some(none), self.macs(macs), self.labels.outside(predicted)]);
        }
        let layers = layers(space, architecture);
        let layers = (layers < self.layers.0 || layers > self.layers.1).then(|| {
            let (least, most) = self.layers;
            let what = if space.chain().is_some() { "layers" } else { "decisions" };
            format!("{layers} {what}; trained on {least} to {most}")
        });
        joined([
            space.input_side(architecture).and_then(|side| self.resolution(side)),
            layers,
            self.macs(macs),
            self.labels.outside(predicted),
        ])
    }

    /// In what a network of no space lies outside, as [`Self::outside`].
    pub fn outside_of_network(&self, resolution: u32, macs: u64, predicted: f64) -> Option<String> {
        joined([
            self.resolution(resolution),
            self.macs(macs),
            self.labels.outside(predicted),
        ])
    }

    fn resolution(&self, resolution: u32) -> Option<String> {
        let is_new = !self.resolutions.is_empty() && !self.resolutions.contains(&resolution);
        is_new.then(|| format!("resolution {resolution} was not in the training set"))
    }

    fn macs(&self, macs: u64) -> Option<String> {
        let (least, most) = self.macs;
        let giga = |m: u64| m as f64 / 1e9;
        let trained = || {
            format!(
                "{:.2} GMAC; trained on {:.2} to {:.2}",
                giga(macs),
                giga(least),
                giga(most)
            )
        };
        (macs < least || macs > most).then(trained)
    }
}
