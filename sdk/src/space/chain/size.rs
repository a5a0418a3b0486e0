//! How many architectures a space has.

use super::{Block, ChainSpace};

impl ChainSpace {
    /// The logarithm to base 10 of how many architectures there are, whatever the constraints leave out. Deep ones are more than a number
    /// tells, so that logarithms are added up.
    pub(in crate::space) fn architectures_log10(&self) -> f64 {
        let layer = ((self.choices.kernel.len() * self.choices.expansion.len()) as f64).log10();
        let resolutions = (self.choices.resolution.len() as f64).log10();
        resolutions + self.blocks.iter().map(|block| of_block(block, layer)).sum::<f64>()
    }
}

/// Of a block, where a layer has so many kernels and expansions.
fn of_block(block: &Block, layer: f64) -> f64 {
    let of = |stride: u32, depth: u32| -> f64 {
        let shortcuts = (0..depth as usize).filter(|at| {
            let stride = if *at == 0 { stride } else { 1 };
            block.shape_allows_shortcut(*at, stride)
        });
        f64::from(depth) * layer + shortcuts.count() as f64 * (block.shortcut.len() as f64).log10()
    };
    let strides = block.stride.iter();
    let ways = strides.flat_map(|stride| block.depth.iter().map(move |depth| of(*stride, *depth)));
    let ways: Vec<f64> = ways.collect();
    let most = ways.iter().copied().fold(0.0, f64::max);
    let sum: f64 = ways.iter().map(|way| 10f64.powf(way - most)).sum();
    most + sum.log10() + (block.se.len() as f64).log10()
}
