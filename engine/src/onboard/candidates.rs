//! Which architectures to measure: those that teach most of all others, where the recipe's regressor can say which.

use std::collections::BTreeSet;

use lglp_registry::Digest;
use lglp_sdk::Architecture;

use crate::host::{self, ComponentKind, EncoderInstance, PluginError};
use crate::measure::plan;
use crate::predictor::ComponentSpec;
use crate::train::Training;

/// Architectures that are drawn, of which some are chosen.
pub(super) const DRAWN: usize = 700;

/// Chooses `count` architectures of the space beside those that are measured, the best first; fewer, where the space has no more.
/// `known`: all that have a measurement, also one that was excluded, which is not measured again.
pub(super) fn choose(
    training: &Training<'_>,
    priors: &[Vec<u8>],
    measured: &[Architecture],
    known: &BTreeSet<Digest>,
    count: usize,
) -> Result<Vec<Architecture>, PluginError> {
    // As many again as are measured: those may be among them.
    let drawn = plan(training.space, training.seed, DRAWN + known.len() + count, 0);
    let drawn = drawn.into_iter().map(|(_, architecture)| architecture);
    let digest = |architecture: &Architecture| Digest::of(training.space.canonical_text(architecture).as_bytes());
    let pool: Vec<Architecture> = drawn
        .filter(|architecture| !known.contains(&digest(architecture)))
        .collect();
    let chosen = choose_of(training, priors, measured, &pool, count)?;
    Ok(chosen.into_iter().map(|at| pool[at].clone()).collect())
}

/// Chooses `count` of a pool, as their numbers: the first ones where the regressor does not tell better.
pub(super) fn choose_of(
    training: &Training<'_>,
    priors: &[Vec<u8>],
    measured: &[Architecture],
    pool: &[Architecture],
    count: usize,
) -> Result<Vec<usize>, PluginError> {
    let recipe = training.recipe;
    let count = count.min(pool.len());
    let first = || (0..count).collect();
    if recipe.extractor.is_some() {
        return Ok(first());
    }
    let component = |kind, spec: &ComponentSpec| training.host.component_of(kind, &spec.name, spec.plugin.as_deref());
    let encoder = component(ComponentKind::Encoder, &recipe.encoder)?;
    let encoder = EncoderInstance::new(&encoder, training.space, &recipe.encoder.parameters)?;
    let regressor = component(ComponentKind::Regressor, &recipe.regressor)?;
    let (measured, pool) = (encoder.encode(measured.iter())?, encoder.encode(pool.iter())?);
    let chosen = host::choose(
        &regressor,
        &recipe.regressor.parameters,
        &measured,
        &pool,
        priors,
        count,
    )?;
    Ok(chosen.unwrap_or_else(first))
}
