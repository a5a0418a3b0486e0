//! What looks like a part of the step before it, and is none.

#[path = "hostile/build.rs"]
mod build;

use std::collections::BTreeMap;

use build::*;
use lglp_onnx::Network;
use lglp_onnx::messages::*;
use lglp_sdk::plugin::abi::{ACTIVATION_GELU, OPERATOR_NORMALIZATION};

const IMAGE: [i64; 4] = [1, 3, 8, 8];

fn read(inputs: &[(&str, &[i64])], weights: Vec<TensorProto>, nodes: Vec<NodeProto>, output: &str) -> Network {
    let inputs = inputs.iter().map(|(name, sides)| input(name, sides)).collect();
    lglp_onnx::read(bytes(&model(inputs, weights, nodes, output)), &BTreeMap::new()).expect("a network")
}

fn ops(network: &Network) -> Vec<&str> {
    network.origins.iter().map(|origin| origin.op.as_str()).collect()
}

/// A convolution of 4 channels, and a step with a constant behind it.
fn convolution_and(op: &str, inputs: &[&str], constant: TensorProto) -> Network {
    let nodes = vec![node("Conv", &["x", "w"], &["c"]), node(op, inputs, &["y"])];
    read(
        &[("x", &IMAGE)],
        vec![weights("w", &[4, 3, 3, 3]), constant],
        nodes,
        "y",
    )
}

/// Whatever became part of the weights was counted as a bias.
#[test]
fn a_scale_is_no_bias() {
    let channels = || weights("k", &[4, 1, 1]);
    for (op, biases) in [("Mul", 0), ("Div", 0), ("Add", 4), ("Sub", 4)] {
        let network = convolution_and(op, &["c", "k"], channels());
        assert_eq!(ops(&network), ["Conv"]);
        assert_eq!(network.operators[0].weight_bytes, 4 * (4 * 27 + biases), "{op}");
    }
}

/// `k / x` was taken for `x / k`.
#[test]
fn a_constant_that_is_divided_is_no_scale() {
    let network = convolution_and("Div", &["k", "c"], scalar("k", 1.0));
    assert_eq!(ops(&network), ["Conv", "Div"]);
}

/// Any constant of as many elements as there are channels was taken for one along them: here it stands along the width, or makes the
/// value larger, whose products were then counted, too.
#[test]
fn a_bias_lies_along_the_channels() {
    for sides in [[1, 1, 4].as_slice(), &[4, 1, 1, 1], &[1, 1, 1, 1, 1]] {
        let nodes = vec![node("Conv", &["x", "w"], &["c"]), node("Add", &["c", "k"], &["y"])];
        let constants = vec![weights("w", &[4, 3, 3, 3]), weights("k", sides)];
        let network = read(&[("x", &[1, 3, 6, 6])], constants, nodes, "y");
        assert_eq!(ops(&network), ["Conv", "Add"], "{sides:?}");
        assert_eq!(network.operators[0].macs, 4 * 4 * 4 * 27);
    }
}

/// It normalizes along the second dimension; the outputs of a product lie along the last.
#[test]
fn batch_normalization_behind_a_product_of_more_dimensions_stays() {
    let normalized = |sides: &[i64]| {
        let nodes = vec![
            node("MatMul", &["x", "w"], &["p"]),
            node("BatchNormalization", &["p", "k", "k", "k", "k"], &["y"]),
        ];
        read(
            &[("x", sides)],
            vec![weights("w", &[8, 5]), weights("k", &[5])],
            nodes,
            "y",
        )
    };
    assert_eq!(ops(&normalized(&[2, 8])), ["MatMul"]);
    assert_eq!(ops(&normalized(&[2, 5, 8])), ["MatMul", "BatchNormalization"]);
}

/// A convolution pads height and width with zeros, and does nothing else that a pad does.
#[test]
fn only_zeros_around_an_image_are_left_to_its_convolution() {
    let padded = |pads: [i64; 8], value: f32, mode: &str, channels: i64| {
        let mode = AttributeProto {
            name: "mode".into(),
            s: mode.into(),
            ..AttributeProto::default()
        };
        let nodes = vec![
            with(node("Pad", &["x", "pads", "value"], &["p"]), vec![mode]),
            node("Conv", &["p", "w"], &["y"]),
        ];
        let constants = vec![
            numbers("pads", &pads),
            scalar("value", value),
            weights("w", &[4, channels, 3, 3]),
        ];
        let network = read(&[("x", &IMAGE)], constants, nodes, "y");
        ops(&network).len()
    };
    let around = [0, 0, 1, 2, 0, 0, 1, 0];
    assert_eq!(padded(around, 0.0, "constant", 3), 1);
    assert_eq!(padded(around, 0.5, "constant", 3), 2);
    assert_eq!(padded(around, 0.0, "reflect", 3), 2);
    assert_eq!(padded([0, 1, 1, 1, 0, 0, 1, 1], 0.0, "constant", 4), 2);
    assert_eq!(padded([0, 0, -1, 0, 0, 0, 0, 0], 0.0, "constant", 3), 2);
}

/// What normalizes a layer was put together though others read what lies in between, or though it was no square that it took the mean of.
#[test]
fn a_layer_is_normalized_where_all_of_it_is() {
    let layer = |squared: &[&str], square: &str, more: Option<NodeProto>| {
        let mean = |from: &str, to: &str| {
            let axes = AttributeProto::ints("axes", vec![-1]);
            with(node("ReduceMean", &[from], &[to]), vec![axes])
        };
        let mut nodes = vec![
            mean("x", "mean"),
            node("Sub", &["x", "mean"], &["centred"]),
            node(square, squared, &["square"]),
            mean("square", "variance"),
            node("Add", &["variance", "small"], &["sum"]),
            node("Sqrt", &["sum"], &["deviation"]),
            node("Div", &["centred", "deviation"], &["y"]),
        ];
        nodes.extend(more);
        let output = if nodes.len() == 8 { "z" } else { "y" };
        let constants = vec![scalar("small", 1e-5), scalar("two", 2.0), scalar("three", 3.0)];
        let network = read(&[("x", &[1, 5, 8]), ("v", &[1, 5, 8])], constants, nodes, output);
        let kinds = network.operators.iter().map(|step| step.kind);
        (
            network.operators.len(),
            kinds.filter(|kind| *kind == OPERATOR_NORMALIZATION).count(),
        )
    };
    assert_eq!(layer(&["centred", "two"], "Pow", None), (1, 1));
    assert_eq!(layer(&["centred", "centred"], "Mul", None), (1, 1));
    assert_eq!(layer(&["centred", "three"], "Pow", None), (7, 0));
    assert_eq!(layer(&["centred", "v"], "Mul", None), (7, 0));
    let more = node("Add", &["y", "centred"], &["z"]);
    assert_eq!(layer(&["centred", "two"], "Pow", Some(more)), (8, 0));
}

/// What a product adds was counted as its weights, though the network computed it.
#[test]
fn a_computed_sum_is_no_weight() {
    let gemm = |added: &str| {
        let nodes = vec![node("Gemm", &["x", "w", added], &["y"])];
        let constants = vec![weights("w", &[8, 5]), weights("b", &[5])];
        read(&[("x", &[2, 8]), ("c", &[2, 5])], constants, nodes, "y").operators[0].weight_bytes
    };
    assert_eq!(gemm("b"), 4 * (8 * 5 + 5));
    assert_eq!(gemm("c"), 4 * 8 * 5);
}

/// XCiT scales its queries once they are reshaped into heads: the product before that was counted as if it had computed each of the heads
/// by itself, four times its multiply-accumulates.
#[test]
fn what_is_reshaped_in_between_is_not_merged() {
    for (op, constant) in [("Mul", Some("half")), ("Relu", None)] {
        let inputs: Vec<&str> = ["heads"].into_iter().chain(constant).collect();
        let nodes = vec![
            node("Gemm", &["x", "w"], &["p"]),
            node("Reshape", &["p", "sides"], &["heads"]),
            node(op, &inputs, &["y"]),
        ];
        let constants = vec![
            weights("w", &[8, 16]),
            numbers("sides", &[1, 4, 1, 4]),
            scalar("half", 0.5),
        ];
        let network = read(&[("x", &[1, 8])], constants, nodes, "y");
        assert_eq!(ops(&network), ["Gemm", op]);
        assert_eq!(network.operators[0].macs, 8 * 16);
    }
}

/// The scales and biases behind HGNet's activations, one and zero until they are trained, were steps; runtimes leave them out.
#[test]
fn what_adds_nothing_is_no_step() {
    let behind = |op: &str, inputs: &[&str], value: f32, sides: &[i64]| {
        let nodes = vec![node("Sin", &["x"], &["s"]), node(op, inputs, &["y"])];
        let constant = TensorProto {
            dims: sides.to_vec(),
            ..scalar("k", value)
        };
        ops(&read(&[("x", &[1, 4])], vec![constant], nodes, "y")).len()
    };
    for (op, neutral) in [("Add", 0.0), ("Sub", 0.0), ("Mul", 1.0), ("Div", 1.0)] {
        assert_eq!(behind(op, &["s", "k"], neutral, &[]), 1, "{op}");
        assert_eq!(behind(op, &["s", "k"], 0.5, &[]), 2, "{op}");
        let other_way = if matches!(op, "Add" | "Mul") { 1 } else { 2 };
        assert_eq!(behind(op, &["k", "s"], neutral, &[]), other_way, "{op}");
    }
    // It adds a dimension.
    assert_eq!(behind("Add", &["s", "k"], 0.0, &[1, 1, 1]), 2);
}

/// The mean over all places was looked for as a pool that is global by its name; TensorFlow writes a window as large as the input. One that is
/// smaller leaves places out, and is none.
#[test]
fn a_window_over_all_places_squeezes() {
    let gated = |kernel: i64| {
        let sides = || vec![AttributeProto::ints("kernel_shape", vec![kernel, kernel])];
        let nodes = vec![
            node("Conv", &["x", "w"], &["c"]),
            with(node("AveragePool", &["c"], &["p"]), {
                let mut about = sides();
                about.push(AttributeProto::ints("strides", vec![kernel, kernel]));
                about
            }),
            node("Conv", &["p", "r"], &["a"]),
            node("Relu", &["a"], &["b"]),
            node("Conv", &["b", "e"], &["d"]),
            node("Sigmoid", &["d"], &["g"]),
            node("Mul", &["c", "g"], &["y"]),
        ];
        let constants = vec![
            weights("w", &[4, 3, 3, 3]),
            weights("r", &[2, 4, 1, 1]),
            weights("e", &[4, 2, 1, 1]),
        ];
        read(&[("x", &IMAGE)], constants, nodes, "y")
    };
    assert_eq!(ops(&gated(6)), ["Conv", "SqueezeExcite"]);
    assert_eq!(ops(&gated(5)), ["Conv", "AveragePool", "Conv", "Conv", "Mul"]);
}

/// Exporters of GPT-2 and of CLIP spell GELU out otherwise than by `erf`; runtimes put these together, too.
#[test]
fn gelu_is_spelled_out_in_several_ways() {
    let constant = |name: &str, value: f32| scalar(name, value);
    let spelled = |nodes: Vec<NodeProto>| {
        let constants = vec![
            constant("half", 0.5),
            constant("one", 1.0),
            constant("three", 3.0),
            constant("c", 0.044_715),
            constant("k", 0.797_884_6),
            constant("alpha", 1.702),
        ];
        read(&[("x", &[1, 4, 8])], constants, nodes, "y")
    };
    let end = |base: &str| {
        vec![
            node("Add", &["x", "cubed"], &["sum"]),
            node("Mul", &["sum", "k"], &["scaled"]),
            node("Tanh", &["scaled"], &["tanh"]),
            node("Add", &["tanh", "one"], &["more"]),
            node("Mul", &[base, "more"], &["gated"]),
        ]
    };
    // GPT-2's, by a power.
    let mut by_power = vec![
        node("Pow", &["x", "three"], &["cube"]),
        node("Mul", &["cube", "c"], &["cubed"]),
    ];
    by_power.extend(end("x"));
    by_power.push(node("Mul", &["gated", "half"], &["y"]));
    // By products, half of the input being gated.
    let mut by_products = vec![
        node("Mul", &["x", "half"], &["half_x"]),
        node("Mul", &["x", "x"], &["square"]),
        node("Mul", &["square", "x"], &["cube"]),
        node("Mul", &["c", "cube"], &["cubed"]),
    ];
    by_products.extend(end("half_x"));
    by_products.push(node("Identity", &["gated"], &["y"]));
    for nodes in [by_power, by_products] {
        let network = spelled(nodes);
        assert_eq!(ops(&network), ["Gelu"]);
        assert_eq!(network.operators[0].activation, ACTIVATION_GELU);
    }
    let quick = vec![
        node("Mul", &["x", "alpha"], &["scaled"]),
        node("Sigmoid", &["scaled"], &["gate"]),
        node("Mul", &["x", "gate"], &["y"]),
    ];
    assert_eq!(ops(&spelled(quick)), ["Gelu"]);
    // Another power makes another function.
    let other = vec![
        node("Pow", &["x", "one"], &["cube"]),
        node("Mul", &["cube", "c"], &["cubed"]),
        node("Add", &["x", "cubed"], &["sum"]),
        node("Mul", &["sum", "k"], &["scaled"]),
        node("Tanh", &["scaled"], &["tanh"]),
        node("Add", &["tanh", "one"], &["more"]),
        node("Mul", &["x", "more"], &["y"]),
    ];
    assert!(!ops(&spelled(other)).contains(&"Gelu"));
    // Nor is what is not shifted by one, or adds where it should multiply.
    let mut unshifted = vec![
        node("Pow", &["x", "three"], &["cube"]),
        node("Mul", &["cube", "c"], &["cubed"]),
        node("Add", &["x", "cubed"], &["sum"]),
        node("Mul", &["sum", "k"], &["scaled"]),
        node("Tanh", &["scaled"], &["tanh"]),
        node("Mul", &["x", "tanh"], &["gated"]),
        node("Mul", &["gated", "half"], &["y"]),
    ];
    assert!(!ops(&spelled(unshifted.clone())).contains(&"Gelu"));
    unshifted[5] = node("Add", &["tanh", "one"], &["more"]);
    unshifted[6] = node("Mul", &["x", "more"], &["y"]);
    assert_eq!(ops(&spelled(unshifted.clone())), ["Gelu"]);
    unshifted[1] = node("Add", &["cube", "c"], &["cubed"]);
    assert!(!ops(&spelled(unshifted)).contains(&"Gelu"));
}
