//! Networks as ONNX files.

use std::path::Path;

use anyhow::Context as _;
use lglp_engine::networks::{is_named_onnx, read_file};
use lglp_openapi::networks::{NetworkRead, NetworksRequest};
use lglp_sdk::{Printable, count};
use lglp_terminal::print_json;

use super::Args;
use crate::Context;

/// Unknown operators that are told of a network.
const TOLD: usize = 5;

/// Whether arguments name ONNX files, and no architectures.
pub(super) fn are_meant(arguments: &[String]) -> bool {
    arguments.iter().all(|argument| is_named_onnx(Path::new(argument)))
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.space.is_none() && !args.skip_faulty,
        "--space and --skip-faulty are for architectures"
    );
    let read = |path: &String| Ok((path.clone(), shapes_of(path).with_context(|| path.clone())?));
    let request = NetworksRequest {
        networks: args.architectures.iter().map(read).collect::<anyhow::Result<_>>()?,
        model: Some(args.model.clone()),
        coverage: Some(args.coverage),
        shapes: args.shapes.clone(),
        refuse_unknown: args.refuse_unknown,
    };
    let registry = context.registry("predict")?;
    let response = registry.operations.predict_networks(&args.hardware, request)?;
    if context.json() {
        return print_json(&response);
    }
    super::print(&response, args.coverage, "network", args.architectures.iter().cloned());
    for (path, prediction) in args.architectures.iter().zip(&response.predictions) {
        if let Some(network) = &prediction.network {
            print_read(path, network);
        }
    }
    Ok(())
}

/// A file without its weights: what a network costs follows from shapes, so that the others need not travel.
fn shapes_of(path: &str) -> anyhow::Result<Vec<u8>> {
    Ok(lglp_onnx::without_weights(read_file(Path::new(path))?.into())?)
}

/// Tells what was read of a file.
fn print_read(path: &str, network: &NetworkRead) {
    println!(
        "{}: {:.1} million multiply-accumulates, {:.2} million parameters, {}",
        Printable::of(path),
        network.macs as f64 / 1e6,
        network.parameters as f64 / 1e6,
        count(network.operators, "operator")
    );
    if let Some(architecture) = &network.architecture {
        println!("  it is {}", Printable::of(architecture));
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for unknown in network.unknown_operators.iter().take(TOLD) {
        println!(
            "  not measured, a guess: {} of {}, {} of the prediction, {} of the multiply-accumulates",
            unknown.count,
            Printable::of(&unknown.operator),
            percent(unknown.share),
            percent(unknown.macs_share)
        );
    }
    if let Some(more @ 1..) = network.unknown_operators.len().checked_sub(TOLD) {
        println!("  and {} more", count(more, "kind"));
    }
}
