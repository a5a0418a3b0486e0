//! LightGBM's model text: refused, or a forest that predicts finite numbers.
#![no_main]

#[path = "../../plugins/lightgbm/forest/tests/hostile/sizes.rs"]
mod sizes;

use lglp_forest::Forest;
use libfuzzer_sys::fuzz_target;

fn load(text: &[u8]) {
    let Ok(forest) = Forest::from_text(text) else { return };
    let width = forest.features();
    let special = [0.0, 1.0, -1.0, 1e-36, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    let rows: Vec<f32> = (0..9 * width).map(|at| special[(at * 7 + at / 5) % special.len()]).collect();
    let mut predicted = [f64::NAN; 9];
    forest.predict(&rows, &mut predicted);
    assert!(predicted.iter().all(|value| value.is_finite()));
}

fuzz_target!(|text: &[u8]| {
    load(text);
    // Behind the sizes of trees, which nearly every change breaks.
    if let Ok(text) = std::str::from_utf8(text) {
        load(sizes::with_sizes(text).as_bytes());
    }
});
