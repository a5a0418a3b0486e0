//! Spaces of chains, and the form that their authors write.

use std::path::Path;

use lglp_sdk::{Architecture, SearchSpace};
use serde_json::{Value, json};

/// A space of the catalog.
pub(crate) fn space(name: &str) -> SearchSpace {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../catalog/spaces/{name}.toml"));
    SearchSpace::from_toml(&std::fs::read_to_string(file).expect("a space")).expect("a consistent space")
}

/// Those of chains.
pub(crate) fn spaces() -> [SearchSpace; 3] {
    ["mobilenetv3", "ofa-mobilenetv3", "ofa-proxyless"].map(space)
}

/// The Once-for-All form of an architecture; it knows neither strides nor squeeze-and-excitation nor shortcuts.
pub(crate) fn once_for_all(space: &SearchSpace, architecture: &Architecture) -> Value {
    let chain = space.chain().expect("a chain");
    let slots = chain.slots();
    let (mut depths, mut kernels, mut expansions) = (vec![0; chain.blocks.len()], vec![3; slots], vec![3; slots]);
    for layer in chain.layers(architecture) {
        let slot = chain.first_slot(layer.block) + depths[layer.block];
        (kernels[slot], expansions[slot]) = (layer.kernel, layer.expansion);
        depths[layer.block] += 1;
    }
    json!({ "r": [chain.resolution(architecture)], "d": depths, "ks": kernels, "e": expansions })
}
