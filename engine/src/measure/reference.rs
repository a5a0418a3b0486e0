//! The reference network of a space, and the calibration of its latency.

use lglp_sdk::{Architecture, SearchSpace};
use serde_json::json;

use super::protocol::time;
use super::statistics::quantile;
use crate::host::{NetworkInstance, PluginError};
use crate::networks;

/// Seed of the weights of every network that is measured; latency does not depend on them.
pub const WEIGHTS_SEED: u64 = 0;

/// The smallest network of the space at its second-smallest resolution: short beside most candidates, so that pairing
/// costs little, and long enough to be timed well.
pub(crate) fn reference_architecture(space: &SearchSpace) -> Architecture {
    let resolutions = &space.choices.resolution;
    smallest(space, resolutions[1.min(resolutions.len() - 1)])
}

/// The reference network, and the smallest networks of larger resolutions, each of which costs twice the one before at least.
pub fn reference_architectures(space: &SearchSpace) -> Vec<Architecture> {
    let mut resolutions = space.choices.resolution.clone();
    resolutions.sort_unstable();
    let own = reference_architecture(space);
    let macs = |architecture: &Architecture| networks::cost(space, architecture).macs;
    let mut last = macs(&own);
    let mut all = vec![own];
    for resolution in resolutions {
        let larger = smallest(space, resolution);
        let cost = macs(&larger);
        if cost >= FURTHER * last {
            last = cost;
            all.push(larger);
        }
    }
    all
}

/// How much more a larger reference network costs than the next smaller one, at least.
const FURTHER: u64 = 2;

/// The smallest network of a space at a resolution.
fn smallest(space: &SearchSpace, resolution: u32) -> Architecture {
    let choices = &space.choices;
    let depths: Vec<u32> = space
        .blocks
        .iter()
        .map(|b| *b.depth.iter().min().expect("checked"))
        .collect();
    let ofa = json!({
        "r": [resolution],
        "d": depths,
        "ks": vec![choices.kernel[0]; space.slots()],
        "e": vec![choices.expansion[0]; space.slots()],
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
