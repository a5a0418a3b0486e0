"""Checks networks that lglp writes, one per architecture on standard input.

Each must pass onnx.checker's full check and strict shape inference, ONNX Runtime must accept it (and run it, where that
takes less than a second or so), and its multiply-accumulates and parameters, counted here over the graph with inferred
shapes, must equal what lglp says. Usage: check_networks.py PROGRAM < ARCHITECTURES
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

RUN_BELOW_MACS = 300_000_000


def count(model):
    """Multiply-accumulates of Conv, Gemm and MatMul, and what is trained: all initializers of floats but the bounds of a Clip and numbers
    that stand alone."""
    shapes = {i.name: list(i.dims) for i in model.graph.initializer}
    for info in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        shapes[info.name] = [d.dim_value for d in info.type.tensor_type.shape.dim]
    macs, bounds = 0, set()
    for node in model.graph.node:
        if node.op_type == "Conv":
            macs += math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "Gemm":
            macs += shapes[node.input[0]][0] * math.prod(shapes[node.input[1]])
        elif node.op_type == "MatMul":
            macs += math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
        elif node.op_type == "Clip":
            bounds.update(node.input[1:])
    trained = (i for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT and i.dims)
    return macs, sum(math.prod(i.dims) for i in trained if i.name not in bounds)


def check(program, architecture, path):
    says = subprocess.run([program, "network", architecture, "-o", path, "--json"], check=True, capture_output=True)
    says = json.loads(says.stdout)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    found = count(model)
    assert found == (says["macs"], says["parameters"]), f"counted {found}, lglp says {says}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    if says["macs"] < RUN_BELOW_MACS:
        (given,) = session.get_inputs()
        values = np.random.default_rng(0).standard_normal(given.shape, dtype=np.float32)
        (logits,) = session.run(None, {given.name: values})
        (told,) = session.get_outputs()
        assert list(logits.shape) == told.shape and len(logits) == 1, "the output has another shape than the model says"
        assert np.isfinite(logits).all(), "the output is not finite"


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "network.onnx")
        for architecture in sys.stdin.read().split():
            try:
                check(sys.argv[1], architecture, path)
                passed += 1
            except Exception as error:  # every kind of failure is reported with its architecture
                failed += 1
                print(f"{architecture}: {error} {getattr(error, 'stderr', '')}")
                if failed == 5:
                    break
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
