//! `lglp space check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lglp_engine::{networks, text};
use lglp_sdk::space::Block;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_terminal::{print_json, table};
use serde::Serialize;

use crate::Context;

/// Architectures whose networks are counted.
const COUNTED: usize = 300;

/// Architectures whose networks are written as ONNX, and read again.
const WRITTEN: usize = 3;

/// Say what is wrong with search spaces, or what they hold
#[derive(clap::Args)]
pub(super) struct Args {
    /// Files as in `catalog/spaces/`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let found = args
        .files
        .iter()
        .map(|file| check(file))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if context.json() {
        return print_json(&found);
    }
    let mut rows = table(&[
        "space",
        "architectures",
        "layers",
        "million macs",
        "million parameters",
        "example",
    ])
    .with_open_end();
    let ends = |[least, most]: [f64; 2]| format!("{least:.1} to {most:.1}");
    for space in &found {
        let [fewest, most] = space.layers;
        rows.add_row([
            space.space.clone(),
            format!("some 10^{}", space.architectures_log10),
            format!("{fewest} to {most}"),
            ends(space.million_macs),
            ends(space.million_parameters),
            space.example.clone(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// What a space holds.
#[derive(Serialize)]
struct Found {
    space: String,
    digest: String,
    /// Whatever the constraints leave out.
    architectures_log10: i64,
    /// Fewest and most.
    layers: [usize; 2],
    million_macs: [f64; 2],
    million_parameters: [f64; 2],
    /// In canonical text.
    example: String,
}

fn check(file: &Path) -> anyhow::Result<Found> {
    let shown = || file.display().to_string();
    let space = SearchSpace::from_toml(&text::read(file).with_context(shown)?).with_context(shown)?;
    let some: Vec<Architecture> = Sampler::new(&space, 0).take(COUNTED).collect();
    for architecture in &some[..WRITTEN] {
        try_out(&space, architecture)
            .with_context(|| space.canonical_text(architecture))
            .with_context(shown)?;
    }
    let costs: Vec<networks::Cost> = some
        .iter()
        .map(|architecture| networks::cost(&space, architecture))
        .collect();
    let millions = |amount: fn(&networks::Cost) -> u64| {
        let all = || costs.iter().map(amount);
        [all().min(), all().max()].map(|end| (end.unwrap_or(0) as f64 / 1e5).round() / 10.0)
    };
    Ok(Found {
        digest: space.digest(),
        architectures_log10: architectures_log10(&space).round() as i64,
        layers: super::layers(&space),
        million_macs: millions(|cost| cost.macs),
        million_parameters: millions(|cost| cost.parameters),
        example: space.canonical_text(&some[0]),
        space: space.name,
    })
}

/// Builds a network, and reads it as a stranger's.
fn try_out(space: &SearchSpace, architecture: &Architecture) -> anyhow::Result<()> {
    let written = networks::build(space, architecture, 1, 0);
    let read = lglp_onnx::read(written.onnx.into(), &BTreeMap::new())?;
    anyhow::ensure!(
        networks::recognise(space, &read).is_some(),
        "its network, written as ONNX, is not recognised as one of the space"
    );
    Ok(())
}

/// How many architectures there are, as the logarithm to base 10, whatever the constraints leave out. Deep ones are more than a number
/// tells, so that logarithms are added up.
fn architectures_log10(space: &SearchSpace) -> f64 {
    let layer = ((space.choices.kernel.len() * space.choices.expansion.len()) as f64).log10();
    let of_block = |block: &Block| -> f64 {
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
    };
    let resolutions = (space.choices.resolution.len() as f64).log10();
    resolutions + space.blocks.iter().map(of_block).sum::<f64>()
}
