//! Files that were made to overflow, to hang or to fill the memory. Each ended badly once.

use std::collections::BTreeMap;

use lglp_onnx::messages::*;
use lglp_onnx::{Network, OnnxError};

use crate::build::*;
use crate::within;

fn read(model: &ModelProto) -> Result<Network, OnnxError> {
    within(bytes(model))
}

fn refused(model: &ModelProto) -> String {
    let error = read(model).expect_err("refused");
    error.to_string()
}

/// Sides of an input were taken as they came, and their product overflowed.
#[test]
fn an_input_has_no_more_elements_than_any_other_value() {
    let mean = |input| model(vec![input], vec![], vec![node("ReduceMean", &["x"], &["y"])], "y");
    let of = |sides: &[i64]| mean(input("x", sides));
    assert!(refused(&of(&[1, 1 << 40, 1 << 40])).contains("too large"));
    assert!(refused(&of(&[1; 17])).contains("17 dimensions"));
    let given = BTreeMap::from([("x".to_string(), vec![u64::MAX; 3])]);
    let error = lglp_onnx::read(bytes(&of(&[0, 0, 0])), &given).expect_err("refused");
    assert!(error.to_string().contains("too large"), "{error}");
}

/// A side of 0 made the product of all sides 0 whatever the others were, and that of some of them overflowed.
#[test]
fn a_side_of_0_excuses_no_other() {
    let huge = 1 << 62;
    let model = model(
        vec![input("x", &[1, 1])],
        vec![numbers("shape", &[0, 1, huge, huge])],
        vec![
            with(
                node("Reshape", &["x", "shape"], &["y"]),
                vec![AttributeProto::int("allowzero", 1)],
            ),
            node("Relu", &["y"], &["z"]),
        ],
        "z",
    );
    assert!(refused(&model).contains("too large"));
}

/// The side that a kernel covers is one more than its gaps, which are 2^64 - 1 here.
#[test]
fn a_dilated_kernel_of_2_to_the_64_is_refused() {
    let model = model(
        vec![input("x", &[1, 1, 9])],
        vec![weights("w", &[1, 1, 2_753_074_036_096])],
        vec![with(
            node("Conv", &["x", "w"], &["y"]),
            vec![AttributeProto::ints("dilations", vec![6_700_417])],
        )],
        "y",
    );
    assert!(refused(&model).contains("a kernel that is too large"));
}

/// Rows were the elements of what comes out by its columns, of which there may be none: it "computed more than any network".
#[test]
fn a_product_without_columns_computes_nothing() {
    let model = model(
        vec![input("x", &[2, 3])],
        vec![weights("w", &[3, 0])],
        vec![node("MatMul", &["x", "w"], &["y"])],
        "y",
    );
    assert_eq!(read(&model).expect("a network").operators[0].macs, 0);
}

/// What a transposed convolution leaves was added up without a look at its size.
#[test]
fn a_transposed_convolution_that_leaves_too_much_is_refused() {
    for (side, stride, more) in [
        (1_i64 << 40, 1 << 24, 0),
        (3, 1, i64::MAX),
        ((1 << 40) + 1, (1 << 24) - 1, i64::MAX),
    ] {
        let model = model(
            vec![input("x", &[1, 1, side])],
            vec![weights("w", &[1, 1, 3])],
            vec![with(
                node("ConvTranspose", &["x", "w"], &["y"]),
                vec![
                    AttributeProto::ints("strides", vec![stride]),
                    AttributeProto::ints("output_padding", vec![more]),
                ],
            )],
            "y",
        );
        assert!(refused(&model).contains("too large"));
    }
}

/// The bytes that one step moves overflowed where it reads the largest value thousands of times.
#[test]
fn a_value_that_is_read_often_is_counted_as_often_or_refused() {
    let sum = |times: usize, side: i64| {
        model(
            vec![input("x", &[1, side])],
            vec![],
            vec![node("Sum", &vec!["x"; times], &["y"])],
            "y",
        )
    };
    assert!(refused(&sum(100_000, 1 << 48)).contains("it moves more than any network"));
    let read = read(&sum(1000, 7)).expect("a network");
    assert_eq!(read.operators[0].activation_bytes, 4 * 7 * 1001);
}

/// Each operator was within its bounds, and what a reader of the table adds up was not.
#[test]
fn all_operators_together_are_no_more_than_a_network() {
    let product = |from: &str, to: &str| node("MatMul", &[from, "w"], &[to]);
    let model = model(
        vec![input("x", &[1, 1 << 24])],
        vec![weights("w", &[1 << 24, 1 << 24])],
        vec![product("x", "y"), product("y", "z")],
        "z",
    );
    assert!(refused(&model).contains("than any network"));
}

/// An attribute of 100,000 axes was searched once for each of 100,000 dimensions.
#[test]
fn no_more_dimensions_are_added_than_a_value_has() {
    let axes = AttributeProto::ints("axes", (0..1_000_000).collect());
    let model = model(
        vec![input("x", &[1])],
        vec![],
        vec![with(node("Unsqueeze", &["x"], &["y"]), vec![axes])],
        "y",
    );
    assert!(refused(&model).contains("1000001 dimensions"));
}

/// The numbers of a node `Constant` were kept however many they are, and read again by each node behind it.
#[test]
fn long_constants_are_not_kept() {
    let values = with(
        node("Constant", &[], &["c"]),
        vec![AttributeProto::ints("value_ints", vec![1; 1_000_000])],
    );
    let mut nodes = vec![values];
    let names: Vec<String> = (0..60_000).map(|at| format!("v{at}")).collect();
    nodes.extend(names.iter().map(|name| node("ReduceProd", &["c"], &[name])));
    nodes.push(node("Add", &["x", "v59999"], &["y"]));
    let model = model(vec![input("x", &[1])], vec![], nodes, "y");
    assert_eq!(read(&model).expect("a network").operators.len(), 1);
}

/// Values were computed from constants after the room for them was used up, each time from the first: 65,000 times 1024 values that
/// are moved about over 16 dimensions.
#[test]
fn constants_that_there_is_no_room_for_are_not_computed() {
    let constant = TensorProto {
        dims: [[2; 10].as_slice(), &[1; 6]].concat(),
        ..numbers("c", &[1; 1024])
    };
    let names: Vec<String> = (0..65_000).map(|at| format!("v{at}")).collect();
    let mut nodes: Vec<NodeProto> = names.iter().map(|name| node("Transpose", &["c"], &[name])).collect();
    nodes.push(node("Relu", &["x"], &["y"]));
    let model = model(vec![input("x", &[1])], vec![constant], nodes, "y");
    assert_eq!(read(&model).expect("a network").operators.len(), 1);
}

/// A slice that names a dimension twice had the shape of the last range and the values of both, or of places beyond the last.
#[test]
fn a_slice_names_a_dimension_once() {
    let model = model(
        vec![input("x", &[4, 4])],
        vec![
            numbers("from", &[2, 3]),
            numbers("to", &[4, 4]),
            numbers("axes", &[0, -2]),
        ],
        vec![node("Slice", &["x", "from", "to", "axes"], &["y"])],
        "y",
    );
    assert!(refused(&model).contains("names the dimension 0 twice"));
}

/// A shape that the model tells was copied for each output that names it: 30,000 times 30,000 sides.
#[test]
fn shapes_that_a_model_tells_are_as_short_as_others() {
    let mut model = model(
        vec![input("x", &[1])],
        vec![],
        vec![node("Custom", &["x"], &vec!["y"; 90_000])],
        "y",
    );
    if let Some(graph) = &mut model.graph {
        graph.value_info = vec![input("y", &[1; 90_000])];
    }
    assert!(refused(&model).contains("it is not known here"));
}

/// Everybody who reads a value was listed beside it, and the list searched whenever one of them went: after 450 nodes of 440 reads
/// each, 20 seconds were gone.
#[test]
fn a_value_that_everybody_reads_costs_no_more_than_another() {
    let names: Vec<String> = (0..440).map(|at| format!("v{at}")).collect();
    let mut nodes: Vec<NodeProto> = names.iter().map(|name| node("Max", &["x"; 440], &[name])).collect();
    nodes.push(node("Relu", &["x"], &["y"]));
    let model = model(vec![input("x", &[1])], vec![], nodes, "y");
    assert_eq!(read(&model).expect("a network").operators.len(), 1);
}

/// The kind of a step's neighbour was searched in all of the table, for each convolution in it.
#[test]
fn a_long_network_takes_no_longer_for_each_of_its_steps() {
    let names: Vec<String> = (0..=45_000).map(|at| format!("v{at}")).collect();
    let convolution = |pair: &[String]| node("Conv", &[&pair[0], "w"], &[&pair[1]]);
    let model = model(
        vec![input("v0", &[1, 4, 1, 1])],
        vec![weights("w", &[4, 4, 1, 1])],
        names.windows(2).map(convolution).collect(),
        "v45000",
    );
    assert_eq!(read(&model).expect("a network").operators.len(), 45_000);
}

/// A whole number of one byte takes eight once it is decoded, and sixteen while its list grows.
#[test]
fn a_list_of_millions_of_numbers_is_refused_before_it_is_decoded() {
    let axes = AttributeProto::ints("axes", vec![0; 4_300_000]);
    let squeeze = with(node("Squeeze", &["x"], &["y"]), vec![axes]);
    let model = model(vec![input("x", &[1])], vec![], vec![squeeze], "y");
    assert!(refused(&model).contains("more than 4194304 whole numbers"));
}

/// The values of a constant were all converted before they were counted.
#[test]
fn a_constant_holds_as_many_values_as_its_shape_says() {
    let constant = TensorProto {
        name: "c".into(),
        dims: vec![2],
        data_type: BOOL,
        raw_data: vec![1; 30_000_000].into(),
        ..TensorProto::default()
    };
    let model = model(vec![input("x", &[1])], vec![constant], vec![], "x");
    assert!(refused(&model).contains("30000000 values, where its shape has 2"));
}

/// A name of megabytes, or an attribute of a million numbers, came back whole in the message.
#[test]
fn what_is_wrong_is_told_in_a_few_words() {
    let name = "n".repeat(5_000_000);
    let unknown = node("Relu", &[&name], &["y"]);
    let pads = AttributeProto::ints("pads", vec![1; 1_000_000]);
    let wrong = with(node("Pad", &["x"], &["y"]), vec![pads]);
    for node in [unknown, wrong] {
        let message = refused(&model(vec![input("x", &[1])], vec![], vec![node], "y"));
        assert!(message.len() < 2000, "{} bytes", message.len());
    }
}
