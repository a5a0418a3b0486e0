//! `lglp network`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use lglp_engine::measure::WEIGHTS_SEED;
use lglp_engine::networks::{self, Cost, RandomNetwork};
use lglp_terminal::{print_json, whole};
use serde_json::Value;

use super::{Context, input};

/// Write an architecture's network, or a random one, as ONNX, with random weights
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp network convnets-17 -o net.onnx    # a random one of those that `lglp measure --random` measures\n  \
    lglp network 'ofa-mobilenetv3@224/s2-k3e3-k3e3i/s2-se-k3e3-k3e3i/s2-k3e3-k3e3i/s1-se-k3e3-k3e3i/s2-se-k3e3-k3e3i' -o net.onnx")]
pub(crate) struct Args {
    /// Canonical text, JSON, `@FILE` or `-`; or the name of a random network: `convnets-17`, `transformers-3`.
    #[arg(value_name = "ARCH")]
    architecture: String,
    /// Search space; needed for JSON forms, which do not tell it.
    #[arg(long)]
    space: Option<String>,
    /// Where to write it; without it, only the cost is printed.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Images per batch.
    #[arg(long, default_value_t = 1, value_parser = whole::<u32>().range(1..=4096))]
    batch: u32,
    /// Seed of the weights.
    #[arg(long, default_value_t = WEIGHTS_SEED, value_parser = whole::<u64>())]
    seed: u64,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if let Ok(network) = args.architecture.parse::<RandomNetwork>() {
        return random(context, args, network);
    }
    let spaces = context.spaces()?;
    let (space, architecture) = input::one(&spaces, args.space.as_deref(), &args.architecture)?;
    let network = networks::build(&space, &architecture, args.batch, args.seed)?;
    if let Some(path) = &args.output {
        std::fs::write(path, &network.onnx).with_context(|| path.display().to_string())?;
    }
    let facts = serde_json::json!({
        "architecture": space.canonical_text(&architecture),
        "digest": space.architecture_digest(&architecture),
        "resolution": space.input_side(&architecture),
        "layers": space.chain().map(|chain| chain.layers(&architecture).count()),
        "operators": network.operators.len(),
        "batch": args.batch,
        "macs": network.cost.macs,
        "parameters": network.cost.parameters,
        "bytes": network.onnx.len(),
        "output": args.output,
    });
    tell(
        context,
        args,
        &space.canonical_text(&architecture),
        (network.cost, network.onnx.len()),
        &facts,
    )
}

/// A random network: weights and batch belong to its name.
fn random(context: &Context, args: &Args, network: RandomNetwork) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.batch == 1 && args.seed == WEIGHTS_SEED && args.space.is_none(),
        "{network} is of batch 1 and no space, and has weights of its own: leave --batch, --seed and --space out"
    );
    let onnx = network.onnx();
    if let Some(path) = &args.output {
        std::fs::write(path, &onnx).with_context(|| path.display().to_string())?;
    }
    let bytes = onnx.len();
    let read = lglp_onnx::read(onnx.into(), &BTreeMap::new())?;
    let cost = Cost::of(&read.operators, 1);
    let facts = serde_json::json!({
        "network": network.to_string(),
        "operators": read.operators.len(),
        "macs": cost.macs,
        "parameters": cost.parameters,
        "bytes": bytes,
        "output": args.output,
    });
    tell(context, args, &network.to_string(), (cost, bytes), &facts)
}

/// Prints `facts`, or what of a network people ask: what it costs, and how many bytes its file has.
fn tell(context: &Context, args: &Args, name: &str, (cost, bytes): (Cost, usize), facts: &Value) -> anyhow::Result<()> {
    if context.json() {
        return print_json(facts);
    }
    println!("{name}");
    println!(
        "{:.1} million multiply-accumulates, {:.2} million parameters, {:.1} MB as ONNX",
        cost.macs as f64 / 1e6,
        cost.parameters as f64 / 1e6,
        bytes as f64 / 1e6
    );
    if let Some(path) = &args.output {
        println!("written to {}", path.display());
    }
    Ok(())
}
