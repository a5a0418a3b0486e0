//! `lglp space check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lglp_engine::{networks, text};
use lglp_sdk::space::Block;
use lglp_sdk::{Architecture, Printable, Sampler, SearchSpace};
use lglp_terminal::{print_json, table};
use serde_json::{Value, json};

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
    for space in &found {
        let ends = |name: &str| format!("{} to {}", space[name][0], space[name][1]);
        rows.add_row([
            space["space"].as_str().unwrap_or_default().to_owned(),
            format!("some 10^{}", space["architectures_log10"]),
            ends("layers"),
            ends("million_macs"),
            ends("million_parameters"),
            space["example"]
                .as_str()
                .map(|text| Printable::of(text).to_string())
                .unwrap_or_default(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// What a space holds.
fn check(file: &Path) -> anyhow::Result<Value> {
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
    let fewest: u32 = space.blocks.iter().filter_map(|block| block.depth.iter().min()).sum();
    Ok(json!({
        "space": space.name,
        "digest": space.digest(),
        "architectures_log10": architectures_log10(&space).round() as i64,
        "layers": [fewest, space.slots()],
        "million_macs": millions(|cost| cost.macs),
        "million_parameters": millions(|cost| cost.parameters),
        "example": space.canonical_text(&some[0]),
    }))
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

/// How many architectures there are, as the logarithm to base 10, whatever the constraints leave out.
fn architectures_log10(space: &SearchSpace) -> f64 {
    let layer = (space.choices.kernel.len() * space.choices.expansion.len()) as f64;
    let of_block = |block: &Block| -> f64 {
        let of = |stride: u32, depth: u32| -> f64 {
            let shortcuts = (0..depth as usize).filter(|at| {
                let stride = if *at == 0 { stride } else { 1 };
                block.shape_allows_shortcut(*at, stride)
            });
            let shortcuts = (block.shortcut.len() as f64).powi(shortcuts.count() as i32);
            layer.powi(depth as i32) * shortcuts
        };
        let strides = block.stride.iter();
        let ways = strides.flat_map(|stride| block.depth.iter().map(move |depth| of(*stride, *depth)));
        (ways.sum::<f64>() * block.se.len() as f64).log10()
    };
    let resolutions = (space.choices.resolution.len() as f64).log10();
    resolutions + space.blocks.iter().map(of_block).sum::<f64>()
}
