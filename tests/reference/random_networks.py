"""Checks random networks that lglp writes.

Each FILE must pass onnx.checker's full check and strict shape inference; ONNX Runtime must run it to values that are
finite and not all the same; and its multiply-accumulates, counted here over the graph with inferred shapes, must be those
that lglp says, which are on standard input, a line for each file. Prints the milliseconds of each, by one thread.
Usage: random_networks.py FILE... < MACS
"""

import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx_tables import PRODUCTS, constants, costs, inferred

RUNS = 3


def count(model):
    shapes, fixed = inferred(model), constants(model.graph)
    return sum(costs(node, shapes, fixed)["macs"] for node in model.graph.node if node.op_type in PRODUCTS)


def run(path, model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    values = {given.name: np.random.default_rng(0).standard_normal(given.shape, dtype=np.float32)}
    elapsed = []
    for _ in range(RUNS):
        start = time.perf_counter()
        (output,) = session.run(None, values)
        elapsed.append(time.perf_counter() - start)
    told = [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim]
    assert list(output.shape) == told, f"the output is {output.shape}, and told to be {told}"
    assert np.isfinite(output).all() and output.std() > 0, "the output is not finite, or the same everywhere"
    return 1000 * min(elapsed)


def check(path, macs):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert (model.ir_version, model.opset_import[0].version) == (9, 17)
    found = count(model)
    assert found == macs, f"counted {found}, lglp says {macs}"
    return run(path, model)


def main():
    failed = 0
    elapsed = []
    for path, macs in zip(sys.argv[1:], sys.stdin.read().split(), strict=True):
        try:
            elapsed.append(check(path, int(macs)))
        except Exception as error:  # every kind of failure is reported with its network
            failed += 1
            print(f"{path}: {error}")
    if elapsed:
        quantiles = np.quantile(elapsed, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1])
        print("ms, at 0, 10, 25, 50, 75, 90, 100 %:", *(f"{ms:.2f}" for ms in quantiles))
    print(f"{len(elapsed)} passed, {failed} failed")
    sys.exit(failed > 0)


main()
