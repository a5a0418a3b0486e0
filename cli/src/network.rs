//! `lglp network`.

use std::path::PathBuf;

use anyhow::Context as _;
use lglp_engine::measure::WEIGHTS_SEED;
use lglp_engine::networks;
use lglp_terminal::{print_json, whole};

use super::{Context, input};

/// Write an architecture's network as ONNX, with random weights
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    lglp network 'ofa-mobilenetv3@224/s2-k3e3-k3e3i/s2-se-k3e3-k3e3i/s2-k3e3-k3e3i/s1-se-k3e3-k3e3i/s2-se-k3e3-k3e3i' -o net.onnx")]
pub(crate) struct Args {
    /// Canonical text, JSON, `@FILE` or `-`.
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
    let spaces = context.spaces()?;
    let (space, architecture) = input::one(&spaces, args.space.as_deref(), &args.architecture)?;
    let network = networks::build(&space, &architecture, args.batch, args.seed);
    if let Some(path) = &args.output {
        std::fs::write(path, &network.onnx).with_context(|| path.display().to_string())?;
    }
    let facts = serde_json::json!({
        "architecture": space.canonical_text(&architecture),
        "digest": space.architecture_digest(&architecture),
        "resolution": space.resolution(&architecture),
        "layers": space.layers(&architecture).count(),
        "batch": args.batch,
        "macs": network.cost.macs,
        "parameters": network.cost.parameters,
        "bytes": network.onnx.len(),
        "output": args.output,
    });
    if context.json() {
        return print_json(&facts);
    }
    println!("{}", space.canonical_text(&architecture));
    println!(
        "{:.1} million multiply-accumulates, {:.2} million parameters, {:.1} MB as ONNX",
        network.cost.macs as f64 / 1e6,
        network.cost.parameters as f64 / 1e6,
        network.onnx.len() as f64 / 1e6
    );
    if let Some(path) = &args.output {
        println!("written to {}", path.display());
    }
    Ok(())
}
