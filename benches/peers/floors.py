"""F2: what this processor does in a second of what any server of the model has to do. Started and asked by benches/peers.py.

    .venv-peers/bin/python benches/peers/floors.py BODY

Measured on one thread: the float32 operations of a matrix product of 1024 x 1024, and the bytes of JSON that simdjson reads of BODY, the
large request, without making objects of it; beside it the bytes of which orjson makes Python's objects. What is counted of the model are
the products of the LSTM as a library computes it, over all slots of an architecture; its other arithmetic, the trees, copies and HTTP are
left out. A program that need not multiply all of them, as absent layers are zeros, may go below.
"""

import pathlib
import sys
import time

import orjson
import simdjson
import torch

from asking import answer

SIDE = 1024
parser = simdjson.Parser()
body = pathlib.Path(sys.argv[1]).read_bytes()
torch.set_num_threads(1)
a, b, product = (torch.rand(SIDE, SIDE) for _ in range(3))


def fastest(work, seconds):
    """Seconds of the fastest of some runs: a floor is what can be reached, not what comes out beside others."""
    took, began = [], time.perf_counter()
    while len(took) < 3 or time.perf_counter() < began + seconds:
        before = time.perf_counter()
        work()
        took.append(time.perf_counter() - before)
    return min(took)


def read():
    # A document that is still held would keep the parser from reading another one.
    parser.parse(body)


def measure(seconds):
    return {
        "flops_per_s": 2 * SIDE**3 / fastest(lambda: torch.mm(a, b, out=product), seconds / 3),
        "json_bytes_per_s": len(body) / fastest(read, seconds / 3),
        "json_objects_bytes_per_s": len(body) / fastest(lambda: orjson.loads(body), seconds / 3),
    }


answer({"measure": measure})
