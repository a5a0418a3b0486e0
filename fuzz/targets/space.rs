//! Search spaces: refused, or fit to draw an architecture from and to write and read it.
#![no_main]

use lglp_sdk::{Sampler, SearchSpace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(space) = SearchSpace::from_toml(text) else { return };
    if let Some(architecture) = Sampler::new(&space, 1).next() {
        let text = space.canonical_text(&architecture);
        assert_eq!(space.architecture_from_text(&text).expect("its own text"), architecture);
    }
});
