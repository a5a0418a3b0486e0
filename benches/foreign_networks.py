"""Predictions of networks that no space has, beside what they take here: the light models of the package `onnx`, in ONNX Runtime on one thread.

    .venv/bin/python benches/foreign_networks.py TARGET [FILE.onnx ...]

The version in production of TARGET must predict this machine's latencies at batch size 1 on one thread. The baseline is
multiply-accumulates times the constant that suits these very networks best, in the median.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime

WARM, RUNS = 2, 9


def measured_ms(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    sides = [[side if isinstance(side, int) else 1 for side in port.shape] for port in session.get_inputs()]
    feeds = {
        port.name: np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        for port, shape in zip(session.get_inputs(), sides, strict=True)
    }
    times = []
    for _ in range(WARM + RUNS):
        begin = time.perf_counter()
        session.run(None, feeds)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times[WARM:])


def main(target, *paths):
    light = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    paths = list(paths) or sorted(str(path) for path in light.glob("*.onnx"))
    command = ["target/release/lglp", "predict", "--hardware", target, "--json", *paths]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    errors, speeds = [], []
    print(f"{'network':30} {'measured':>9} {'predicted':>9} {'error':>7}  of operators not measured")
    for path, prediction in zip(paths, answer["predictions"], strict=True):
        measured, predicted, network = measured_ms(path), prediction["latency_ms"], prediction["network"]
        guessed = sum(unknown["share"] for unknown in network.get("unknown_operators", []))
        errors.append(predicted / measured - 1)
        speeds.append(network["macs"] / measured)
        name = pathlib.Path(path).name
        print(f"{name:30} {measured:6.1f} ms {predicted:6.1f} ms {errors[-1]:+7.1%}  {guessed:.0%}")
    constant = statistics.median(speeds)
    median = statistics.median(abs(error) for error in errors)
    baseline = statistics.median(abs(speed / constant - 1) for speed in speeds)
    print(f"median error {median:.1%}; multiply-accumulates times the constant that suits these best: {baseline:.1%}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
