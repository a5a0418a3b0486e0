//! Models that travel without their weights, and run with others.

#[path = "hostile/build.rs"]
#[expect(dead_code, reason = "other tests build more")]
mod build;

use std::collections::BTreeMap;

use build::*;
use lglp_onnx::messages::*;
use lglp_onnx::{Bytes, OnnxError, held, read, with_random_weights, without_weights};
use prost::Message;

const MANY: u64 = 1 << 30;

/// Two convolutions, a product and a scale, with weights of 4, 2 and 1 dimensions that are all longer than what is kept.
fn network(weight: impl Fn(&str, &[i64]) -> TensorProto) -> ModelProto {
    let nodes = vec![
        node("Conv", &["x", "first"], &["a"]),
        node("Conv", &["a", "second"], &["b"]),
        node("Flatten", &["b"], &["c"]),
        node("MatMul", &["c", "product"], &["d"]),
        node("Mul", &["d", "scale"], &["y"]),
    ];
    let weights = vec![
        weight("first", &[64, 3, 3, 3]),
        weight("second", &[32, 64, 1, 1]),
        weight("product", &[32 * 6 * 6, 2048]),
        weight("scale", &[2048]),
    ];
    model(vec![input("x", &[1, 3, 8, 8])], weights, nodes, "y")
}

fn ones(name: &str, dims: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: FLOAT,
        float_data: vec![1.0; dims.iter().product::<i64>() as usize],
        ..TensorProto::default()
    }
}

fn floats(tensor: &TensorProto) -> Vec<f32> {
    let words = tensor.raw_data.chunks_exact(4);
    words
        .map(|word| f32::from_le_bytes(word.try_into().expect("four bytes")))
        .collect()
}

#[test]
fn a_network_is_the_same_with_other_weights() {
    let whole = bytes(&network(ones));
    let structure = Bytes::from(without_weights(whole.clone()).expect("a model"));
    assert!(structure.len() < 2000, "{} bytes", structure.len());
    let filled = Bytes::from(with_random_weights(structure.clone(), MANY).expect("weights"));
    assert_eq!(
        filled,
        with_random_weights(structure.clone(), MANY).expect("the same ones")
    );
    assert_eq!(without_weights(filled.clone()).expect("a model"), structure);
    let shapes = BTreeMap::new();
    assert_eq!(read(filled.clone(), &shapes), read(whole, &shapes));

    let filled = ModelProto::decode(filled).expect("a model").graph.expect("a graph");
    for tensor in &filled.initializer {
        let values = floats(tensor);
        assert_eq!(
            values.len() as i64,
            tensor.dims.iter().product::<i64>(),
            "{}",
            tensor.name
        );
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        // 2 over the products of a sum, so that neither many layers nor few make what passes too small to be computed quickly.
        let (is, of) = match tensor.name.as_str() {
            "first" => (0.0, 2.0 / 27.0),
            "second" => (0.0, 2.0 / 64.0),
            "product" => (0.0, 2.0 / (32.0 * 36.0)),
            _ => (1.0, 0.25 / 3.0),
        };
        assert!((mean - is).abs() < 0.05, "{}: {mean}", tensor.name);
        assert!(
            (variance / of - 1.0).abs() < 0.1,
            "{}: {variance} for {of}",
            tensor.name
        );
    }
}

/// What a runtime gets is written here: it trusts what it reads.
#[test]
fn what_a_runtime_should_not_be_given_is_refused() {
    let refused = |model: &ModelProto, most: u64| with_random_weights(bytes(model), most).expect_err("it is refused");
    let large = network(|name, dims| match name {
        "scale" => TensorProto {
            dims: vec![1 << 40],
            ..ones(name, &[1])
        },
        _ => ones(name, dims),
    });
    assert!(matches!(refused(&large, u64::MAX), OnnxError::TooMuch { .. }));
    assert!(matches!(refused(&network(ones), 1000), OnnxError::TooMuch { .. }));
    let negative = network(|name, _| TensorProto {
        dims: vec![-1, -5000],
        ..ones(name, &[1])
    });
    assert!(refused(&negative, MANY).to_string().contains("a side of -1"));
    let elsewhere = network(weights);
    assert!(refused(&elsewhere, MANY).to_string().contains("another file"));
    let halves = network(|name, dims| TensorProto {
        data_type: FLOAT16,
        ..weights(name, dims)
    });
    assert!(refused(&halves, MANY).to_string().contains("another file"));
    let halves = network(|name, dims| TensorProto {
        data_type: FLOAT16,
        ..ones(name, dims)
    });
    assert!(refused(&halves, MANY).to_string().contains("a format"));
    let mut foreign = network(ones);
    let graph = foreign.graph.as_mut().expect("a graph");
    graph.node[0].domain = "com.microsoft".into();
    assert!(
        refused(&foreign, MANY)
            .to_string()
            .contains("no operator of the standard")
    );
}

/// A node that nothing needs was kept where any other left an input out, as which it has no name: its values are in no table.
#[test]
fn what_nobody_asks_for_does_not_come_through() {
    let mut model = network(ones);
    let graph = model.graph.as_mut().expect("a graph");
    graph.node.insert(0, node("Clip", &["x", "", "bound"], &["clipped"]));
    graph.node[1].input[0] = "clipped".into();
    graph.initializer.push(scalar("bound", 6.0));
    graph.initializer.push(ones("unread", &[4096]));
    graph.input.push(input("beside", &[1, 4096]));
    graph.node.push(node("Dropout", &["beside", "unread"], &["", "mask"]));
    let filled = with_random_weights(bytes(&model), MANY).expect("weights");
    let filled = ModelProto::decode(Bytes::from(filled))
        .expect("a model")
        .graph
        .expect("a graph");
    assert!(filled.node.iter().all(|node| node.op_type != "Dropout"));
    assert!(filled.initializer.iter().all(|tensor| tensor.name != "unread"));
    assert!(filled.input.iter().all(|input| input.name != "beside"));
    assert!(filled.initializer.iter().any(|tensor| tensor.name == "bound"));
}

/// Outputs were let go where they are computed, and inputs were not counted: a runtime has all of them until the end.
#[test]
fn what_is_held_at_once_is_counted() {
    const SIDE: u64 = 256;
    let values = 4 * SIDE * SIDE;
    let chain = |count: usize, outputs: &[&str]| {
        let name = |at: usize| if at == 0 { "x".to_owned() } else { format!("v{at}") };
        let nodes = (1..=count)
            .map(|at| node("Sigmoid", &[&name(at - 1)], &[&name(at)]))
            .collect();
        let mut model = model(
            vec![input("x", &[1, 1, SIDE as i64, SIDE as i64])],
            Vec::new(),
            nodes,
            outputs[0],
        );
        let graph = model.graph.as_mut().expect("a graph");
        graph.output = outputs.iter().map(|name| ValueInfoProto::tensor(name, &[])).collect();
        held(bytes(&model)).expect("a network").at_once
    };
    // The input, a value and the one that is computed of it.
    assert_eq!(chain(8, &["v8"]), 3 * values);
    // In the end the input, and all that comes out.
    assert_eq!(chain(8, &["v8", "v7", "v2", "v1"]), 5 * values);
}
