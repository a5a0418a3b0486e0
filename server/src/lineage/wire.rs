//! The registry's records as the types of the contract.

use lglp_openapi::lineage::SplitSizes;
use lglp_openapi::{measurements, models};
use lglp_registry::{Dataset, Imported, NewVersion, PluginUse, Quantity};

use lglp_engine::train::Split;

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

/// How many rows each part of a version's dataset has, where it names them.
pub fn split_sizes(content: &NewVersion) -> Option<SplitSizes> {
    Split::of(content).map(|split| SplitSizes {
        train: split.train.len(),
        validation: split.validation.len(),
        test: split.test.len(),
    })
}
