//! Files of networks that somebody else measured: a line of JSON each, with the network's graph and its latency on each device.
//!
//! Graphs are those of nn-Meter (Zhang et al., MobiSys 2021, <https://github.com/microsoft/nn-Meter>): what TensorFlow computes, node by node, with
//! shapes and without weights.

mod columns;
mod conversion;
mod node;

pub use columns::{GraphColumns, Role};

use std::collections::BTreeMap;

use lglp_onnx::{Bytes, OnnxError};
use lglp_registry::{Digest, HardwareName, MeasuredNetwork, Measurement, ONNX, plausible};
use lglp_sdk::{Excerpt, strict};
use prost::Message;
use serde_json::Value;

use super::faults::{Fault, ImportError, Rows};
use super::format::Format;
use super::table::of_import;
use crate::networks::measured;

/// Measurements of a file of graphs, in the order of its lines; a line without a latency, which is null, is none. A network that comes again is
/// its next replicate.
///
/// # Errors
/// What is wrong with the file as a whole; what is wrong with lines is told beside those that are right.
pub fn read_graphs(
    file: &str,
    bytes: &[u8],
    columns: &GraphColumns,
    hardware: &HardwareName,
) -> Result<Rows, ImportError> {
    if let Some(format) = Format::of(bytes) {
        let file = file.to_owned();
        return Err(ImportError::Format { file, format });
    }
    let sha256 = Digest::of(bytes);
    let (mut measurements, mut faults) = (Vec::new(), Vec::new());
    let mut replicates: BTreeMap<Digest, u32> = BTreeMap::new();
    for (text, line) in strict::without_mark(bytes).split(|byte| *byte == b'\n').zip(1..) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let network = match of_line(text, columns) {
            Ok(Some(network)) => network,
            Ok(None) => continue,
            Err(problem) => {
                let column = None;
                faults.push(Fault { line, column, problem });
                continue;
            }
        };
        let digest = Digest::of(network.text.as_bytes());
        let replicate = replicates.entry(digest.clone()).and_modify(|r| *r += 1).or_default();
        measurements.push(Measurement {
            space: ONNX.to_owned(),
            architecture: network.text,
            digest,
            replicate: *replicate,
            latency_ms: network.latency_ms,
            network: Some(network.computes),
            ..of_import(file, hardware, &sha256, &columns.latency, line)
        });
    }
    if measurements.is_empty() && faults.is_empty() {
        return Err(ImportError::NoRows { file: file.to_owned() });
    }
    Ok(Rows {
        file: file.to_owned(),
        measurements,
        faults,
    })
}

/// What a line tells.
struct Told {
    /// The SHA-256 of the network as an ONNX model without its weights.
    text: String,
    computes: MeasuredNetwork,
    latency_ms: f64,
}

/// The network of a line; `None` where it was not measured on the device.
fn of_line(text: &[u8], columns: &GraphColumns) -> Result<Option<Told>, String> {
    let line: Value = serde_json::from_slice(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let field = |name: &str| {
        line.get(name)
            .ok_or_else(|| format!("it has no `{name}`; {}", fields(&line)))
    };
    let latency = field(&columns.latency)?;
    if latency.is_null() {
        return Ok(None);
    }
    let latency_ms = latency.as_f64().map(|value| value * columns.unit.in_ms());
    let latency_ms = latency_ms
        .filter(|latency| plausible::latency_ms("latency_ms", *latency).is_ok())
        .ok_or_else(|| format!("`{}` is no latency", Excerpt::of(latency)))?;
    let name = field(&columns.name)?.as_str().ok_or("its name is no text")?;
    let model = conversion::model(field(&columns.graph)?, &columns.operators)?;
    let encoded = Bytes::from(model.encode_to_vec());
    let unreadable = |error: OnnxError| format!("{}: {error}", Excerpt::of(name));
    let structure = lglp_onnx::without_weights(encoded.clone()).map_err(unreadable)?;
    let network = lglp_onnx::read(encoded, &BTreeMap::new()).map_err(unreadable)?;
    Ok(Some(Told {
        text: Digest::of(&structure).to_string(),
        computes: measured(name, &network, None),
        latency_ms,
    }))
}

fn fields(line: &Value) -> String {
    let names: Vec<&str> = line
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    format!("there are {}", Excerpt::of(names.join(", ")))
}
