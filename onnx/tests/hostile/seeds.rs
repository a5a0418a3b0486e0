//! Small models that are read, and between them have every operator that is known.

use lglp_onnx::messages::*;

use crate::build::*;

pub(crate) fn all() -> Vec<ModelProto> {
    vec![convolutions(), transformer(), shapes(), arrangements(), recurrent()]
}

/// A mobile network: normalization, squeeze-and-excitation, activations that are spelled out.
fn convolutions() -> ModelProto {
    let ints = |name: &str, values: &[i64]| AttributeProto::ints(name, values.to_vec());
    let window = || {
        vec![
            ints("kernel_shape", &[3, 3]),
            ints("strides", &[2, 2]),
            ints("pads", &[1, 1, 1, 1]),
            AttributeProto::int("ceil_mode", 1),
        ]
    };
    let mut nodes = vec![
        node("Pad", &["x", "pads"], &["padded"]),
        with(
            node("Conv", &["padded", "w", "b"], &["c"]),
            vec![ints("strides", &[2, 2])],
        ),
        node("BatchNormalization", &["c", "b", "b", "b", "b"], &["n"]),
        node("Add", &["n", "three"], &["shifted"]),
        node("Clip", &["shifted", "zero", "six"], &["clipped"]),
        node("Mul", &["n", "clipped"], &["gated"]),
        node("Div", &["gated", "six"], &["hard"]),
        with(
            node("Conv", &["hard", "deep"], &["d"]),
            vec![
                AttributeProto::int("group", 8),
                ints("dilations", &[2, 2]),
                ints("pads", &[2, 2, 2, 2]),
            ],
        ),
        node("GlobalAveragePool", &["d"], &["mean"]),
        node("Conv", &["mean", "point", "b"], &["reduced"]),
        node("Relu", &["reduced"], &["active"]),
        node("Conv", &["active", "point", "b"], &["expanded"]),
        node("Sigmoid", &["expanded"], &["gate"]),
        node("Mul", &["d", "gate"], &["excited"]),
        node("Conv", &["excited", "point"], &["projected"]),
        node("Add", &["projected", "hard"], &["residual"]),
        node("Sigmoid", &["residual"], &["s"]),
        node("Mul", &["residual", "s"], &["swish"]),
        with(node("MaxPool", &["swish"], &["pooled"]), window()),
        with(node("AveragePool", &["pooled"], &["averaged"]), window()),
        with(
            node("ConvTranspose", &["averaged", "up"], &["wide"]),
            vec![ints("strides", &[2, 2]), ints("output_padding", &[1, 1])],
        ),
        node("Resize", &["wide", "", "scales"], &["resized"]),
        node("Flatten", &["resized"], &["flat"]),
        node("Gemm", &["flat", "dense", "ten"], &["logits"]),
        node("Softmax", &["logits"], &["y"]),
    ];
    for (at, node) in nodes.iter_mut().enumerate() {
        node.name = format!("node-{at}");
    }
    let floats = |name: &str, values: &[f32]| TensorProto {
        dims: vec![values.len() as i64],
        float_data: values.to_vec(),
        ..scalar(name, 0.0)
    };
    let constants = vec![
        numbers("pads", &[0, 0, 1, 1, 0, 0, 1, 1]),
        weights("w", &[8, 3, 3, 3]),
        weights("b", &[8]),
        weights("deep", &[8, 1, 3, 3]),
        weights("point", &[8, 8, 1, 1]),
        weights("up", &[8, 4, 2, 2]),
        floats("scales", &[1.0, 1.0, 2.0, 0.5]),
        weights("dense", &[4 * 14 * 3, 10]),
        weights("ten", &[10]),
        scalar("three", 3.0),
        scalar("zero", 0.0),
        scalar("six", 6.0),
    ];
    model(vec![input("x", &[2, 3, 16, 16])], constants, nodes, "y")
}

/// Attention, with layer normalization and GELU spelled out.
fn transformer() -> ModelProto {
    let last = || vec![AttributeProto::ints("axes", vec![-1])];
    let heads = || vec![AttributeProto::ints("perm", vec![0, 2, 1, 3])];
    let nodes = vec![
        with(node("ReduceMean", &["x"], &["mean"]), last()),
        node("Sub", &["x", "mean"], &["centred"]),
        node("Pow", &["centred", "two"], &["squared"]),
        with(node("ReduceMean", &["squared"], &["variance"]), last()),
        node("Add", &["variance", "small"], &["sum"]),
        node("Sqrt", &["sum"], &["deviation"]),
        node("Div", &["centred", "deviation"], &["normal"]),
        node("Mul", &["normal", "scale"], &["scaled"]),
        node("Add", &["scaled", "scale"], &["n"]),
        node("MatMul", &["n", "q"], &["queries"]),
        node("Reshape", &["queries", "split"], &["parts"]),
        with(node("Transpose", &["parts"], &["heads"]), heads()),
        with(
            node("Transpose", &["heads"], &["keys"]),
            vec![AttributeProto::ints("perm", vec![0, 1, 3, 2])],
        ),
        node("MatMul", &["heads", "keys"], &["scores"]),
        with(
            node("Softmax", &["scores"], &["attention"]),
            vec![AttributeProto::int("axis", -1)],
        ),
        node("MatMul", &["attention", "heads"], &["mixed"]),
        with(node("Transpose", &["mixed"], &["back"]), heads()),
        node("Reshape", &["back", "joined"], &["flat"]),
        node("Add", &["flat", "x"], &["residual"]),
        node("Div", &["residual", "two"], &["scaled2"]),
        node("Erf", &["scaled2"], &["erf"]),
        node("Add", &["erf", "one"], &["shifted"]),
        node("Mul", &["residual", "shifted"], &["gated"]),
        node("Mul", &["gated", "half"], &["gelu"]),
        node("Softplus", &["gelu"], &["soft"]),
        node("Tanh", &["soft"], &["tanh"]),
        node("Mul", &["gelu", "tanh"], &["mish"]),
        node("LayerNormalization", &["mish", "scale", "scale"], &["y"]),
    ];
    let constants = vec![
        scalar("two", 2.0),
        scalar("one", 1.0),
        scalar("half", 0.5),
        scalar("small", 1e-5),
        weights("scale", &[8]),
        weights("q", &[8, 8]),
        numbers("split", &[0, -1, 2, 4]),
        numbers("joined", &[0, 0, -1]),
    ];
    model(vec![input("x", &[1, 5, 8])], constants, nodes, "y")
}

/// Shapes that are computed from shapes, as PyTorch writes them.
fn shapes() -> ModelProto {
    let axis = |axis| vec![AttributeProto::int("axis", axis)];
    let nodes = vec![
        node("Shape", &["x"], &["shape"]),
        node("Gather", &["shape", "places"], &["some"]),
        node("Slice", &["shape", "from", "to", "first", "backwards"], &["reversed"]),
        with(node("Concat", &["some", "minus"], &["wanted"]), axis(0)),
        node("Reshape", &["x", "wanted"], &["reshaped"]),
        node("Size", &["x"], &["size"]),
        node("ConstantOfShape", &["two"], &["zeros"]),
        node("Add", &["zeros", "minus"], &["ones"]),
        node("Equal", &["some", "minus"], &["equal"]),
        node("Where", &["equal", "minus", "some"], &["chosen"]),
        node("Expand", &["reshaped", "wide"], &["expanded"]),
        node("Tile", &["expanded", "wide"], &["tiled"]),
        node("Range", &["none", "size", "step"], &["range"]),
        with(node("Cast", &["size"], &["float"]), vec![AttributeProto::int("to", 1)]),
        node("ReduceProd", &["some"], &["all"]),
        node("Unsqueeze", &["tiled", "first"], &["unsqueezed"]),
        node("Squeeze", &["unsqueezed", "first"], &["squeezed"]),
        node("Neg", &["squeezed"], &["y"]),
    ];
    let number = |name: &str, value| TensorProto {
        dims: vec![],
        ..numbers(name, &[value])
    };
    let constants = vec![
        numbers("places", &[0, -1]),
        numbers("from", &[-1]),
        numbers("to", &[i64::MIN]),
        numbers("first", &[0]),
        numbers("backwards", &[-1]),
        numbers("minus", &[-1]),
        numbers("two", &[2]),
        numbers("wide", &[2, 1, 3]),
        number("none", 0),
        number("step", 7),
    ];
    model(vec![input("x", &[2, 3, 4])], constants, nodes, "y")
}

/// What takes values apart and puts them together.
fn arrangements() -> ModelProto {
    let axis = |axis| vec![AttributeProto::int("axis", axis)];
    let blocks = || vec![AttributeProto::int("blocksize", 2)];
    let equation = AttributeProto {
        name: "equation".into(),
        s: "bcij, bckj -> bcik".into(),
        ..AttributeProto::default()
    };
    let nodes = vec![
        with(node("DepthToSpace", &["x"], &["wide"]), blocks()),
        with(node("SpaceToDepth", &["wide"], &["deep"]), blocks()),
        with(node("Split", &["deep", "parts"], &["a", "b"]), axis(-3)),
        with(node("Split", &["deep"], &["", "c", ""]), axis(1)),
        node("Slice", &["a", "from", "to", "axes", "steps"], &["cut"]),
        node("Pad", &["cut", "pads", "", "axes"], &["padded"]),
        with(node("Concat", &["b", "deep", "c"], &["joined"]), axis(1)),
        with(node("TopK", &["joined", "most"], &["top", "at"]), axis(-1)),
        with(node("GatherElements", &["joined", "at"], &["gathered"]), axis(-1)),
        with(node("Gather", &["gathered", "places"], &["taken"]), axis(1)),
        with(node("ArgMax", &["taken"], &["best"]), axis(1)),
        node("ReduceSum", &["taken", "axes"], &["sum"]),
        node("Dropout", &["sum"], &["kept", "mask"]),
        with(node("Einsum", &["x", "x"], &["products"]), vec![equation]),
        node("ScatterND", &["products", "places", "slope"], &["scattered"]),
        node("Custom", &["kept", "padded", "best", "scattered"], &["custom"]),
        node("PRelu", &["custom", "slope"], &["y"]),
    ];
    let constants = vec![
        numbers("parts", &[8, 4]),
        numbers("from", &[-1, 0]),
        numbers("to", &[i64::MIN, i64::MAX]),
        numbers("axes", &[2, -1]),
        numbers("steps", &[-2, 3]),
        numbers("pads", &[1, 0, -1, 2]),
        numbers("most", &[2]),
        numbers("places", &[0, 3, -1]),
        weights("slope", &[1]),
    ];
    let mut model = model(vec![input("x", &[1, 12, 4, 6])], constants, nodes, "y");
    if let Some(graph) = &mut model.graph {
        graph.value_info = vec![input("custom", &[1, 3])];
    }
    model
}

fn recurrent() -> ModelProto {
    let hidden = || vec![AttributeProto::int("hidden_size", 4)];
    let nodes = vec![
        with(node("LSTM", &["x", "w", "r", "b"], &["all", "last", "cell"]), hidden()),
        with(
            node("Squeeze", &["all"], &["squeezed"]),
            vec![AttributeProto::ints("axes", vec![1])],
        ),
        with(node("GRU", &["squeezed", "w3", "r3"], &["", "gru"]), hidden()),
        with(node("RNN", &["squeezed", "w1", "r1"], &["rnn"]), hidden()),
        with(
            node("ReduceMax", &["rnn"], &["most"]),
            vec![AttributeProto::int("keepdims", 0)],
        ),
        node("Add", &["gru", "most"], &["sum"]),
        node("MatMul", &["sum", "matrix"], &["product"]),
        with(
            node("Reshape", &["product"], &["row"]),
            vec![AttributeProto::ints("shape", vec![1, -1])],
        ),
        node("Gemm", &["row", "gemm"], &["y"]),
    ];
    let constants = vec![
        weights("w", &[1, 16, 3]),
        weights("r", &[1, 16, 4]),
        weights("b", &[1, 32]),
        weights("w3", &[1, 12, 4]),
        weights("r3", &[1, 12, 4]),
        weights("w1", &[1, 4, 4]),
        weights("r1", &[1, 4, 4]),
        weights("matrix", &[4, 2]),
        weights("gemm", &[2, 5]),
    ];
    model(vec![input("x", &[6, 1, 3])], constants, nodes, "y")
}
