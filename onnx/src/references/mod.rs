//! Shapes and costs against those of other programs: of models with odd attributes, and of those that the package onnx has.

mod exports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Network, OnnxError, graph};

const PRODUCTS: [&str; 7] = ["Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN"];

fn root() -> PathBuf {
    let onnx = Path::new(env!("CARGO_MANIFEST_DIR"));
    onnx.parent().expect("onnx/ lies in the repository").to_owned()
}

/// Runs a Python script of tests/reference; its standard output.
fn reference(python: &Path, script: &str, arguments: &[PathBuf]) -> String {
    let output = Command::new(python)
        .arg(root().join("tests/reference").join(script))
        .args(arguments)
        .output()
        .expect("Python with the reference packages; `make test-tools` installs it");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script} failed, see `make test-tools`: {errors}"
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn tables(folder: &Path, files: &[PathBuf]) -> BTreeMap<String, Value> {
    let arguments = [&[folder.to_owned()], files].concat();
    let text = reference(&root().join(".venv/bin/python"), "onnx_tables.py", &arguments);
    serde_json::from_str(&text).expect("tables")
}

/// The models that the package onnx tests with: of real networks, but for their weights.
fn light() -> Vec<PathBuf> {
    let libraries =
        std::fs::read_dir(root().join(".venv/lib")).expect("the reference packages; `make test-tools` installs them");
    let folders = libraries.map(|python| {
        let folder = "site-packages/onnx/backend/test/data/light";
        python.expect("a folder").path().join(folder)
    });
    let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    files
}

fn read(path: &Path) -> (graph::Graph, Network) {
    let bytes = || bytes::Bytes::from(std::fs::read(path).expect("a model"));
    let read = || {
        Ok((
            graph::read(bytes(), &BTreeMap::new())?,
            crate::read(bytes(), &BTreeMap::new())?,
        ))
    };
    read().unwrap_or_else(|error: OnnxError| panic!("{}: {error}", path.display()))
}

/// Every value's shape.
fn check_shapes(path: &str, graph: &graph::Graph, expected: &Value) {
    let mut known = BTreeMap::new();
    for node in &graph.nodes {
        let named = node.proto.output.iter().zip(&node.outputs);
        known.extend(named.filter_map(|(name, id)| Some((name, (&node.proto.op_type, &graph.facts[(*id)?].shape)))));
    }
    let shapes = expected["shapes"].as_object().expect("shapes");
    assert!(!shapes.is_empty());
    for (name, shape) in shapes {
        let (op, read) = known[name];
        assert_eq!(serde_json::json!(read), *shape, "{path}: `{name}` of {op}");
    }
    let outputs = graph.outputs.iter().map(|id| &graph.facts[*id].shape);
    assert_eq!(
        serde_json::json!(outputs.collect::<Vec<_>>()),
        expected["outputs"],
        "{path}"
    );
}

/// What each product costs.
fn check_costs(path: &str, network: &Network, expected: &Value) {
    let pairs = network.operators.iter().zip(&network.origins);
    let products: Vec<_> = pairs
        .filter(|(_, origin)| PRODUCTS.contains(&origin.op.as_str()))
        .collect();
    let expected = expected["products"].as_array().expect("products");
    assert_eq!(products.len(), expected.len(), "{path}");
    for ((operator, origin), expected) in products.into_iter().zip(expected) {
        let place = format!("{path}: {} `{}`", origin.op, origin.node);
        assert_eq!(origin.op, expected["op"], "{place}");
        let number = |name: &str| expected[name].as_u64().expect("a number");
        assert_eq!(operator.macs, number("macs") / network.batch, "{place}");
        // A normalization behind it, or a sum, may have become its bias.
        let (weights, biases) = (number("weights"), number("biases"));
        let bytes = [biases, number("channels")].map(|biases| 4 * (weights + biases));
        let most = if biases == 0 { 2 } else { 1 };
        assert!(
            bytes[..most].contains(&operator.weight_bytes),
            "{place}: {} bytes of {bytes:?}",
            operator.weight_bytes
        );
    }
}

#[test]
fn shapes_and_costs_are_those_of_the_onnx_package_and_its_runtime() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let light = light();
    assert_eq!(light.len(), 9);
    let tables = tables(folder.path(), &light);
    assert!(tables.len() > light.len());
    for (path, expected) in tables {
        let (graph, network) = read(Path::new(&path));
        check_shapes(&path, &graph, &expected);
        check_costs(&path, &network, &expected);
    }
}
