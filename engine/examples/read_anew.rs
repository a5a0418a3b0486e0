//! Reads the random networks of a file of measurements anew, and writes their tables of operators into it, where the reader of ONNX makes others of
//! them than it did:
//!
//! ```sh
//! cargo run --release -p lglp-engine --example read_anew -- datasets/epyc-1t/onnx/onnx.jsonl
//! ```

use std::collections::HashMap;
use std::error::Error;

use lglp_engine::networks::{GivenNetwork, RandomNetwork};
use lglp_registry::{MeasuredNetwork, Measurement};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args()
        .nth(1)
        .ok_or("name a file: SPACE.jsonl of a dataset's folder")?;
    let (mut tables, mut changed) = (HashMap::<String, MeasuredNetwork>::new(), 0);
    let mut lines = String::new();
    for line in std::fs::read_to_string(&file)?.lines() {
        let mut measurement: Measurement = serde_json::from_str(line)?;
        let network = measurement.network.as_mut().ok_or("a measurement of no network")?;
        if !tables.contains_key(&network.name) {
            let drawn: RandomNetwork = network.name.parse()?;
            let read = GivenNetwork::random(drawn)?.load()?.network;
            changed += usize::from(read != *network);
            tables.insert(network.name.clone(), read);
        }
        *network = tables[&network.name].clone();
        lines += &(serde_json::to_string(&measurement)? + "\n");
    }
    std::fs::write(&file, lines)?;
    println!("{changed} of {} networks have another table", tables.len());
    Ok(())
}
