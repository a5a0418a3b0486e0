//! What exporters leave behind beside what a network computes: arithmetic of shapes, weights that are made of weights.

#[path = "hostile/build.rs"]
mod build;

use std::collections::BTreeMap;

use build::*;
use lglp_onnx::messages::*;
use lglp_onnx::{Network, OnnxError};
use lglp_sdk::plugin::abi::*;

fn try_read(
    inputs: &[(&str, &[i64])],
    constants: Vec<TensorProto>,
    nodes: Vec<NodeProto>,
) -> Result<Network, OnnxError> {
    let inputs = inputs.iter().map(|(name, sides)| input(name, sides)).collect();
    lglp_onnx::read(bytes(&model(inputs, constants, nodes, "y")), &BTreeMap::new())
}

fn read(inputs: &[(&str, &[i64])], constants: Vec<TensorProto>, nodes: Vec<NodeProto>) -> Network {
    try_read(inputs, constants, nodes).expect("a network")
}

fn ops(network: &Network) -> Vec<&str> {
    network.origins.iter().map(|origin| origin.op.as_str()).collect()
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        s: value.into(),
        ..AttributeProto::default()
    }
}

/// Swin pads its windows to whole ones, by `(7 - 56 % 7) % 7`, and was refused: what is left of a division was not computed.
#[test]
fn pads_that_are_left_of_a_division_are_known() {
    let padded = |side: i64, fmod: i64, by: &str| {
        let rest = |inputs: &[&str], to: &str| {
            let fmod = AttributeProto::int("fmod", fmod);
            with(node("Mod", inputs, &[to]), vec![fmod])
        };
        let nodes = vec![
            rest(&["side", "seven"], "over"),
            node("Sub", &["seven", "over"], &["more"]),
            rest(&["more", "seven"], "pad"),
            with(
                node("Concat", &["none", "none", "none", by], &["pads"]),
                vec![AttributeProto::int("axis", 0)],
            ),
            node("Pad", &["x", "pads"], &["padded"]),
            node("Relu", &["padded"], &["y"]),
        ];
        let constants = vec![numbers("side", &[side]), numbers("seven", &[7]), numbers("none", &[0])];
        let network = read(&[("x", &[1, 4])], constants, nodes);
        network.operators[1].activation_bytes
    };
    for fmod in [0, 1] {
        assert_eq!(padded(56, fmod, "pad"), 2 * 4 * 4);
        assert_eq!(padded(53, fmod, "pad"), 2 * 4 * (4 + 3));
    }
    // Of a number below zero what is left has the sign of that by which it is divided, unless the node says otherwise.
    assert_eq!(padded(-5, 0, "over"), 2 * 4 * (4 + 2));
    assert_eq!(padded(-2, 1, "over"), 2 * 4 * (4 - 2));
}

/// `unflatten` of the last dimension, as multi-head attention has it, puts a shape together from the sides before that, new ones, and those
/// behind it, of which there are none: an empty list was taken for one that nobody knows, and the network was refused.
#[test]
fn an_empty_list_of_sides_is_known() {
    let sides = |from: &str, to: &str, name: &str| node("Slice", &["shape", from, to], &[name]);
    let nodes = vec![
        node("Shape", &["x"], &["shape"]),
        sides("zero", "one", "before"),
        sides("two", "large", "behind"),
        with(
            node("Concat", &["before", "heads", "behind"], &["wanted"]),
            vec![AttributeProto::int("axis", 0)],
        ),
        node("Reshape", &["x", "wanted"], &["apart"]),
        node("Softmax", &["apart"], &["y"]),
    ];
    let constants = vec![
        numbers("zero", &[0]),
        numbers("one", &[1]),
        numbers("two", &[2]),
        numbers("large", &[i64::MAX]),
        numbers("heads", &[3, 4]),
    ];
    let network = read(&[("x", &[5, 12])], constants, nodes);
    assert_eq!(ops(&network), ["Softmax"]);
    assert_eq!((network.operators[0].channels_out, network.batch), (4, 5));
}

/// Pads like TensorFlow's are at least zero, by a `Clip` without an upper bound, which was not computed.
#[test]
fn pads_that_are_clipped_are_known() {
    let nodes = |bounds: &[&str]| {
        let inputs: Vec<&str> = ["less"].iter().chain(bounds).copied().collect();
        let to_whole = vec![AttributeProto::int("to", i64::from(INT64))];
        vec![
            node("Clip", &inputs, &["clipped"]),
            with(node("Cast", &["clipped"], &["whole"]), to_whole),
            node("Unsqueeze", &["whole", "first"], &["pad"]),
            with(
                node("Concat", &["none", "none", "none", "pad"], &["pads"]),
                vec![AttributeProto::int("axis", 0)],
            ),
            node("Pad", &["x", "pads"], &["padded"]),
            node("Relu", &["padded"], &["y"]),
        ]
    };
    let constants = |less: f32| {
        let bounds = [scalar("zero", 0.0), scalar("two", 2.0)];
        let lists = [numbers("none", &[0]), numbers("first", &[0])];
        [scalar("less", less)].into_iter().chain(bounds).chain(lists).collect()
    };
    let bytes = |less: f32, bounds: &[&str]| {
        let network = read(&[("x", &[1, 4])], constants(less), nodes(bounds));
        network.operators[1].activation_bytes
    };
    assert_eq!(bytes(-3.0, &["zero", ""]), 2 * 4 * 4);
    assert_eq!(bytes(1.0, &["zero", ""]), 2 * 4 * 5);
    assert_eq!(bytes(9.0, &["zero", "two"]), 2 * 4 * 6);
    // A bound that follows from the input tells nothing beforehand.
    let refused = try_read(&[("x", &[1, 4])], constants(1.0), nodes(&["x"]));
    assert!(matches!(refused, Err(OnnxError::Node { .. })), "{refused:?}");
}

/// Networks without normalization (NFNets) standardize their weights instead, by a batch normalization that learns, of weights alone: its
/// further outputs were refused. What follows from weights is weights.
#[test]
fn weights_that_are_standardized_are_weights() {
    let nodes = vec![
        node(
            "BatchNormalization",
            &["flat", "gain", "bias", "mean", "variance"],
            &["standard", "mean_after", "variance_after"],
        ),
        node("Reshape", &["standard", "sides"], &["w"]),
        node("Conv", &["x", "w"], &["y"]),
    ];
    let vector = |name: &str| weights(name, &[4]);
    let constants = vec![
        weights("flat", &[1, 4, 27]),
        vector("gain"),
        vector("bias"),
        vector("mean"),
        vector("variance"),
        numbers("sides", &[4, 3, 3, 3]),
    ];
    let network = read(&[("x", &[1, 3, 8, 8])], constants, nodes);
    assert_eq!(ops(&network), ["Conv"]);
    assert_eq!(network.operators[0].weight_bytes, 4 * 4 * 27);
}

/// MaxViT writes its attention as sums over products of letters, and was refused.
#[test]
fn a_sum_over_products_costs_its_products() {
    let einsum = |equation: &str, inputs: &[(&str, &[i64])]| {
        let names: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
        let nodes = vec![with(node("Einsum", &names, &["y"]), vec![text("equation", equation)])];
        try_read(inputs, Vec::new(), nodes).map(|network| {
            let step = network.operators[0];
            (step.kind, step.macs, step.activation_bytes)
        })
    };
    let (a, b) = (("a", &[1i64, 2, 5, 3][..]), ("b", &[1i64, 2, 7, 3][..]));
    let bytes = 4 * (30 + 42 + 70);
    let product = Ok((OPERATOR_MATRIX_PRODUCT, 2 * 5 * 7 * 3, bytes));
    assert_eq!(einsum("B H I D, B H J D -> B H I J", &[a, b]), product);
    // Without an arrow letters that come once are left, in the order of the alphabet.
    assert_eq!(
        einsum("bij,bjk", &[("a", &[1, 5, 3]), ("b", &[1, 3, 7])]).map(|(_, macs, _)| macs),
        Ok(5 * 3 * 7)
    );
    let row = ("a", &[1i64, 6, 4][..]);
    assert_eq!(
        einsum("bij->bji", &[row]).map(|(kind, macs, _)| (kind, macs)),
        Ok((OPERATOR_COPY, 0))
    );
    assert_eq!(
        einsum("bij->bi", &[row]).map(|(kind, macs, _)| (kind, macs)),
        Ok((OPERATOR_REDUCTION, 0))
    );
    let outer = einsum("bij,bij->bij", &[row, ("b", row.1)]);
    assert_eq!(
        outer.map(|(kind, macs, _)| (kind, macs)),
        Ok((OPERATOR_ELEMENT_WISE, 0))
    );
    let wrong = ["b...j->bj", "bi->b", "bij->bk", "bij,bij->b", "bjj->b", "", "bij->b->j"];
    for equation in wrong {
        let refused = einsum(equation, &[row]);
        assert!(
            matches!(&refused, Err(OnnxError::Node { op, .. }) if op == "Einsum"),
            "{equation}: {refused:?}"
        );
    }
}

/// What a shifted window masks is written into a constant in places, whose shape nothing told.
#[test]
fn what_is_scattered_keeps_the_shape_that_it_is_scattered_into() {
    let nodes = vec![
        node("ScatterND", &["mask", "places", "values"], &["written"]),
        node("Add", &["x", "written"], &["y"]),
    ];
    let constants = vec![
        weights("mask", &[1, 6]),
        numbers("places", &[0]),
        weights("values", &[1, 6]),
    ];
    assert_eq!(ops(&read(&[("x", &[1, 6])], constants, nodes)), ["Add"]);
    let nodes = vec![node("ScatterND", &["x", "places", "values"], &["y"])];
    let constants = vec![numbers("places", &[0]), weights("values", &[1, 6])];
    let network = read(&[("x", &[1, 6])], constants, nodes);
    assert_eq!(network.operators[0].kind, OPERATOR_COPY);
}
