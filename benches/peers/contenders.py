"""What is measured: lglp, and its peers. Each has jobs, which are loads on models, and does one of them when it is told to. Imported by
benches/peers.py."""

import json
import os
import pathlib
import struct

import loads
from architectures import BATCH, SMALL_BATCH
from loads import Failed
from processes import Asked, Process, answers, free_port
from trained import HARDWARE

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = HERE / ".venv-peers/bin/python"
# Connections of each stream of requests.
STREAMS = {"single": 1, "parallel": 32}
WORKERS = 2


class Server:
    """A server over HTTP. `paths` has where each recipe is asked."""

    def __init__(self, name, what, paths, requests, longest):
        self.name, self.what, self.paths, self.requests, self.longest = name, what, paths, requests, longest
        self.jobs = [(recipe, load) for recipe in paths for load in ("single", "parallel", "batch")]
        self.rows = {}

    def check(self, recipe):
        """Its predictions for the architectures that all are compared by."""
        _, text = loads.ask(self.port, self.paths[recipe], self.requests.checked(recipe).read_bytes())
        return [one["latency_ms"] for one in json.loads(text)["predictions"]]

    def do(self, recipe, load, seconds):
        path = self.paths[recipe]
        if load in STREAMS:
            return loads.stream(self.port, path, self.requests.singles(recipe), STREAMS[load], seconds)
        rows = self.rows.get(recipe) or self.fitting_rows(recipe)
        took, _ = loads.ask(self.port, path, self.requests.batch(recipe, rows).read_bytes())
        return {"ms": took * BATCH / rows, "rows_asked": rows}

    def fitting_rows(self, recipe):
        """How many rows are asked at once: all, unless a part of them says that these would take longer than is waited for."""
        took, _ = loads.ask(self.port, self.paths[recipe], self.requests.batch(recipe, SMALL_BATCH).read_bytes())
        fits = took * BATCH / SMALL_BATCH < 1e3 * self.longest
        self.rows[recipe] = BATCH if fits else SMALL_BATCH
        return self.rows[recipe]

    def stop(self):
        self.process.stop()


class Lglp(Server):
    def __init__(self, name, what, build, log, recipes, requests, longest):
        super().__init__(name, what, dict.fromkeys(recipes, f"/v1/{HARDWARE}/predict"), requests, longest)
        self.build, self.port = build, free_port()
        serve = [build.program, "serve", "--registry", build.registry / "registry", "--bind", f"127.0.0.1:{self.port}"]
        self.process = Process(serve, log, cwd=build.cwd)
        try:
            self.process.wait_until(lambda: answers(self.port, "/readyz"))
        except Failed:
            self.stop()
            raise


class Rows:
    """lglp, asked by rows of bytes in the place of JSON."""

    def __init__(self, name, what, lglp, version):
        self.name, self.what, self.lglp = name, what, lglp
        self.path = f"{lglp.paths['additive']}?model={version}"
        self.jobs = [("additive", "batch")]

    def predictions(self):
        rows = self.lglp.requests.rows.read_bytes()
        took, text = loads.ask(self.lglp.port, self.path, rows, "application/octet-stream")
        return took, struct.unpack(f"<{len(text) // 8}d", text)[::4]

    def check(self, recipe):
        return self.predictions()[1][:50]

    def do(self, recipe, load, seconds):
        return {"ms": self.predictions()[0], "rows_asked": BATCH}

    def stop(self):
        """Whose server it is stops it."""


class FastApi(Server):
    """An application of FastAPI, in some workers of uvicorn."""

    def __init__(self, name, what, application, bundle, log, recipe, requests, longest):
        super().__init__(name, what, {recipe: "/predict"}, requests, longest)
        self.port = free_port()
        command = [PYTHON, HERE / "worker.py", application, str(self.port)]
        environment = {"LGLP_PEERS_BUNDLE": str(bundle)}
        self.workers = [Process(command, f"{log}.{number}", environment=environment) for number in range(WORKERS)]
        try:
            # One of them would answer alone, too.
            for worker in self.workers:
                worker.wait_until(lambda: "startup complete" in worker.log.read_text())
        except Failed:
            self.stop()
            raise

    def stop(self):
        for worker in self.workers:
            worker.stop()


class InProcess:
    """The model in a loop, without HTTP."""

    def __init__(self, name, what, bundle, log, requests):
        self.name, self.what = name, what
        self.jobs = [("lglp", "single"), ("lglp", "batch")]
        self.process = Asked([PYTHON, HERE / "in_process.py", bundle, requests.architectures], log)

    def check(self, recipe):
        return self.process.ask("predict", count=50)["latencies_ms"]

    def do(self, recipe, load, seconds):
        if load == "single":
            return self.process.ask("singles", seconds=seconds)
        return self.process.ask("batch", count=BATCH) | {"rows_asked": BATCH}

    def stop(self):
        self.process.stop()


class NoOp:
    """What lglp answers at once: the server and the client alone."""

    def __init__(self, name, what, lglp):
        self.name, self.what, self.lglp = name, what, lglp
        # Not of a recipe.
        self.jobs = [(None, load) for load in STREAMS]

    def do(self, recipe, load, seconds):
        return loads.stream(self.lglp.port, "/healthz", None, STREAMS[load], seconds)

    def stop(self):
        """Whose server it is stops it."""


class Floors:
    """What the processor needs for what is counted: the JSON, and of the recipe `lglp` the products of the LSTM."""

    def __init__(self, name, what, flops_per_row, log, requests):
        self.name, self.what, self.flops_per_row, self.requests = name, what, flops_per_row, requests
        self.jobs = [(recipe, load) for recipe in ("lglp", "additive") for load in (*STREAMS, "batch")]
        self.cores = len(os.sched_getaffinity(0))
        self.process = Asked([PYTHON, HERE / "floors.py", requests.batch("lglp", BATCH)], log)

    def do(self, recipe, load, seconds):
        told = self.process.ask("measure", seconds=min(seconds, 1.5))
        flops = self.flops_per_row if recipe == "lglp" else 0
        size = self.requests.batch(recipe, BATCH).stat().st_size / BATCH
        row = flops / told["flops_per_s"] + size / told["json_bytes_per_s"]
        if load == "batch":
            return told | {"ms": 1e3 * BATCH * row / self.cores, "rows_asked": BATCH}
        # One request is one core's.
        return told | {"p50_ms": 1e3 * row, "per_s": (self.cores if load == "parallel" else 1) / row}

    def stop(self):
        self.process.stop()


def flops_of_lstm(parameters, width, steps):
    """Operations of the products of an LSTM for one row of so many steps, each of so many values: two for each weight but the biases."""
    hidden, directions = parameters["hidden"], 2 if parameters["bidirectional"] else 1
    inputs = [width] + [hidden * directions] * (parameters["layers"] - 1)
    return 2 * steps * sum(directions * 4 * hidden * (own + hidden) for own in inputs)
