//! Prints what ONNX files are read as: how many operators of each kind, from which operators of ONNX, and their shares.
//!
//! ```console
//! $ cargo run --release -p lglp-onnx --example operators -- [--each] FILE.onnx ...
//! ```
//!
//! `--each` lists every operator by itself.

use std::collections::BTreeMap;
use std::process::ExitCode;

use lglp_onnx::Network;
use lglp_sdk::plugin::operator::{ACTIVATION_NAMES, OPERATOR_NAMES, name_of};

fn main() -> ExitCode {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let is_each = files.first().is_some_and(|file| file == "--each");
    files.drain(..usize::from(is_each));
    let mut refused = 0;
    for file in &files {
        let read = std::fs::read(file).map_err(|error| error.to_string());
        let network = read.and_then(|model| {
            let network = lglp_onnx::read(model.into(), &BTreeMap::new());
            network.map_err(|error| error.to_string())
        });
        match network {
            Ok(network) if is_each => list(file, &network),
            Ok(network) => sum_up(file, &network),
            Err(message) => {
                refused += 1;
                println!("{file}: {message}\n");
            }
        }
    }
    if refused > 0 || files.is_empty() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What is summed up of operators that are alike.
#[derive(Default)]
struct Sums {
    count: u64,
    macs: u64,
    bytes: u64,
}

fn sum_up(file: &str, network: &Network) {
    let mut rows: BTreeMap<(&str, &str, &str), Sums> = BTreeMap::new();
    for (operator, origin) in network.operators.iter().zip(&network.origins) {
        let kind = name_of(operator.kind, OPERATOR_NAMES);
        let activation = name_of(operator.activation, ACTIVATION_NAMES);
        let sums = rows.entry((kind, &origin.op, activation)).or_default();
        sums.count += 1;
        sums.macs += operator.macs;
        sums.bytes += operator.activation_bytes + operator.weight_bytes;
    }
    let macs: u64 = rows.values().map(|sums| sums.macs).sum();
    let bytes: u64 = rows.values().map(|sums| sums.bytes).sum();
    let count = network.operators.len();
    println!("{file}: {count} operators, {macs} multiply-accumulates, {bytes} bytes moved");
    println!(
        "{:15} {:22} {:12} {:>5} {:>6} {:>6}",
        "kind", "operator", "activation", "count", "macs", "bytes"
    );
    let share = |part: u64, all: u64| 100.0 * part as f64 / all.max(1) as f64;
    for ((kind, op, activation), sums) in rows {
        println!(
            "{kind:15} {op:22} {activation:12} {:5} {:5.1}% {:5.1}%",
            sums.count,
            share(sums.macs, macs),
            share(sums.bytes, bytes)
        );
    }
    println!();
}

fn list(file: &str, network: &Network) {
    println!("{file}");
    for (at, (operator, origin)) in network.operators.iter().zip(&network.origins).enumerate() {
        let kind = name_of(operator.kind, OPERATOR_NAMES);
        let activation = name_of(operator.activation, ACTIVATION_NAMES);
        let (from, to) = (operator.channels_in, operator.channels_out);
        let sides = (operator.side_in, operator.side_out);
        println!(
            "{at:4} {kind:15} {:22} {activation:12} {from}x{}^2 to {to}x{}^2, kernel {}, {} macs  {}",
            origin.op, sides.0, sides.1, operator.kernel, operator.macs, origin.node
        );
    }
    println!();
}
