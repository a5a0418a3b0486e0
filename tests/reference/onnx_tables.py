"""Shapes and costs of ONNX models, as the packages onnx and onnxruntime have them.

Writes models of the operators and attributes that are easy to get wrong into FOLDER, and prints a JSON object: of each
of these and of each FILE, by its path, the shapes of all values, and what each product costs, in the order of the
nodes. Models in FOLDER are run: their shapes are those of the arrays that come out. Those of FILEs are inferred, where
that tells enough.
Usage: onnx_tables.py FOLDER [FILE...]
"""

import json
import math
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import cases

RECURRENT = ("LSTM", "GRU", "RNN")
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul", *RECURRENT)


def typed(model):
    """All values that the package knows the shape of, in the model's order."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    known = {value.name: value for value in (*graph.input, *graph.value_info, *graph.output)}
    for weight in graph.initializer:
        known[weight.name] = helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims)
    return known


def inferred(model):
    shapes = {}
    for name, value in typed(model).items():
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            shapes[name] = [dim.dim_value for dim in dims]
    return shapes


def run(model):
    """The shapes of all values that nodes compute, once they are computed."""
    shapes = {weight.name: list(weight.dims) for weight in model.graph.initializer}
    feeds = {}
    for value in model.graph.input:
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        feeds[value.name] = np.full(shapes[value.name], 0.5, np.float32)
    known = typed(model)
    asked = onnx.ModelProto.FromString(model.SerializeToString())
    del asked.graph.output[:]
    for name in (name for node in model.graph.node for name in node.output if name):
        asked.graph.output.add(name=name).type.tensor_type.elem_type = known[name].type.tensor_type.elem_type
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(asked.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for name, value in zip(names, session.run(names, feeds)):
        shapes[name] = list(value.shape)
    return shapes


def constants(graph):
    """The values that are the same whatever the inputs are."""
    computed = {value.name for value in graph.input} - {weight.name for weight in graph.initializer}
    for node in graph.node:
        if computed.intersection(node.input):
            computed.update(node.output)
    return {name for node in graph.node for name in (*node.input, *node.output)} - computed


def costs(node, shapes, fixed):
    """Multiply-accumulates, weights and biases of a product, and the channels that it gives."""
    inputs = [shapes[name] for name in node.input if name]
    output = shapes[next(filter(None, node.output))]
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    match node.op_type:
        case "Conv":
            macs = math.prod(output) * math.prod(inputs[1][1:])
        case "ConvTranspose":
            macs = math.prod(inputs[0]) * math.prod(inputs[1][1:])
        case "Gemm":
            macs = math.prod(output) * (inputs[0][0] if attributes.get("transA") else math.prod(inputs[0][1:]))
        case "MatMul":
            macs = math.prod(output) * inputs[0][-1]
        case _:
            steps = math.prod(inputs[0][:2])
            parts = [math.prod(shapes[name]) for name in node.input[1:4] if name]
            macs = steps * sum(parts[:2])
            return {"op": node.op_type, "macs": macs, "weights": sum(parts), "biases": 0, "channels": 0}
    return {
        "op": node.op_type,
        "macs": macs,
        "weights": sum(math.prod(shapes[name]) for name in node.input[:2] if name in fixed),
        "biases": math.prod(inputs[2]) if len(inputs) > 2 else 0,
        "channels": (output[1] if "Conv" in node.op_type else output[-1]) if output else 1,
    }


def table(model, shapes):
    fixed = constants(model.graph)
    products = [costs(node, shapes, fixed) for node in model.graph.node if node.op_type in PRODUCTS]
    computed = [name for node in model.graph.node for name in node.output if name]
    return {
        "shapes": {name: shapes[name] for name in computed if name in shapes},
        "outputs": [shapes[output.name] for output in model.graph.output],
        "macs": sum(product["macs"] for product in products),
        "products": products,
    }


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def built(case):
    """A model of a case. A name that nothing computes is a weight; outputs are what nobody reads."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name, sides in case["inputs"].items()]
    nodes = [
        helper.make_node(op, read, written, name=f"{op}-{at}", **attributes)
        for at, (op, read, written, attributes) in enumerate(case["nodes"])
    ]
    read = {name for node in nodes for name in node.input}
    outputs = [name for node in nodes for name in node.output if name and name not in read]
    graph = helper.make_graph(
        nodes,
        case["name"],
        inputs,
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [constant(name, value) for name, value in case["constants"].items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", case["opset"])], ir_version=10)
    return model


def complete(model, shapes):
    """Outputs tell their types, as the schema asks."""
    known = typed(model)
    for output in model.graph.output:
        kind = known[output.name].type.tensor_type.elem_type
        output.CopyFrom(helper.make_tensor_value_info(output.name, kind, shapes[output.name]))
    onnx.checker.check_model(model)


def main(folder, files):
    tables = {}
    for case in cases():
        path = pathlib.Path(folder) / f"{case['name']}.onnx"
        try:
            model = built(case)
            shapes = run(model)
            complete(model, shapes)
        except Exception as error:
            raise ValueError(f"{case['name']}: {error}") from error
        onnx.save(model, path)
        for name, shape in inferred(model).items():
            if shapes.get(name, shape) != shape:
                raise ValueError(f"{case['name']}: {name} is {shapes[name]}, and inferred to be {shape}")
        tables[str(path)] = table(model, shapes)
    for file in files:
        model = onnx.load(file)
        shapes = inferred(model)
        products = [node for node in model.graph.node if node.op_type in PRODUCTS]
        if not shapes.keys() >= {name for node in products for name in (*node.input, *node.output) if name}:
            shapes = run(model)
        tables[file] = table(model, shapes)
    print(json.dumps(tables))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
