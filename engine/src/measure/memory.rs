//! The memory that networks take on this machine, before they do.

use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::{Architecture, ChainSpace, Sampler, SearchSpace};
use serde_json::json;

use crate::host::PluginError;
use crate::networks;

/// Copies of a network's weights: as they are written here and handed over, and as a runtime reads and packs them.
const WEIGHTS_HELD: u64 = 4;

/// Refuses a batch with which a network would take more than `limit` bytes of this machine; no limit where it runs elsewhere.
///
/// # Errors
/// `BatchTooLarge`; `NoNetwork`.
pub fn admit_batch(
    space: &SearchSpace,
    architecture: &Architecture,
    batch: u32,
    limit: Option<u64>,
) -> Result<(), PluginError> {
    let (operators, cost) = networks::counted(space, architecture)?;
    admit(&operators, size_of::<f32>() as u64 * cost.parameters, batch, limit)
}

/// As [`admit_batch`], of a network that is given by its operators.
pub(super) fn admit_operators(operators: &[Operator], batch: u32, limit: Option<u64>) -> Result<(), PluginError> {
    admit(operators, networks::weights(operators), batch, limit)
}

/// `weights` are bytes.
fn admit(operators: &[Operator], weights: u64, batch: u32, limit: Option<u64>) -> Result<(), PluginError> {
    let Some(limit) = limit else { return Ok(()) };
    let one = networks::memory(operators);
    let weights = weights.saturating_mul(WEIGHTS_HELD);
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

/// Architectures that are drawn to find one of a large network.
const DRAWN: usize = 32;

/// The largest network of a space of chains, its strides being what the space has by itself; of any other space, the largest of some that are
/// drawn, large ones by preference.
pub fn largest_architecture(space: &SearchSpace) -> Architecture {
    match space.chain() {
        Some(chain) => largest_of_chain(space, chain),
        None => {
            let some = Sampler::weighted(space, 0).take(DRAWN);
            let takes = |architecture: &Architecture| {
                networks::operators(space, architecture).map_or(0, |operators| networks::memory(&operators))
            };
            some.max_by_key(takes).expect("a sampler is endless")
        }
    }
}

fn largest_of_chain(space: &SearchSpace, chain: &ChainSpace) -> Architecture {
    let most = |values: &[u32]| values.iter().copied().max().expect("checked");
    let (resolution, expansion) = (&chain.choices.resolution, &chain.choices.expansion);
    let depths: Vec<u32> = chain.blocks.iter().map(|block| most(&block.depth)).collect();
    let ofa = json!({
        "r": [most(resolution)],
        "d": depths,
        "ks": vec![most(&chain.choices.kernel); chain.slots()],
        "e": vec![most(expansion); chain.slots()],
    });
    space
        .architecture_from_json(&ofa)
        .expect("a space's defaults keep its constraints")
}
