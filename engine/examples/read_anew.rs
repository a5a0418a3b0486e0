//! Reads the networks of a file of measurements anew, and writes their tables of operators into it, where the reader of ONNX makes others of them than
//! it did. Random ones are drawn by their names; others are read from a folder, as NAME.onnx. What was measured is of ONNX Runtime on a processor with
//! AVX-512:
//!
//! ```sh
//! cargo run --release -p lglp-engine --example read_anew -- datasets/epyc-1t/onnx/onnx.jsonl
//! cargo run --release -p lglp-engine --example read_anew -- benches/judged_networks/epyc-1t.jsonl FOLDER
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use lglp_engine::networks::{GivenNetwork, RandomNetwork, Rules};
use lglp_registry::MeasuredNetwork;
use serde::Deserialize;

/// Of a measurement, as far as it is of interest here.
#[derive(Deserialize)]
struct Line {
    network: MeasuredNetwork,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .ok_or("name a file: SPACE.jsonl of a dataset's folder")?;
    let folder = arguments.next().map(PathBuf::from);
    let rules = Rules::of("onnxruntime", ["avx512f"]);
    let (mut tables, mut changed) = (HashMap::<String, MeasuredNetwork>::new(), 0);
    let mut lines = String::new();
    for line in std::fs::read_to_string(&file)?.lines() {
        // One of several replicates has the table, where the others are told apart by their names alone.
        let Ok(Line { network }) = serde_json::from_str(line) else {
            lines += &format!("{line}\n");
            continue;
        };
        if !tables.contains_key(&network.name) {
            let given = match &folder {
                Some(folder) => GivenNetwork::file(&folder.join(format!("{}.onnx", network.name)))?,
                None => GivenNetwork::random(network.name.parse::<RandomNetwork>()?)?,
            };
            let read = given.load(rules.as_ref())?.network;
            changed += usize::from(read != network);
            tables.insert(network.name.clone(), read);
        }
        let (told, read) = (
            serde_json::to_string(&network)?,
            serde_json::to_string(&tables[&network.name])?,
        );
        if !line.contains(&told) {
            return Err(format!("{}: its table is not written as it is here", network.name).into());
        }
        lines += &format!("{}\n", line.replacen(&told, &read, 1));
    }
    std::fs::write(&file, lines)?;
    println!("{changed} of {} networks have another table", tables.len());
    Ok(())
}
