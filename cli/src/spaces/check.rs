//! `lglp space check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lglp_engine::spaces::single_changes;
use lglp_engine::{networks, text};
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
        "structure",
        "million macs",
        "million parameters",
        "example",
    ])
    .with_open_end();
    let ends = |[least, most]: [f64; 2]| format!("{least:.1} to {most:.1}");
    for space in &found {
        rows.add_row([
            space.space.clone(),
            format!("some 10^{}", space.architectures_log10),
            space.structure.clone(),
            space.million_macs.map_or_else(String::new, ends),
            space.million_parameters.map_or_else(String::new, ends),
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
    architectures_log10: i64,
    /// In words.
    structure: String,
    /// Fewest and most; of a chain alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<[usize; 2]>,
    /// Fewest and most of those that were counted; none where the space says nothing of networks.
    million_macs: Option<[f64; 2]>,
    million_parameters: Option<[f64; 2]>,
    /// In canonical text.
    example: String,
}

fn check(file: &Path) -> anyhow::Result<Found> {
    let shown = || file.display().to_string();
    let space = SearchSpace::from_toml(&text::read(file).with_context(shown)?).with_context(shown)?;
    let some: Vec<Architecture> = Sampler::new(&space, 0).take(COUNTED).collect();
    let costs = if space.has_networks() {
        for architecture in &some[..WRITTEN] {
            try_out(&space, architecture)
                .with_context(|| space.canonical_text(architecture))
                .with_context(shown)?;
        }
        // What is drawn need not hold every choice; each is tried once.
        let changed = single_changes(&space, &some[0])
            .into_iter()
            .map(|change| change.architecture);
        let all: Vec<Architecture> = some.iter().cloned().chain(changed).collect();
        let costs = all.iter().map(|architecture| networks::cost(&space, architecture));
        costs.collect::<Result<Vec<_>, _>>().with_context(shown)?
    } else {
        Vec::new()
    };
    let millions = |amount: fn(&networks::Cost) -> u64| {
        let all = || costs.iter().map(amount);
        let rounded = |end: u64| (end as f64 / 1e5).round() / 10.0;
        Some([all().min().map(rounded)?, all().max().map(rounded)?])
    };
    Ok(Found {
        digest: space.digest(),
        architectures_log10: space.architectures_log10().round() as i64,
        structure: super::structure(&space),
        layers: space.chain().map(super::layers),
        million_macs: millions(|cost| cost.macs),
        million_parameters: millions(|cost| cost.parameters),
        example: space.canonical_text(&some[0]),
        space: space.name().to_owned(),
    })
}

/// Builds a network, and reads it as a stranger's.
fn try_out(space: &SearchSpace, architecture: &Architecture) -> anyhow::Result<()> {
    let written = networks::build(space, architecture, 1, 0)?;
    let read = lglp_onnx::read(written.onnx.into(), &BTreeMap::new())?;
    anyhow::ensure!(
        space.chain().is_none() || networks::recognise(space, &read).is_some(),
        "its network, written as ONNX, is not recognised as one of the space"
    );
    Ok(())
}
