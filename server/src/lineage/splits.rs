//! The parts that a version's dataset was split into.

use lglp_engine::train::Split;
use lglp_openapi::lineage::SplitSizes;
use lglp_registry::NewVersion;

/// How many rows each part of a version's dataset has, where it names them.
pub fn split_sizes(content: &NewVersion) -> Option<SplitSizes> {
    Split::of(content).map(|split| SplitSizes {
        train: split.train.len(),
        validation: split.validation.len(),
        test: split.test.len(),
    })
}
