//! The memory that networks take on this machine, before they do.

use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::json;

use crate::host::PluginError;
use crate::networks;

/// Copies of a network's weights: as they are written here and handed over, and as a runtime reads and packs them.
const WEIGHTS_HELD: u64 = 4;

/// Refuses a batch with which a network would take more than `limit` bytes of this machine; no limit where it runs elsewhere.
///
/// # Errors
/// `BatchTooLarge`.
pub fn admit_batch(
    space: &SearchSpace,
    architecture: &Architecture,
    batch: u32,
    limit: Option<u64>,
) -> Result<(), PluginError> {
    admit_operators(&networks::operators(space, architecture), batch, limit)
}

/// As [`admit_batch`], of a network that is given by its operators.
pub(super) fn admit_operators(operators: &[Operator], batch: u32, limit: Option<u64>) -> Result<(), PluginError> {
    let Some(limit) = limit else { return Ok(()) };
    let one = networks::memory(operators);
    let weights = networks::weights(operators).saturating_mul(WEIGHTS_HELD);
    let takes = one.saturating_mul(batch.into()).saturating_add(weights);
    if takes <= limit {
        return Ok(());
    }
    Err(PluginError::BatchTooLarge {
        batch,
        takes_mib: takes >> 20,
        limit_mib: limit >> 20,
        largest: limit.saturating_sub(weights) / one.max(1),
    })
}

/// The largest network of a space, its strides being what the space has by itself.
pub fn largest_architecture(space: &SearchSpace) -> Architecture {
    let most = |values: &[u32]| values.iter().copied().max().expect("checked");
    let (resolution, expansion) = (&space.choices.resolution, &space.choices.expansion);
    let depths: Vec<u32> = space.blocks.iter().map(|block| most(&block.depth)).collect();
    let ofa = json!({
        "r": [most(resolution)],
        "d": depths,
        "ks": vec![most(&space.choices.kernel); space.slots()],
        "e": vec![most(expansion); space.slots()],
    });
    space
        .architecture_from_json(&ofa)
        .expect("a space's defaults keep its constraints")
}
