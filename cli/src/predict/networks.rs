//! Networks as ONNX files.

use std::path::Path;

use anyhow::Context as _;
use lglp_openapi::networks::{NetworkRead, NetworksRequest};
use lglp_sdk::{Printable, count};
use lglp_terminal::print_json;

use super::Args;
use crate::Context;

/// Unknown operators that are told of a network.
const TOLD: usize = 5;

/// Whether arguments name ONNX files, and no architectures.
pub(super) fn are_meant(arguments: &[String]) -> bool {
    let is_file = |argument: &String| {
        let extension = Path::new(argument).extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
    };
    arguments.iter().all(is_file)
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.space.is_none() && !args.skip_faulty,
        "--space and --skip-faulty are for architectures"
    );
    let read = |path: &String| {
        let onnx = std::fs::read(path).with_context(|| path.clone())?;
        // What it costs follows from shapes: weights need not travel.
        let onnx = lglp_onnx::without_weights(onnx.into()).with_context(|| path.clone())?;
        Ok((path.clone(), onnx))
    };
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
    let networks = response
        .predictions
        .iter()
        .filter_map(|prediction| prediction.network.as_ref());
    networks.for_each(print_read);
    Ok(())
}

/// Tells what was read of a file.
fn print_read(network: &NetworkRead) {
    println!(
        "{}: {:.1} million multiply-accumulates, {:.2} million parameters, {}",
        Printable::of(&network.name),
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
