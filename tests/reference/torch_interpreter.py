"""Checks the networks that plugins/command/time_onnx.py builds in torch against ONNX Runtime.

Networks of the spaces that are named are read by the script's own reader of ONNX and run by its interpreter, on the CPU; what comes
out must be what ONNX Runtime makes of the same file and image, in float32, in both memory layouts, and every operator
that lglp writes must be among them. torch may live in another Python than ONNX Runtime.
Usage: torch_interpreter.py LGLP TIME_ONNX PYTHON_WITH_TORCH SPACE...
"""

import json
import pathlib
import subprocess
import sys
import tempfile

OPERATORS = {
    "Add", "Clip", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish", "Mul", "Relu",
}  # fmt: skip
# What torch 1.13 does in a fraction of a second.
BELOW_MACS = 1_000_000_000
# Of each space. Beside the largest logit, float32 sums in another order differ by less than this.
NETWORKS, BATCH, TOLERANCE = 2, 2, 1e-4


def by_torch(time_onnx, folder):
    """Runs within the Python that has torch, and without numpy: images and logits are raw float32 in files."""
    import importlib.util

    import torch

    spec = importlib.util.spec_from_file_location("time_onnx", time_onnx)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.set_num_threads(1)
    operators = set()
    for path in sorted(pathlib.Path(folder).glob("*.onnx")):
        model = module.Model(path)
        operators.update(node.op for node in model.nodes)
        image = torch.frombuffer(bytearray(path.with_suffix(".image").read_bytes()), dtype=torch.float32)
        image = image.reshape(model.shape)
        for layout in (torch.contiguous_format, torch.channels_last):
            network = module.TorchNetwork(torch, model, torch.device("cpu"), torch.float32, layout)
            with torch.no_grad():
                logits = network(image.to(memory_format=layout)).flatten()
            # Through Python numbers: exact for float32, and free of numpy's ABI.
            suffix = ".nhwc" if layout is torch.channels_last else ".nchw"
            path.with_suffix(suffix).write_text(json.dumps(logits.tolist()))
    print(json.dumps({"torch": torch.__version__, "operators": sorted(operators)}))


def main(program, time_onnx, python, *spaces):
    import numpy as np
    import onnxruntime

    def lglp(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        expected = {}
        for space in spaces:
            sampled = lglp("sample", "--space", space, "--count", "100", "--seed", "5").split()
            small = (a for a in sampled if json.loads(lglp("network", a, "--json"))["macs"] < BELOW_MACS)
            for index in range(NETWORKS):
                architecture = next(small)
                path = pathlib.Path(folder) / f"{space}-{index}.onnx"
                lglp("network", architecture, "--batch", str(BATCH), "-o", str(path))
                session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
                (port,) = session.get_inputs()
                image = np.random.default_rng(index).uniform(-1, 1, port.shape).astype(np.float32)
                path.with_suffix(".image").write_bytes(image.tobytes())
                expected[path] = session.run(None, {port.name: image})[0].flatten()
        command = [python, __file__, "--torch", time_onnx, folder]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        told = json.loads(done.stdout)
        assert set(told["operators"]) == OPERATORS, f"the networks had {told['operators']}"
        worst = 0.0
        for path, logits in expected.items():
            assert logits.size == BATCH * 1000 and np.abs(logits).max() > 0
            for suffix in (".nchw", ".nhwc"):
                found = np.array(json.loads(path.with_suffix(suffix).read_text()))
                difference = float(np.abs(found - logits).max() / np.abs(logits).max())
                assert difference < TOLERANCE, f"{path.stem}{suffix}: off by {difference:.1e} of the largest logit"
                worst = max(worst, difference)
    print(f"{NETWORKS} networks of each of {len(spaces)} spaces agree with torch {told['torch']} within {worst:.1e}")


if sys.argv[1] == "--torch":
    by_torch(*sys.argv[2:])
else:
    main(*sys.argv[1:])
