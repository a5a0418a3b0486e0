//! ONNX models: refused, or read into a table that adds up.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|model: &[u8]| {
    let model = model.to_vec().into();
    let Ok(network) = lglp_onnx::read(model, &BTreeMap::new()) else { return };
    assert!(network.batch > 0);
    assert_eq!(network.operators.len(), network.origins.len());
    let sum = |cost: fn(&_) -> u64| network.operators.iter().map(cost).try_fold(0u64, u64::checked_add);
    let costs: [fn(&lglp_sdk::plugin::abi::Operator) -> u64; 3] =
        [|step| step.macs, |step| step.activation_bytes, |step| step.weight_bytes];
    assert!(costs.into_iter().all(|cost| sum(cost).is_some()));
});
