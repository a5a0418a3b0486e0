//! The reference network of a space, and the calibration of its latency.

use lglp_sdk::{Architecture, ChainSpace, Sampler, SearchSpace};
use serde_json::json;

use super::protocol::time;
use super::statistics::quantile;
use crate::host::{NetworkInstance, PluginError};
use crate::networks::{self, NoNetwork};

/// Seed of the weights of every network that is measured; latency does not depend on them.
pub const WEIGHTS_SEED: u64 = 0;

/// The first of [`reference_architectures`].
///
/// # Errors
/// [`NoNetwork`].
pub(crate) fn reference_architecture(space: &SearchSpace) -> Result<Architecture, NoNetwork> {
    match space.chain() {
        Some(chain) => Ok(reference_of_chain(space, chain)),
        None => Ok(drawn(space)?.swap_remove(0).1),
    }
}

/// The reference network, and larger ones, each of which costs twice the one before at least. Of a space of chains, they are the smallest of
/// each resolution, from the second-smallest on: short beside most candidates, so that pairing costs little, and long enough to be timed
/// well. Of any other space, they are some of a few that are drawn.
///
/// # Errors
/// [`NoNetwork`].
pub fn reference_architectures(space: &SearchSpace) -> Result<Vec<Architecture>, NoNetwork> {
    let all = match space.chain() {
        Some(chain) => of_chain(space, chain)?,
        None => drawn(space)?,
    };
    let mut last = 0;
    let kept = all.into_iter().filter(|(macs, _)| {
        let is_kept = last == 0 || *macs >= FURTHER * last;
        if is_kept {
            last = (*macs).max(1);
        }
        is_kept
    });
    Ok(kept.map(|(_, architecture)| architecture).collect())
}

/// How much more a larger reference network costs than the next smaller one, at least.
const FURTHER: u64 = 2;

/// Architectures that are drawn from a space that is no chain, and the share of them that is smaller than the reference network, as one over
/// a number.
const DRAWN: usize = 32;
const SMALLER: usize = 8;

/// Some architectures with what they cost, the smaller first, but for the smallest.
fn drawn(space: &SearchSpace) -> Result<Vec<(u64, Architecture)>, NoNetwork> {
    let some = networks::some(space, Sampler::new(space, 0), DRAWN);
    let counted = some
        .into_iter()
        .map(|architecture| Ok((networks::cost(space, &architecture)?.macs, architecture)));
    let mut all = counted.collect::<Result<Vec<_>, NoNetwork>>()?;
    if all.is_empty() {
        // Whichever comes first says why.
        let first = Sampler::new(space, 0).next().expect("a sampler is endless");
        all.push((networks::cost(space, &first)?.macs, first));
    }
    all.sort_by_key(|(macs, _)| *macs);
    Ok(all.split_off(all.len() / SMALLER))
}

fn of_chain(space: &SearchSpace, chain: &ChainSpace) -> Result<Vec<(u64, Architecture)>, NoNetwork> {
    let mut resolutions = chain.choices.resolution.clone();
    resolutions.sort_unstable();
    let larger = resolutions
        .into_iter()
        .map(|resolution| smallest(space, chain, resolution));
    let all = std::iter::once(reference_of_chain(space, chain)).chain(larger);
    all.map(|architecture| Ok((networks::cost(space, &architecture)?.macs, architecture)))
        .collect()
}

fn reference_of_chain(space: &SearchSpace, chain: &ChainSpace) -> Architecture {
    let resolutions = &chain.choices.resolution;
    smallest(space, chain, resolutions[1.min(resolutions.len() - 1)])
}

/// The smallest network of a space at a resolution.
fn smallest(space: &SearchSpace, chain: &ChainSpace, resolution: u32) -> Architecture {
    let choices = &chain.choices;
    let depths: Vec<u32> = chain
        .blocks
        .iter()
        .map(|b| *b.depth.iter().min().expect("checked"))
        .collect();
    let ofa = json!({
        "r": [resolution],
        "d": depths,
        "ks": vec![choices.kernel[0]; chain.slots()],
        "e": vec![choices.expansion[0]; chain.slots()],
    });
    space
        .architecture_from_json(&ofa)
        .expect("a space's defaults keep its constraints")
}

/// Runs before those of a calibration.
const WARM_UP: usize = 5;

/// Runs for a calibration.
pub const CALIBRATION_RUNS: usize = 100;

/// The reference's latency in milliseconds: the lower quartile of its times, which the machine's slow state and other
/// work touch least. `progress` is told how many runs are done. `at_once`: runs at a time, as the runtime wants it.
pub fn calibrate(
    reference: &mut NetworkInstance<'_>,
    at_once: usize,
    mut progress: impl FnMut(usize),
) -> Result<f64, PluginError> {
    reference.run_many(WARM_UP)?;
    let mut times = Vec::with_capacity(CALIBRATION_RUNS);
    // Some programs tell one time for all runs of a call.
    let mut done = 0;
    while done < CALIBRATION_RUNS {
        times.extend(reference.run_many(at_once)?.into_iter().map(time));
        done = CALIBRATION_RUNS.min(done + at_once);
        progress(done);
    }
    Ok(quantile(&times, 0.25))
}
