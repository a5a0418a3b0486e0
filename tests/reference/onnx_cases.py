"""Models of each operator that lglp reads, with the attributes that are easy to get wrong."""

import numpy as np
from onnx import TensorProto, helper

ONE = helper.make_tensor("one", TensorProto.INT64, [1], [1])
LARGE = np.iinfo(np.int64).max


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


def weights(*sides):
    return np.full(sides, 0.01, np.float32)


def node(op, read, written, **attributes):
    return op, read.split(" ") if read else [], written.split(" "), attributes


def case(name, inputs, nodes, constants=None, opset=17):
    return {"name": name, "inputs": inputs, "nodes": nodes, "constants": constants or {}, "opset": opset}


def windows():
    image = {"x": [2, 6, 13, 10]}
    yield case(
        "convolutions",
        image,
        [
            node("Conv", "x w3 b", "same_upper", auto_pad="SAME_UPPER", strides=[2, 3]),
            node("Conv", "x w4", "same_lower", auto_pad="SAME_LOWER", strides=[2, 2]),
            node("Conv", "x w3", "valid", auto_pad="VALID", dilations=[2, 3]),
            node("Conv", "x w3 b", "uneven", pads=[1, 0, 2, 3], strides=[3, 1]),
            node("Conv", "x grouped", "in_groups", group=3, kernel_shape=[3, 1]),
            node("Conv", "x depthwise b6", "each", group=6, pads=[2, 2, 2, 2], dilations=[2, 2]),
            node("Conv", "x point", "points", strides=[2, 2]),
        ],
        {
            "w3": weights(8, 6, 3, 3),
            "w4": weights(5, 6, 4, 4),
            "b": weights(8),
            "grouped": weights(9, 2, 3, 1),
            "depthwise": weights(6, 1, 3, 3),
            "b6": weights(6),
            "point": weights(4, 6, 1, 1),
        },
    )
    yield case(
        "convolutions-1d-3d",
        {"x": [1, 4, 50], "v": [1, 2, 5, 6, 7]},
        [
            node("Conv", "x w b", "line", strides=[2], pads=[3, 3], dilations=[2]),
            node("MaxPool", "line", "pooled", kernel_shape=[3], strides=[2], ceil_mode=1),
            node("ConvTranspose", "pooled t", "wide", strides=[2], output_padding=[1]),
            node("Conv", "v volume", "space", pads=[1, 1, 1, 1, 1, 1]),
            node("AveragePool", "space", "averaged", kernel_shape=[2, 2, 2], strides=[2, 2, 2]),
            node("GlobalAveragePool", "averaged", "mean"),
        ],
        {"w": weights(12, 4, 7), "b": weights(12), "t": weights(12, 3, 4), "volume": weights(3, 2, 3, 3, 3)},
    )
    yield case(
        "transposed",
        {"x": [1, 4, 5, 6]},
        [
            node("ConvTranspose", "x w b", "plain", strides=[2, 2]),
            node("ConvTranspose", "x w", "padded", strides=[3, 2], pads=[1, 0, 1, 2], output_padding=[1, 0]),
            node("ConvTranspose", "x w", "dilated", dilations=[2, 3]),
            node("ConvTranspose", "x w", "same", auto_pad="SAME_UPPER", strides=[2, 3]),
            node("ConvTranspose", "x w", "given", output_shape=[11, 12], strides=[2, 2]),
            node("ConvTranspose", "x grouped", "groups", group=2),
        ],
        {"w": weights(4, 3, 3, 3), "b": weights(3), "grouped": weights(4, 5, 2, 2)},
    )
    pools = [
        node(op, "x", f"{op}{at}", kernel_shape=[3, 2], strides=[2, 3], **attributes)
        for op in ("MaxPool", "AveragePool", "LpPool")
        for at, attributes in enumerate(
            [
                {},
                {"pads": [1, 0, 1, 1]},
                {"auto_pad": "SAME_UPPER"},
                {"auto_pad": "SAME_LOWER"},
                {"auto_pad": "VALID"},
            ]
        )
    ]
    rounded = [
        node("MaxPool", "x", "up", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("MaxPool", "x", "values indices", kernel_shape=[2, 2], dilations=[2, 3]),
        node("GlobalAveragePool", "x", "mean"),
        node("GlobalMaxPool", "x", "most"),
        node("GlobalLpPool", "x", "norm"),
    ]
    yield case("pools", image, pools + rounded)
    # Since opset 22 a window that would begin in the pads behind the input is none, as runtimes and PyTorch had it before.
    window = {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    rounded = [node("AveragePool", "x", "averages", **window), node("MaxPool", "x", "most", **window)]
    yield case("pools-22", image, rounded, opset=22)


def products():
    yield case(
        "products",
        {"x": [3, 4], "y": [2, 1, 5, 4], "z": [3, 4, 6], "v": [4]},
        [
            node("Gemm", "x w b", "gemm"),
            node("Gemm", "x flipped b", "gemm_b", transB=1, alpha=0.5),
            node("Gemm", "x tall", "gemm_a", transA=1),
            node("Gemm", "x x", "gemm_ab", transB=1),
            node("MatMul", "x w", "plain"),
            node("MatMul", "y z", "batches"),
            node("MatMul", "y w", "rows"),
            node("MatMul", "v w", "vector"),
            node("MatMul", "y v", "vectors"),
            node("MatMul", "v v", "number"),
        ],
        {"w": weights(4, 7), "b": weights(7), "flipped": weights(7, 4), "tall": weights(3, 2)},
    )
    yield case(
        "weights-on-the-left",
        {"x": [1, 4, 6]},
        [node("MatMul", "w x", "y"), node("MatMul", "y stack", "z")],
        {"w": weights(5, 4), "stack": weights(3, 6, 2)},
    )
    hidden = {"hidden_size": 5}
    recurrent = [
        node("LSTM", "x w r b", "all last cell", **hidden),
        node("LSTM", "x w2 r2", " both", direction="bidirectional", **hidden),
        node("GRU", "x w3 r3", "gru gru_last", **hidden),
        node("RNN", "x w1 r1", "rnn ", direction="reverse", **hidden),
    ]
    yield case(
        "recurrent",
        {"x": [7, 2, 3]},
        recurrent,
        {
            "w": weights(1, 20, 3),
            "r": weights(1, 20, 5),
            "b": weights(1, 40),
            "w2": weights(2, 20, 3),
            "r2": weights(2, 20, 5),
            "w3": weights(1, 15, 3),
            "r3": weights(1, 15, 5),
            "w1": weights(1, 5, 3),
            "r1": weights(1, 5, 5),
        },
    )


def reductions():
    for opset in (11, 17, 18):
        names = ["Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]
        nodes = []
        for op in names:
            if opset < 18:
                nodes.append(node(f"Reduce{op}", "x", op, axes=[-1, 0], keepdims=0))
                nodes.append(node(f"Reduce{op}", "x", f"{op}_kept", axes=[1]))
            else:
                nodes.append(node(f"Reduce{op}", "x axes", op, keepdims=0))
                nodes.append(node(f"Reduce{op}", "x", f"{op}_none", noop_with_empty_axes=1))
            nodes.append(node(f"Reduce{op}", "x", f"{op}_all"))
        nodes.append(node("ArgMax", "x", "most", axis=-2, keepdims=0))
        nodes.append(node("ArgMin", "x", "least"))
        if opset >= 13:
            nodes.append(node("ReduceSum", "x axes", "sum", keepdims=0))
        constants = {"axes": ints(-1, 0)} if opset >= 13 else {}
        yield case(f"reductions-{opset}", {"x": [2, 3, 4]}, nodes, constants, opset)
    yield case(
        "top",
        {"x": [2, 3, 4]},
        [
            node("TopK", "x two", "values places", axis=-1),
            node("TopK", "x two", "rows row_places", axis=1, largest=0),
            node("CumSum", "x axis", "sums"),
        ],
        {"two": ints(2), "axis": np.array(1, np.int64)},
    )


def layout():
    yield case(
        "reshapes",
        {"x": [2, 3, 4, 5]},
        [
            node("Reshape", "x keep", "kept"),
            node("Reshape", "x open", "opened"),
            node("Reshape", "x flat", "flattened"),
            node("Flatten", "x", "at_1"),
            node("Flatten", "x", "at_0", axis=0),
            node("Flatten", "x", "at_last", axis=-1),
            node("Flatten", "x", "at_end", axis=4),
            node("Transpose", "x", "reversed"),
            node("Transpose", "x", "moved", perm=[0, 2, 3, 1]),
            node("Unsqueeze", "x new", "wider"),
            node("Squeeze", "wider new", "narrower"),
            node("Squeeze", "wider", "narrowest"),
            node("Expand", "x wide", "expanded"),
            node("Tile", "x times", "tiled"),
            node("Identity", "x", "itself"),
            node("Dropout", "x", "dropped"),
        ],
        {
            "keep": ints(0, 0, -1),
            "open": ints(-1, 4, 1, 0),
            "flat": ints(-1),
            "new": ints(-1, 0),
            "wide": ints(3, 1, 1, 1, 1),
            "times": ints(1, 2, 1, 3),
        },
    )
    yield case(
        "empty",
        {"x": [2, 3, 4]},
        [
            node("Slice", "x one one", "none"),
            node("Reshape", "none zeros", "reshaped", allowzero=1),
            node("Concat", "x none", "joined", axis=0),
        ],
        {"one": ints(1), "zeros": ints(0, 6, 2)},
    )
    yield case(
        "reshapes-11",
        {"x": [2, 3, 4, 5]},
        [
            node("Unsqueeze", "x", "wider", axes=[-1, 0]),
            node("Squeeze", "wider", "narrower", axes=[-1]),
            node("Split", "x", "a b", axis=-1, split=[2, 3]),
            node("Split", "x", "c d", axis=0),
            node("Clip", "x", "clipped"),
            node("Pad", "x pads", "padded", mode="reflect"),
            node("Resize", "x none scales", "resized", mode="linear", coordinate_transformation_mode="asymmetric"),
        ],
        {
            "pads": ints(0, 0, 1, 2, 0, 0, 3, 0),
            "none": floats(),
            "scales": floats(1, 1, 2.5, 0.7),
        },
        11,
    )
    yield case(
        "older-9",
        {"x": [2, 3, 4, 5]},
        [
            node("Upsample", "x scales", "larger", mode="nearest"),
            node("Pad", "x", "padded", pads=[0, 1, 1, 2, 0, 0, -1, 0]),
            node("Slice", "x", "cut", axes=[1, -1], starts=[-2, 0], ends=[LARGE, -1]),
            node("TopK", "x", "top at", axis=-1, k=2),
        ],
        {"scales": floats(1, 1, 2, 3)},
        9,
    )
    yield case(
        "slices",
        {"x": [4, 9, 10]},
        [
            node("Slice", "x minus_one least axis_1 minus_one", "reversed"),
            node("Slice", "x two large axis_1 three", "steps"),
            node("Slice", "x minus_two large minus_one", "last"),
            node("Slice", "x from to axes by", "odd"),
            node("Slice", "x nine two axis_1 minus_two", "back"),
            node("Slice", "x hundred large axis_1", "nothing"),
        ],
        {
            "minus_one": ints(-1),
            "minus_two": ints(-2),
            "axis_1": ints(1),
            "two": ints(2),
            "three": ints(3),
            "nine": ints(9),
            "hundred": ints(100),
            "large": ints(LARGE),
            "least": ints(-LARGE - 1),
            "from": ints(3, -9, 7),
            "to": ints(-100, 100, 1),
            "axes": ints(0, -2, 2),
            "by": ints(-1, 2, -3),
        },
    )
    yield case(
        "splits",
        {"x": [7, 6, 4]},
        [
            node("Split", "x", "a b c", axis=-2, num_outputs=3),
            node("Split", "x", "d e f", num_outputs=3),
            node("Split", "x parts", "g h i", axis=0),
            node("Concat", "g h", "joined", axis=-3),
            node("Gather", "x place", "row", axis=-2),
            node("Gather", "x places", "rows", axis=1),
            node("GatherElements", "x some", "elements", axis=2),
        ],
        {
            "parts": ints(1, 4, 2),
            "place": np.array(-1, np.int64),
            "places": np.array([[0, 1], [2, -1]], np.int64),
            "some": np.zeros((7, 6, 2), np.int64),
        },
        18,
    )
    yield case(
        "pads",
        {"x": [1, 2, 5, 6]},
        [
            node("Pad", "x all", "everywhere"),
            node("Pad", "x some  axes", "somewhere", mode="edge"),
            node("Pad", "x crop zero axes", "cropped"),
            node("DepthToSpace", "everywhere", "spread", blocksize=2),
            node("DepthToSpace", "everywhere", "spread_crd", blocksize=2, mode="CRD"),
            node("SpaceToDepth", "spread", "gathered", blocksize=4),
        ],
        {
            "all": ints(0, 1, 1, 0, 0, 1, 2, 2),
            "some": ints(1, 2, 3, 0),
            "crop": ints(-1, 1, -2, 0),
            "zero": np.array(0, np.float32),
            "axes": ints(-1, 2),
        },
        18,
    )
    yield case(
        "resizes",
        {"x": [1, 2, 5, 7]},
        [
            node("Resize", "x  scales", "scaled", mode="nearest"),
            node("Resize", "x   sides", "sized", mode="linear"),
            node("Resize", "x  both", "some", axes=[2, 3], mode="linear"),
            node("Resize", "x   two", "some_sized", axes=[3, 2], mode="cubic"),
        ],
        {"scales": floats(1, 1, 1.7, 0.3), "sides": ints(1, 2, 3, 20), "both": floats(3, 0.5), "two": ints(4, 9)},
        18,
    )


def computed_shapes():
    yield case(
        "expand-as-torch",
        {"x": [2, 1, 4]},
        [
            node("Shape", "wanted", "rank"),
            node("ConstantOfShape", "rank", "ones", value=ONE),
            node("Mul", "ones minus", "open"),
            node("Equal", "wanted open", "is_open"),
            node("Where", "is_open ones wanted", "sides"),
            node("Expand", "x sides", "expanded"),
        ],
        {"wanted": ints(-1, 3, -1), "minus": ints(-1)},
    )
    yield case(
        "shapes-of-shapes",
        {"x": [2, 6, 4, 5]},
        [
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "batch"),
            node("Gather", "shape one", "channels"),
            node("Div", "channels three", "each"),
            node("Unsqueeze", "batch axis", "batch_1"),
            node("Unsqueeze", "each axis", "each_1"),
            node("Concat", "batch_1 three_1 each_1 minus_1", "wanted", axis=0),
            node("Reshape", "x wanted", "shuffled"),
            node("Slice", "shape two large", "tail"),
            node("Concat", "batch_1 minus_1 tail", "back", axis=0),
            node("Reshape", "shuffled back", "whole"),
            node("Cast", "tail", "tail_f", to=1),
            node("Mul", "tail_f factor", "larger_f"),
            node("Floor", "larger_f", "floor"),
            node("Cast", "floor", "larger", to=7),
            node("Slice", "shape axis two", "head"),
            node("Concat", "head larger", "size", axis=0),
            node("Resize", "whole   size", "resized", mode="nearest"),
            node("Size", "x", "count"),
            node("ReduceProd", "tail", "area", keepdims=0),
            node("Range", "zero area three", "range"),
            node("Gather", "shape reversed", "turned"),
            node("ConstantOfShape", "turned", "filled"),
            node("Tile", "filled ones", "tiled"),
            node("Shape", "x", "part", start=-2, end=-1),
            node("Expand", "factor part", "line"),
            node("Min", "tail three_1", "least"),
            node("Sub", "tail least", "rest"),
            node("Neg", "rest", "negative"),
            node("Max", "negative axis", "positive"),
        ],
        {
            "zero": np.array(0, np.int64),
            "one": np.array(1, np.int64),
            "three": np.array(3, np.int64),
            "axis": ints(0),
            "three_1": ints(3),
            "minus_1": ints(-1),
            "two": ints(2),
            "large": ints(LARGE),
            "factor": np.array(1.5, np.float32),
            "reversed": ints(-1, -2, 1, 0),
            "ones": ints(1, 1, 2, 1),
        },
    )


def elementwise():
    unary = [
        *("Abs", "Ceil", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "LogSoftmax"),
        *("Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Softmax", "Softplus", "Softsign", "Sqrt"),
        *("Tanh", "ThresholdedRelu", "Celu", "Hardmax", "LpNormalization"),
    ]
    nodes = [node(op, "x", op) for op in unary]
    nodes += [node(op, "x row", op) for op in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum")]
    nodes += [node(op, "row x", f"{op}_flipped") for op in ("Add", "Greater", "LessOrEqual", "Equal")]
    nodes += [
        node("Add", "column row", "both"),
        node("Where", "Equal_flipped column row", "chosen"),
        node("PRelu", "x slope", "sloped"),
        node("Clip", "x low high", "clipped"),
        node("LRN", "x", "responses", size=3),
        node("BatchNormalization", "x c c c c", "batch_normal"),
        node("InstanceNormalization", "x c c", "instance_normal"),
        node("LayerNormalization", "x row_4", "layer_normal"),
        node("Trilu", "x", "lower", upper=0),
        node("Cast", "x", "integer", to=7),
        node("Not", "Equal_flipped", "unequal"),
    ]
    yield case(
        "elements",
        {"x": [2, 3, 5, 4], "row": [1, 4], "column": [2, 1, 5, 1]},
        nodes,
        {
            "slope": weights(3, 1, 1),
            "low": np.array(0, np.float32),
            "high": np.array(6, np.float32),
            "c": weights(3),
            "row_4": weights(4),
        },
    )


    unary = ["Acos", "Asin", "Atan", "Cos", "Sin", "Gelu", "IsInf", "IsNaN", "Mish"]
    nodes = [node(op, "x", op) for op in unary]
    nodes += [node(op, "IsInf IsNaN", op) for op in ("And", "Or", "Xor")]
    nodes += [node(op, "x row", op) for op in ("Less", "GreaterOrEqual")]
    nodes += [node("Mod", "x row", "Mod", fmod=1)]
    nodes += [node("Split", "x", "a b", axis=2, num_outputs=2), node("ReduceMax", "x axes", "most", keepdims=0)]
    constants = {"axes": ints(-1, 1)}
    yield case("elements-20", {"x": [2, 6, 5, 4], "row": [1, 4]}, nodes, constants, 20)


def exported():
    yield case(
        "exported",
        {"x": [2, 6, 4], "y": [2, 5, 4]},
        [
            node("Einsum", "x y", "scores", equation="B I D, B J D -> B I J"),
            node("Einsum", "x y", "alphabet", equation="bid,bjd"),
            node("Einsum", "x", "swapped", equation="bij->jbi"),
            node("Einsum", "x", "summed", equation="bij->j"),
            node("ScatterND", "x places scattered", "written"),
            node("ScatterElements", "x at row", "some", axis=1),
            node("Shape", "x", "shape"),
            node("Slice", "shape zero two", "before"),
            node("Slice", "shape three large", "behind"),
            node("Concat", "before halves behind", "wanted", axis=0),
            node("Reshape", "x wanted", "halved"),
            node("Mod", "less seven", "rest"),
            node("ConstantOfShape", "rest", "of_rest"),
            node("Mod", "more seven", "rest_as_c", fmod=1),
            node("ConstantOfShape", "rest_as_c", "of_rest_as_c"),
            node("Clip", "less least", "clipped"),
            node("ConstantOfShape", "clipped", "of_clipped"),
        ],
        {
            "places": np.array([[1]], np.int64),
            "scattered": weights(1, 6, 4),
            "at": np.array([[[0, 3, 1, 5]]], np.int64),
            "row": weights(1, 1, 4),
            "zero": ints(0),
            "two": ints(2),
            "three": ints(3),
            "large": ints(LARGE),
            "halves": ints(2, 2),
            "less": ints(-5),
            "more": ints(12),
            "seven": ints(7),
            "least": np.array(3, np.int64),
        },
    )


def cases():
    for family in (windows, products, reductions, layout, computed_shapes, elementwise, exported):
        yield from family()
