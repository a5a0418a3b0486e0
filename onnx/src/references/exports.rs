//! Networks as PyTorch exports them: what is spelled out is put together, and costs what PyTorch computes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lglp_sdk::plugin::abi::*;

use super::{reference, tables};
use crate::Network;

/// Versions of the operators that are exported to: in the older, layer normalization and hard swish are many nodes.
const OPSETS: [u32; 2] = [11, 16];

/// The folder that the exports lie in.
struct Exports(tempfile::TempDir);

impl Exports {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let torch = std::env::var("LGLP_TORCH_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
        reference(Path::new(&torch), "onnx_exports.py", &[folder.path().to_owned()]);
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.onnx"))
    }

    /// Reads an export as it is.
    fn read(&self, name: &str) -> Network {
        self.read_with(name, &BTreeMap::new())
    }

    fn read_with(&self, name: &str, shapes: &BTreeMap<String, Vec<u64>>) -> Network {
        let model = std::fs::read(self.path(name)).expect("an export");
        crate::read(model.into(), shapes).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// One test, since exporting takes longer than all else.
#[test]
fn what_pytorch_exports_is_put_together_and_counted() {
    let exports = Exports::new();
    attention_and_its_spelled_out_functions_are_put_together(&exports);
    mobile_blocks_are_put_together(&exports);
    pixels_are_shuffled_stretched_and_mirrored(&exports);
    convolutions_over_a_line_have_their_channels_first(&exports);
    layers_of_an_lstm_are_one_step_each(&exports);
    a_network_costs_what_the_onnx_package_counts_in_its_export(&exports);
    sides_that_an_export_leaves_open_are_given(&exports);
}

/// The operators of ONNX that are left, and what each does at its end.
fn steps(network: &Network) -> Vec<(&str, u32)> {
    let pairs = network.origins.iter().zip(&network.operators);
    pairs
        .map(|(origin, operator)| (origin.op.as_str(), operator.activation))
        .collect()
}

fn kinds(network: &Network) -> Vec<u32> {
    network.operators.iter().map(|operator| operator.kind).collect()
}

fn attention_and_its_spelled_out_functions_are_put_together(exports: &Exports) {
    for opset in OPSETS {
        let network = exports.read(&format!("transformer-{opset}"));
        let expected = [
            ("Conv", ACTIVATION_NONE),
            ("Transpose", ACTIVATION_NONE),
            ("LayerNormalization", ACTIVATION_NONE),
            // Queries, keys and values at once, and apart.
            ("MatMul", ACTIVATION_NONE),
            ("Slice", ACTIVATION_NONE),
            ("Slice", ACTIVATION_NONE),
            ("Slice", ACTIVATION_NONE),
            ("Transpose", ACTIVATION_NONE),
            ("Transpose", ACTIVATION_NONE),
            ("Div", ACTIVATION_NONE),
            ("Transpose", ACTIVATION_NONE),
            ("MatMul", ACTIVATION_NONE),
            ("Softmax", ACTIVATION_NONE),
            ("MatMul", ACTIVATION_NONE),
            ("Transpose", ACTIVATION_NONE),
            ("Gemm", ACTIVATION_NONE),
            ("Add", ACTIVATION_NONE),
            ("LayerNormalization", ACTIVATION_NONE),
            ("MatMul", ACTIVATION_NONE),
            ("Gelu", ACTIVATION_GELU),
            ("MatMul", ACTIVATION_NONE),
            ("Add", ACTIVATION_NONE),
            ("ReduceMean", ACTIVATION_NONE),
            ("Gemm", ACTIVATION_NONE),
        ];
        assert_eq!(steps(&network), expected, "opset {opset}");
        let layers = network
            .operators
            .iter()
            .filter(|step| step.kind == OPERATOR_FULLY_CONNECTED);
        let layers: Vec<_> = layers
            .map(|step| (step.channels_in, step.channels_out, step.side_in))
            .collect();
        assert_eq!(
            layers,
            [(24, 72, 4), (24, 24, 4), (24, 96, 4), (96, 24, 4), (24, 10, 1)]
        );
    }
}

fn mobile_blocks_are_put_together(exports: &Exports) {
    for opset in OPSETS {
        let network = exports.read(&format!("efficient-{opset}"));
        let expected = [
            (OPERATOR_CONVOLUTION, ACTIVATION_HARD_SWISH),
            // Runtimes leave swish apart, as two operators of ONNX.
            (OPERATOR_POINTWISE, ACTIVATION_NONE),
            (OPERATOR_ELEMENT_WISE, ACTIVATION_SWISH),
            (OPERATOR_DEPTHWISE, ACTIVATION_NONE),
            (OPERATOR_ELEMENT_WISE, ACTIVATION_SWISH),
            (OPERATOR_SQUEEZE_EXCITE, ACTIVATION_SWISH),
            (OPERATOR_PROJECT, ACTIVATION_NONE),
            (OPERATOR_ADD, ACTIVATION_NONE),
            (OPERATOR_EXPAND, ACTIVATION_HARD_SWISH),
            (OPERATOR_DEPTHWISE, ACTIVATION_HARD_SWISH),
            (OPERATOR_SQUEEZE_EXCITE, ACTIVATION_RELU),
            (OPERATOR_PROJECT, ACTIVATION_NONE),
            (OPERATOR_ADD, ACTIVATION_NONE),
            (OPERATOR_EXPAND, ACTIVATION_CLIP),
            (OPERATOR_DEPTHWISE, ACTIVATION_CLIP),
            (OPERATOR_SQUEEZE_EXCITE, ACTIVATION_RELU),
            (OPERATOR_PROJECT, ACTIVATION_NONE),
            (OPERATOR_ADD, ACTIVATION_NONE),
            (OPERATOR_POINTWISE, ACTIVATION_NONE),
            (OPERATOR_ELEMENT_WISE, ACTIVATION_EXPONENTIAL),
            (OPERATOR_POOL, ACTIVATION_NONE),
            (OPERATOR_FULLY_CONNECTED, ACTIVATION_NONE),
        ];
        let found: Vec<_> = network
            .operators
            .iter()
            .map(|step| (step.kind, step.activation))
            .collect();
        assert_eq!(found, expected, "opset {opset}");
        // Batch normalization became a bias: 16 x 64 weights, and 64.
        assert_eq!(network.operators[1].weight_bytes, 4 * (16 * 64 + 64));
        // Two products with their biases: 64 to 16, and back.
        assert_eq!(network.operators[5].weight_bytes, 4 * (2 * 64 * 16 + 16 + 64));
    }
}

fn pixels_are_shuffled_stretched_and_mirrored(exports: &Exports) {
    for opset in OPSETS {
        let network = exports.read(&format!("pixels-{opset}"));
        let expected = [
            ("Conv", OPERATOR_CONVOLUTION),
            ("Transpose", OPERATOR_COPY),
            ("Resize", OPERATOR_RESIZE),
            ("ConvTranspose", OPERATOR_TRANSPOSED),
            ("DepthToSpace", OPERATOR_COPY),
            // A convolution pads with zeros alone, so that one pad is left.
            ("Pad", OPERATOR_COPY),
            ("Conv", OPERATOR_CONVOLUTION),
            ("InstanceNormalization", OPERATOR_NORMALIZATION),
            ("Conv", OPERATOR_CONVOLUTION),
        ];
        let ops = network.origins.iter().map(|origin| origin.op.as_str());
        assert_eq!(ops.zip(kinds(&network)).collect::<Vec<_>>(), expected, "opset {opset}");
        assert_eq!(network.operators[8].activation, ACTIVATION_LEAKY_RELU);
    }
}

fn convolutions_over_a_line_have_their_channels_first(exports: &Exports) {
    for opset in OPSETS {
        let network = exports.read(&format!("line-{opset}"));
        assert_eq!(
            kinds(&network),
            [OPERATOR_CONVOLUTION, OPERATOR_POOL, OPERATOR_CONVOLUTION]
        );
        let channels: Vec<_> = network
            .operators
            .iter()
            .map(|step| (step.channels_in, step.channels_out))
            .collect();
        assert_eq!(channels, [(6, 20), (20, 20), (20, 8)]);
        assert_eq!(network.operators[0].weight_bytes, 4 * (20 * 6 * 5 + 20));
    }
}

fn layers_of_an_lstm_are_one_step_each(exports: &Exports) {
    for opset in OPSETS {
        let network = exports.read(&format!("recurrent-{opset}"));
        // Behind both layers their last states are put together.
        assert_eq!(
            kinds(&network),
            [OPERATOR_RECURRENT, OPERATOR_RECURRENT, OPERATOR_COPY, OPERATOR_COPY]
        );
        let gates = |input: u64| 2 * 4 * 20 * (input + 20);
        for (step, input) in network.operators.iter().zip([12, 40]) {
            assert_eq!(step.macs, 7 * gates(input));
            assert_eq!(step.weight_bytes, 4 * (gates(input) + 2 * 2 * 4 * 20));
        }
    }
}

fn a_network_costs_what_the_onnx_package_counts_in_its_export(exports: &Exports) {
    let names = ["transformer", "efficient", "pixels", "line", "recurrent"];
    let paths: Vec<PathBuf> = OPSETS
        .iter()
        .flat_map(|opset| names.map(|name| exports.path(&format!("{name}-{opset}"))))
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tables = tables(folder.path(), &paths);
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let macs: u64 = exports.read(name).operators.iter().map(|step| step.macs).sum();
        assert_eq!(tables[&path.display().to_string()]["macs"], macs, "{name}");
    }
}

fn sides_that_an_export_leaves_open_are_given(exports: &Exports) {
    let shapes: [(&str, &[u64]); 5] = [
        ("transformer", &[3, 32, 32]),
        ("efficient", &[3, 32, 32]),
        ("pixels", &[3, 32, 32]),
        ("line", &[6, 50]),
        ("recurrent", &[7, 12]),
    ];
    for (name, shape) in shapes {
        for opset in OPSETS {
            let fixed = exports.read(&format!("{name}-{opset}"));
            let open = format!("{name}-{opset}-open");
            let given = |batch| {
                let shape = [&[batch], shape].concat();
                exports.read_with(&open, &BTreeMap::from([("x".to_string(), shape)]))
            };
            assert_eq!(given(1).operators, fixed.operators, "{open}");
            // Of a batch of 4 each input costs the same, but for what has to be moved about where it is more than one.
            let batch = given(4);
            assert_eq!(batch.batch, 4);
            let costs = |network: &Network| {
                let steps = network.operators.iter().filter(|step| step.kind != OPERATOR_COPY);
                let costs = steps.map(|step| (step.kind, step.macs, step.activation_bytes, step.weight_bytes));
                costs.collect::<Vec<_>>()
            };
            assert_eq!(costs(&batch), costs(&fixed), "{open}");
        }
    }
}
