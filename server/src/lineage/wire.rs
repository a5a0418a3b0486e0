//! The registry's records as the types of the contract.

use lglp_openapi::lineage::SplitSizes;
use lglp_openapi::{measurements, models};
use lglp_registry::{Dataset, Imported, NewVersion, PluginUse, Quantity};
use serde::Deserialize;

pub(super) fn dataset(stored: Dataset) -> measurements::Dataset {
    measurements::Dataset {
        digest: stored.digest.into(),
        hardware: stored.hardware.into(),
        space: stored.space,
        rows: stored.rows,
        origin: stored.origin,
        created_at: stored.created_at,
        blob: stored.blob.into(),
    }
}

pub(super) fn quantity(stored: Quantity) -> models::Quantity {
    match stored {
        Quantity::Latency => models::Quantity::Latency,
        Quantity::Energy => models::Quantity::Energy,
    }
}

pub(super) fn imported(stored: Imported) -> models::Imported {
    models::Imported {
        hardware: stored.hardware.into(),
        version: stored.version,
        digest: stored.digest.into(),
        creator: stored.creator,
        created_at: stored.created_at,
        bundle: stored.bundle.into(),
    }
}

pub(super) fn plugin(stored: &PluginUse) -> models::UsedPlugin {
    models::UsedPlugin {
        plugin: stored.plugin.clone(),
        component: stored.component.clone(),
        kind: stored.kind.clone(),
        version: stored.version.clone(),
        sha256: stored.sha256.to_string(),
        state_version: stored.state_version,
    }
}

/// The rows of a version's parts, where it names them, as versions trained by lglp do.
#[derive(Deserialize)]
pub(super) struct SplitRows {
    train: Vec<usize>,
    validation: Vec<usize>,
    pub(super) test: Vec<usize>,
}

impl SplitRows {
    pub(super) fn of(content: &NewVersion) -> Option<Self> {
        Self::deserialize(&content.split).ok()
    }

    pub(super) fn sizes(&self) -> SplitSizes {
        SplitSizes {
            train: self.train.len(),
            validation: self.validation.len(),
            test: self.test.len(),
        }
    }
}
