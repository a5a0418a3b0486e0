#!/usr/bin/env python3
"""Times ONNX networks on this machine: by PyTorch's CUDA graphs where there is torch with a GPU, else by ONNX Runtime.

lglp's runtime `command` runs it (--set preset=python), and it can be used by hand. It needs torch, or onnxruntime and
numpy, and nothing else: for torch it reads the ONNX file itself.

What is timed: one run, input and output staying where the network runs. With CUDA graphs, the time between two events
around one replay of the graph; else time.perf_counter around one call. Times are milliseconds, energy is joules.
"""

import argparse
import contextlib
import gc
import json
import mmap
import os
import re
import struct
import sys
import time

EXAMPLES = """
examples:
  time_onnx.py network.onnx                                    # 20 runs, as JSON
  time_onnx.py network.onnx --runtime torch --precision float16 --channels-last
  time_onnx.py network.onnx --runtime onnxruntime --device cpu --threads 4
  time_onnx.py --describe                                      # what would run it, and on what
  echo '{"load": "network.onnx", "id": 1}' | time_onnx.py --serve
"""

# Runs before any counts, at loading and at each call: clocks rise, and libraries choose their kernels. Before a graph is
# recorded, as many as torch's manual has.
WARM_UP_LOADED, WARM_UP_RECORDED, WARM_UP_CALL = 5, 3, 2
# The GPU's energy counter moves in steps of up to 0.1 s; below this many seconds, what it says is rounding.
ENERGY_AFTER_S = 0.5


class Problem(Exception):
    """Something that the user can mend; told without a traceback."""


# --- ONNX files: just enough of protobuf, so that a machine with nothing but torch will do


def fields(message):
    """Number and value of each field of a protobuf message: a number, or bytes where it is longer."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind in (1, 2, 5):
            length = {1: lambda: 8, 2: varint, 5: lambda: 4}[kind]()
            value = message[at : at + length]
            at += length
            if len(value) < length:
                raise Problem("the ONNX file is cut off")
        else:
            raise Problem(f"this is no ONNX file: a field has the wire type {kind}")
        yield key >> 3, value


def text(value):
    return bytes(value).decode()


def integers(value):
    """Integers of a repeated field, one of them or several packed ones."""
    numbers = [value] if isinstance(value, int) else [n for _, n in fields(packed(value))]
    return [n - (1 << 64) if n >> 63 else n for n in numbers]


def packed(values):
    """Packed varints as a message whose fields are these numbers."""
    message = bytearray()
    start = True
    for byte in values:
        if start:
            message.append(0x08)
        message.append(byte)
        start = byte < 0x80
    return bytes(message)


class Node:
    """An operator: `inputs` and `outputs` are names, `attributes` floats, integers and lists of integers."""

    def __init__(self, message):
        self.inputs, self.outputs, self.op, self.attributes = [], [], "", {}
        for number, value in fields(message):
            if number == 1:
                self.inputs.append(text(value))
            elif number == 2:
                self.outputs.append(text(value))
            elif number == 4:
                self.op = text(value)
            elif number == 5:
                name, one, many = "", None, []
                for part, what in fields(value):
                    if part == 1:
                        name = text(what)
                    elif part == 2:
                        (one,) = struct.unpack("<f", what)
                    elif part == 3:
                        (one,) = integers(what)
                    elif part == 8:
                        many += integers(what)
                self.attributes[name] = many or one


class Model:
    """`nodes` in order, `weights` as name -> (shape, bytes of float32), names of input and output, the input's `shape`."""

    def __init__(self, path):
        if os.path.getsize(path) == 0:
            raise Problem(f"{path} is empty")
        # Mapped and not read: weights go from the file's pages to the device. Privately, since torch asks to write.
        with open(path, "rb") as file:
            message = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        graph = next((value for number, value in fields(message) if number == 7), None)
        if graph is None:
            raise Problem(f"{path} is no ONNX model: it has no graph")
        self.nodes, self.weights, inputs, outputs = [], {}, {}, {}
        for number, value in fields(graph):
            if number == 1:
                self.nodes.append(Node(value))
            elif number == 5:
                self.weight(value)
            elif number in (11, 12):
                name, shape = self.port(value)
                (inputs if number == 11 else outputs)[name] = shape
        inputs = {name: shape for name, shape in inputs.items() if name not in self.weights}
        if len(inputs) != 1 or len(outputs) != 1:
            raise Problem(f"the network has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
        ((self.input, self.shape),) = inputs.items()
        (self.output,) = outputs
        if not self.shape or min(self.shape) < 1:
            raise Problem(f"the input's shape {self.shape} is not fixed")

    def weight(self, message):
        shape, kind, name, raw = [], 0, "", None
        for number, value in fields(message):
            if number == 1:
                shape += integers(value)
            elif number == 2:
                kind = value
            elif number == 8:
                name = text(value)
            elif number == 9:
                raw = value
        if kind != 1 or raw is None:
            raise Problem(f"weight {name} is not float32 as raw data; use --runtime onnxruntime")
        self.weights[name] = (shape, raw)

    @staticmethod
    def port(message):
        name, shape = "", []
        for number, value in fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                tensor = dict(fields(value))[1]
                dims = dict(fields(tensor)).get(2, b"")
                shape = [dict(fields(dim)).get(1, 0) for _, dim in fields(dims)]
        return name, shape


# --- PyTorch


def torch_operator(torch, node):
    """A function of the operator's inputs."""
    f, a = torch.nn.functional, node.attributes

    def unsupported(why):
        return Problem(f"{node.op} {node.outputs[0]}: {why}; use --runtime onnxruntime")

    if node.op == "Conv":
        top, left, bottom, right = a.get("pads") or [0, 0, 0, 0]
        if (top, left) != (bottom, right):
            raise unsupported("its padding is not the same on both sides")
        options = {
            "stride": a.get("strides") or 1,
            "padding": (top, left),
            "dilation": a.get("dilations") or 1,
            "groups": a.get("group") or 1,
        }
        return lambda x, weight, bias=None: f.conv2d(x, weight, bias, **options)
    if node.op == "HardSigmoid":
        alpha, beta = a.get("alpha", 0.2), a.get("beta", 0.5)
        if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
            return f.hardsigmoid
        return lambda x: torch.clamp(x * alpha + beta, 0, 1)
    if node.op == "Flatten" and a.get("axis", 1) == 1:
        return lambda x: torch.flatten(x, 1)
    if node.op == "Gemm":
        if a.get("transA") or not a.get("transB") or a.get("alpha", 1) != 1 or a.get("beta", 1) != 1:
            raise unsupported("only x W^T + b is")
        return f.linear
    simple = {
        "Relu": f.relu,
        "HardSwish": f.hardswish,
        "Clip": torch.clamp,
        "Add": torch.add,
        "Mul": torch.mul,
        "GlobalAveragePool": lambda x: f.adaptive_avg_pool2d(x, 1),
    }
    if node.op in simple:
        return simple[node.op]
    raise unsupported("the operator is not supported")


class TorchNetwork:
    """An ONNX network as calls of torch. Values are let go after their last use, as in a network written by hand."""

    def __init__(self, torch, model, device, dtype, layout):
        def place(shape, raw):
            tensor = torch.frombuffer(raw, dtype=torch.float32).reshape(shape)
            memory_format = layout if len(shape) == 4 else torch.preserve_format
            # Always a copy: in the file they lie at any byte.
            return tensor.to(device, dtype, copy=True, memory_format=memory_format)

        self.weights = {name: place(*weight) for name, weight in model.weights.items()}
        self.input, self.output = model.input, model.output
        self.steps = []
        needed = {self.output, *self.weights}
        for node in reversed(model.nodes):
            last = [name for name in dict.fromkeys(node.inputs) if name not in needed]
            needed.update(last)
            self.steps.append((torch_operator(torch, node), node.inputs, node.outputs[0], last))
        self.steps.reverse()

    def __call__(self, image):
        values = {**self.weights, self.input: image}
        del image
        for operator, inputs, output, last in self.steps:
            values[output] = operator(*(values[name] for name in inputs))
            for name in last:
                del values[name]
        return values[self.output]


class Torch:
    """PyTorch: CUDA graphs on a GPU, eager calls on the CPU."""

    def __init__(self, options):
        import torch

        self.torch, self.threads = torch, options.threads
        self.cuda = options.device != "cpu" and torch.cuda.is_available()
        if options.device == "cuda" and not self.cuda:
            raise Problem("torch sees no GPU")
        if options.precision == "tf32" and not self.cuda:
            raise Problem("--precision tf32 is for GPUs")
        self.precision = options.precision
        self.dtype = torch.float16 if self.precision == "float16" else torch.float32
        self.layout = torch.channels_last if options.channels_last else torch.contiguous_format
        self.device = torch.device("cuda" if self.cuda else "cpu")
        # Said here and not left to defaults, which differ between versions, and between convolutions and products.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.precision == "tf32"
        # Algorithms by rule and not by a race, which ends differently from time to time.
        torch.backends.cudnn.benchmark = False
        torch.set_num_threads(options.threads)
        torch.set_grad_enabled(False)
        self.energy = EnergyCounter(torch) if self.cuda else None

    def describe(self):
        torch = self.torch
        told = {
            "runtime": "pytorch-cuda-graphs" if self.cuda else "pytorch-eager",
            "version": torch.__version__,
            "device": torch.cuda.get_device_name() if self.cuda else "cpu",
            "precision": self.precision + (" channels-last" if self.layout is torch.channels_last else ""),
        }
        if self.cuda:
            told["version"] += f" CUDA {torch.version.cuda} cuDNN {torch.backends.cudnn.version()}"
            with contextlib.suppress(OSError, AttributeError):
                with open("/proc/driver/nvidia/version", encoding="utf-8") as file:
                    told["driver"] = re.search(r"\s(\d+\.[\d.]+)\s", file.read()).group(1)
        return told

    def load(self, path):
        torch, model = self.torch, Model(path)
        network = TorchNetwork(torch, model, self.device, self.dtype, self.layout)
        torch.manual_seed(0)
        image = torch.rand(model.shape, device=self.device).mul(2).sub(1).to(self.dtype, memory_format=self.layout)
        if not self.cuda:
            for _ in range(WARM_UP_LOADED):
                network(image)
            return lambda repetitions: time_calls(lambda: network(image), repetitions, self.threads == 1)
        # As torch's manual has it: warm up on another stream, then record.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_RECORDED):
                network(image)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = network(image)
        # The graph reads and writes these where they lie, and so they have to stay.
        keeps = (network, image, output)
        return lambda repetitions: self.time_graph(graph, repetitions, keeps)

    def time_graph(self, graph, repetitions, _keeps):
        cuda = self.torch.cuda
        events = [(cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)) for _ in range(repetitions)]
        for _ in range(WARM_UP_CALL):
            graph.replay()
        cuda.synchronize()
        with self.energy.around(repetitions) as energy:
            for start, end in events:
                start.record()
                graph.replay()
                end.record()
            cuda.synchronize()
        return [{"wall_ms": start.elapsed_time(end), **energy} for start, end in events]

    def unloaded(self):
        gc.collect()
        # Memory that a graph had goes to no other one until it is given back, which takes longer than a small network.
        cuda = self.torch.cuda
        if self.cuda and cuda.memory_reserved() > cuda.get_device_properties(0).total_memory / 4:
            cuda.empty_cache()


class EnergyCounter:
    """NVML's counter of the GPU's energy, where pynvml is there."""

    def __init__(self, torch):
        self.read = None
        with contextlib.suppress(Exception):  # each way of not having it means the same
            import pynvml

            pynvml.nvmlInit()
            uuid = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid.encode())
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            self.read = lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000

    @contextlib.contextmanager
    def around(self, runs):
        """A dictionary that gets `energy_j`, the mean of these runs, where they last long enough to tell."""
        told = {}
        before, started = self.read and self.read(), time.perf_counter()
        yield told
        if self.read and time.perf_counter() - started >= ENERGY_AFTER_S:
            used = self.read() - before
            if used > 0:
                told["energy_j"] = used / runs


# --- ONNX Runtime


class OnnxRuntime:
    """ONNX Runtime: on the GPU where that is asked for and its package has the provider, else on the CPU."""

    def __init__(self, options):
        import numpy
        # It calls its maker otherwise, beside runs that are timed.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        self.numpy, self.library, self.threads = numpy, onnxruntime, options.threads
        if options.precision != "float32" or options.channels_last:
            raise Problem("--precision and --channels-last are for --runtime torch")
        self.cuda = options.device == "cuda"
        if self.cuda and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise Problem("this onnxruntime has no CUDA; the package onnxruntime-gpu does")

    def describe(self):
        return {
            "runtime": "onnxruntime-cuda via python" if self.cuda else "onnxruntime via python",
            "version": self.library.__version__,
            "device": "cuda" if self.cuda else "cpu",
            "precision": "float32",
        }

    def load(self, path):
        options = self.library.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        providers = ["CPUExecutionProvider"]
        if self.cuda:
            # float32 as it is written, and an error where an operator would run on the CPU unseen.
            providers = [("CUDAExecutionProvider", {"use_tf32": "0"})]
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        session = self.library.InferenceSession(path, options, providers=providers)
        if self.cuda and session.get_providers()[0] != "CUDAExecutionProvider":
            raise Problem("onnxruntime fell back to the CPU")
        (port,) = session.get_inputs()
        image = self.numpy.random.default_rng(0).uniform(-1, 1, port.shape).astype(self.numpy.float32)
        binding = session.io_binding()
        place = ("cuda", 0) if self.cuda else ("cpu", 0)
        binding.bind_ortvalue_input(port.name, self.library.OrtValue.ortvalue_from_numpy(image, *place))
        binding.bind_output(session.get_outputs()[0].name, *place)
        run = lambda: session.run_with_iobinding(binding)  # returns when the work is done
        for _ in range(WARM_UP_LOADED):
            run()
        one_thread = self.threads == 1 and not self.cuda
        return lambda repetitions: time_calls(run, repetitions, one_thread)

    def unloaded(self):
        gc.collect()


def time_calls(call, repetitions, one_thread):
    """Times calls; with one thread the work is done on this very thread, whose processor time is the network's then."""
    for _ in range(WARM_UP_CALL):
        call()
    samples = []
    for _ in range(repetitions):
        cpu, wall = time.thread_time(), time.perf_counter()
        call()
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        samples.append({"wall_ms": wall * 1e3, **({"cpu_ms": cpu * 1e3} if one_thread else {})})
    return samples


# --- talking


def choose(options):
    """What runs networks here, by what is asked for and what is there."""
    if options.runtime == "torch":
        return Torch(options)
    if options.runtime == "onnxruntime":
        return OnnxRuntime(options)
    missing = []
    if options.device != "cpu":
        try:
            import torch

            if torch.cuda.is_available():
                return Torch(options)
            missing.append("torch sees no GPU")
        except ImportError as error:
            missing.append(str(error))
    try:
        return OnnxRuntime(options)
    except ImportError as error:
        raise Problem("; ".join([*missing, str(error), "install torch or onnxruntime"])) from error


def serve(runner, say):
    """Answers one JSON object a line, until there are no more; see docs/your-device.md for the questions."""
    networks = {}
    # What is there by now stays, and is not looked through after each network.
    gc.collect()
    gc.freeze()

    def answer(question):
        if "describe" in question:
            return {"described": runner.describe()}
        if "load" in question:
            networks[question["id"]] = runner.load(question["load"])
            return {"loaded": question["id"]}
        if "run" in question:
            return {"ran": question["run"], "samples": networks[question["run"]](question["repetitions"])}
        if "unload" in question:
            networks.pop(question["unload"], None)
            runner.unloaded()
            return {"unloaded": question["unload"]}
        raise Problem(f"expected describe, load, run or unload, got {question}")

    for line in sys.stdin:
        try:
            say(answer(json.loads(line)))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
            # After such an error every further call fails; a new process does not.
            if "CUDA error" in str(error):
                raise


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("onnx", nargs="?", help="the network, with one input of fixed shape")
    parser.add_argument("--repetitions", type=int, default=20, help="runs that are timed (20)")
    parser.add_argument("--threads", type=int, default=1, help="on the CPU (1); with 1, processor time is told")
    parser.add_argument("--runtime", choices=["auto", "torch", "onnxruntime"], default="auto")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="cuda: a GPU, or an error")
    parser.add_argument("--precision", choices=["float32", "tf32", "float16"], default="float32", help="torch only")
    parser.add_argument("--channels-last", action="store_true", help="memory layout NHWC, torch only")
    parser.add_argument("--describe", action="store_true", help="tell what runs networks here, and on what")
    parser.add_argument("--serve", action="store_true", help="answer JSON lines from standard input till its end")
    options = parser.parse_args()
    if not (options.onnx or options.describe or options.serve):
        parser.error("name a network, or give --describe or --serve")
    # Libraries write to standard output as they like; answers get a way of their own.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(answer):
        print(json.dumps(answer, allow_nan=False), file=out, flush=True)

    try:
        runner = choose(options)
        if options.serve:
            serve(runner, say)
        elif options.describe:
            say(runner.describe())
        else:
            say({"samples": runner.load(options.onnx)(options.repetitions), **runner.describe()})
    except (Problem, ImportError, OSError) as problem:
        sys.exit(f"time_onnx.py: {problem}")


if __name__ == "__main__":
    main()
