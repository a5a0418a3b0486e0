"""P2: the model of the recipe `lglp` as a Python function in a loop, without HTTP. Started and asked by benches/peers.py.

    .venv-peers/bin/python benches/peers/in_process.py BUNDLE ARCHITECTURES

ARCHITECTURES is a list of them in readable JSON, which is parsed and checked beforehand: neither is timed. A batch is split among as many
threads as there are cores: those of the libraries themselves wait for each other so often that another program beside them slows them down
tenfold.
"""

import os
import pathlib
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from asking import answer
from garbage import collect_seldom
from lstm_model import Model
from schema import Request

_, bundle, architectures = sys.argv
rows = Request.model_validate_json('{"architectures": ' + pathlib.Path(architectures).read_text() + "}").architectures
model = Model(bundle)
cores = len(os.sched_getaffinity(0))
pool = ThreadPoolExecutor(cores)
collect_seldom()


def predict(count):
    return {"latencies_ms": model.predict(rows[:count]).tolist()}


def singles(seconds):
    took, began, at = [], time.perf_counter(), 0
    while (before := time.perf_counter()) < began + seconds:
        model.predict(rows[at : at + 1])
        took.append(time.perf_counter() - before)
        at = (at + 1) % len(rows)
    return {"p50_ms": 1e3 * statistics.median(took), "per_s": len(took) / sum(took)}


def batch(count):
    began = time.perf_counter()
    list(pool.map(model.predict, [rows[at:count:cores] for at in range(cores)]))
    return {"ms": 1e3 * (time.perf_counter() - began)}


answer({"predict": predict, "singles": singles, "batch": batch})
