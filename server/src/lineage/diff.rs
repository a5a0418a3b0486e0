//! How two versions of a hardware target differ.

use std::collections::{BTreeMap, BTreeSet};

use lglp_engine::train::DataError;
use lglp_openapi::lineage::{ComparedVersion, DiffQuery, MetricDifference, ModelDiff, PluginDifference};
use lglp_registry::{HardwareName, NewVersion, PluginUse, Registry, Version};

use super::json::differences;
use super::predictions::{NotCompared, Predict};
use super::splits::split_sizes;
use super::{data, predictions};
use crate::compute::Lost;
use crate::serving::{Serving, ServingError};

/// Architectures that two versions are compared on at most.
pub(crate) const COUNT_LIMIT: usize = 10_000;

/// Why two versions cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The caller asked for too many architectures, or none.
    #[error("{count} architectures; allowed: 1 to {COUNT_LIMIT}")]
    Count {
        /// How many were asked for.
        count: usize,
    },
    /// The comparison was cut off.
    #[error(transparent)]
    Lost(Lost),
    /// The dataset of one of them cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// One of them is not there, or the registry cannot be read.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// Compares recipe, plugins, data, metrics and predictions of two versions; `predict` says where these are made. Blocks.
pub fn diff(
    store: &dyn Registry,
    serving: &Serving,
    hardware: &HardwareName,
    (a, b): (u32, u32),
    query: &DiffQuery,
    predict: &Predict<'_>,
) -> Result<ModelDiff, DiffError> {
    let count = query.count;
    if !(1..=COUNT_LIMIT).contains(&count) {
        return Err(DiffError::Count { count });
    }
    let (version_a, version_b) = (store.version(hardware, a)?, store.version(hardware, b)?);
    let (content_a, content_b) = (&version_a.content, &version_b.content);
    // Where they cannot be asked the same, everything else still tells them apart.
    let (predictions, not_compared) = match predictions::compare(store, serving, hardware, (a, b), query, predict) {
        Ok(predictions) => (Some(predictions), None),
        Err(NotCompared::Serving(ServingError::Lost(lost))) => return Err(DiffError::Lost(lost)),
        Err(reason) => (None, Some(reason.to_string())),
    };
    Ok(ModelDiff {
        hardware: hardware.to_string(),
        recipe: differences(&content_a.recipe, &content_b.recipe),
        plugins: plugins(content_a, content_b),
        data: data::compare(store, content_a, content_b, query.top)?,
        metrics: metrics(content_a, content_b),
        a: compared(&version_a),
        b: compared(&version_b),
        predictions,
        not_compared,
    })
}

fn compared(version: &Version) -> ComparedVersion {
    let content = &version.content;
    ComparedVersion {
        version: version.version,
        digest: version.digest.to_string(),
        recipe: content.recipe["name"].as_str().unwrap_or_default().to_owned(),
        quantity: content.quantity,
        space: content.space.clone(),
        creator: content.creator.clone(),
        created_at: version.created_at.clone(),
        seed: content.seed,
        split: split_sizes(content),
    }
}

/// The kinds of component whose plugins differ in whatever they are recorded with.
fn plugins(a: &NewVersion, b: &NewVersion) -> Vec<PluginDifference> {
    let (a, b) = (by_place(a), by_place(b));
    let places: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differing = places.into_iter().filter(|place| a.get(*place) != b.get(*place));
    differing
        .map(|place| PluginDifference {
            kind: place.1.to_owned(),
            a: a.get(place).copied().cloned(),
            b: b.get(place).copied().cloned(),
        })
        .collect()
}

/// Components by how many of their kind come before: the residual's of a kind follow the model's own.
fn by_place(content: &NewVersion) -> BTreeMap<(usize, &str), &PluginUse> {
    let mut places = BTreeMap::new();
    for (at, used) in content.plugins.iter().enumerate() {
        let before = content.plugins[..at]
            .iter()
            .filter(|other| other.kind == used.kind)
            .count();
        places.insert((before, used.kind.as_str()), used);
    }
    places
}

fn metrics(a: &NewVersion, b: &NewVersion) -> Vec<MetricDifference> {
    let alike = a.quantity == b.quantity;
    let (a, b) = (&a.metrics, &b.metrics);
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names
        .into_iter()
        .map(|name| {
            let (a, b) = (a.get(name).copied(), b.get(name).copied());
            MetricDifference {
                name: name.clone(),
                a,
                b,
                difference: a.zip(b).filter(|_| alike).map(|(a, b)| b - a),
            }
        })
        .collect()
}
