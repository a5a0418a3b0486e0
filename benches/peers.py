"""Speed of lglp beside that of programs which do the same without it, in one run, in alternation.

    benches/peers/install.sh && python3 benches/peers.py [--seconds 5] [--rounds 7] [--registry FOLDER] [--out FILE.json]

All contenders run at once and are asked in turns, each once in a round, by a client on the same machine:

lglp  this program, with a version of the recipe `lglp` and one of `additive`, trained on the shipped measurements of epyc-1t
B0    the program that `--before` names, such as one of an older commit, with versions that it trained itself
R     lglp, asked for `additive` by rows of bytes in the place of JSON
P1    the same model of `lglp`, weight by weight, in FastAPI, uvicorn (2 workers), PyTorch and LightGBM: benches/peers/served.py
P2    that model as a Python function in a loop, without HTTP: benches/peers/in_process.py
P3    the same model of `additive` as a table in numpy behind FastAPI: benches/peers/table_served.py
F1    GET /healthz of lglp
F2    what this processor needs for the JSON and the LSTM's products alone: benches/peers/floors.py

P1 to P3 are measured if they predict as lglp does. lglp also works out intervals and checks rules of the space, and says what it
answered by; the peers tell latencies. A ratio is lglp's number over the other's in the same round: below 1 is faster where it is of times,
above 1 where it is of rates. Medians of the rounds and, in brackets, their quartiles. wrk makes the requests where it is installed.
"""

import argparse
import json
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))

import bundle
import machine
import report
from architectures import Requests
from contenders import PYTHON, FastApi, Floors, InProcess, Lglp, NoOp, Rows, flops_of_lstm
from loads import Failed
from trained import ROOT, VERSIONS, Build, Untrained

NAMES = {
    "lglp": "this build",
    "B0": "the other build",
    "R": "this build, rows of bytes",
    "P1": "FastAPI, PyTorch, LightGBM",
    "P2": "PyTorch and LightGBM in a loop, no HTTP",
    "P3": "FastAPI, numpy; no intervals",
    "F1": "lglp's /healthz",
    "F2": "JSON and the LSTM's products alone, counted",
}
# How far predictions may lie from lglp's, relative.
TOLERANCES = {"R": 0, "P1": 1e-3, "P2": 1e-3, "P3": 1e-6}


class Run:
    """What was started, what it told, and what failed."""

    def __init__(self, asked, folder):
        self.asked, self.folder = asked, pathlib.Path(folder)
        self.contenders, self.errors, self.checks, self.rounds = {}, {}, {}, {}

    def attempt(self, name, work):
        """Does something for a contender, or for one of its jobs; what fails is reported."""
        try:
            return work()
        except Exception as error:
            self.errors[name] = f"{type(error).__name__}: {error}"
            print(f"{name} failed: {self.errors[name]}", file=sys.stderr, flush=True)

    def start(self, build, before, requests, bundles):
        longest, log = self.asked.longest, lambda name: self.folder / f"{name}.log"
        manifest, _ = bundle.read(bundles["lglp"])
        network = manifest["version"]["content"]["recipe"]["extractor"]["parameters"]
        flops = flops_of_lstm(network, width=37, steps=40)
        started = {
            "lglp": lambda name, what: Lglp(name, what, build, log(name), VERSIONS, requests, longest),
            "B0": lambda name, what: Lglp(name, what, before(), log(name), VERSIONS, requests, longest),
            "R": lambda name, what: Rows(name, what, self.contenders["lglp"], VERSIONS["additive"]),
            "P1": lambda name, what: FastApi(name, what, "served", bundles["lglp"], log(name), "lglp", requests, longest),
            "P2": lambda name, what: InProcess(name, what, bundles["lglp"], log(name), requests),
            "P3": lambda name, what: FastApi(name, what, "table_served", bundles["additive"], log(name), "additive", requests, longest),
            "F1": lambda name, what: NoOp(name, what, self.contenders["lglp"]),
            "F2": lambda name, what: Floors(name, what, flops, log(name), requests),
        }
        for name in self.asked.only:
            contender = self.attempt(name, lambda: started[name](name, NAMES[name]))
            if contender:
                self.contenders[name] = contender

    def check(self):
        """Compares the predictions of the peers with lglp's, and leaves out those that predict something else."""
        lglp = self.contenders.get("lglp")
        told = self.attempt("lglp", lambda: {recipe: lglp.check(recipe) for recipe in VERSIONS}) if lglp else None
        for name in [name for name in TOLERANCES if told and name in self.contenders]:
            if not self.attempt(name, lambda: self.compare(told, self.contenders[name])):
                self.contenders.pop(name).stop()

    def compare(self, told, other):
        recipe = other.jobs[0][0]
        pairs = list(zip(told[recipe], other.check(recipe), strict=True))
        apart = max(abs(own / right - 1) for right, own in pairs)
        self.checks[other.name] = {"architectures": len(pairs), "largest_relative_difference": apart}
        if not apart <= TOLERANCES[other.name]:
            raise Failed(f"its predictions lie up to {apart:.2g} from lglp's, more than {TOLERANCES[other.name]:g}")
        return True

    def round(self, number, seconds):
        """Every job once; another contender begins each round. Rounds count from 0, those before warm up. A job that failed is left out
        from then on."""
        for load in report.TITLES:
            names = list(self.contenders)
            first = number % len(names) if names else 0
            for name in names[first:] + names[:first]:
                contender = self.contenders[name]
                for job in [job for job in contender.jobs if job[1] == load]:
                    told = self.attempt(f"{name}, {job[0] or 'healthz'}, {load}", lambda: contender.do(*job, seconds))
                    if told is None:
                        contender.jobs.remove(job)
                    elif number >= 0:
                        self.rounds.setdefault((name, *job), {})[number] = told

    def stop(self):
        for contender in self.contenders.values():
            contender.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "target/release", help="folder of lglp and its plugins")
    parser.add_argument("--before", type=pathlib.Path, help="the program lglp of another build, with its plugins beside it")
    parser.add_argument("--registry", type=pathlib.Path, help="folder to keep trained registries in, and to take them from")
    parser.add_argument("--seconds", type=int, default=5, help="of each stream of requests")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--longest", type=float, default=30, help="seconds that the large request may take; else a tenth of it is asked")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), help="contenders; lglp is always one")
    parser.add_argument("--out", type=pathlib.Path, help="file to write results to")
    asked = parser.parse_args()
    asked.only = [name for name in NAMES if name == "lglp" or name in asked.only and (name != "B0" or asked.before)]
    return asked


def main():
    asked = arguments()
    # So that what was started is stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory() as folder:
        registries = asked.registry or f"{folder}/registries"
        try:
            build = Build("lglp", asked.programs / "lglp", registries)
        except Untrained as error:
            sys.exit(f"{error}")
        described = machine.described(PYTHON)
        bundles = {recipe: build.export(recipe, folder) for recipe in VERSIONS}
        requests = Requests(build.program, build.cwd, folder, VERSIONS)
        run = Run(asked, folder)
        try:
            run.start(build, lambda: Build("B0", asked.before, registries), requests, bundles)
            builds = {name: run.contenders[name].build for name in ("lglp", "B0") if name in run.contenders}
            described["builds"] = {name: {"version": own.version(), "sha256": own.digest} for name, own in builds.items()}
            run.check()
            for number in range(-1, asked.rounds):
                print(f"round {number + 1} of {asked.rounds}" if number >= 0 else "warming up", file=sys.stderr, flush=True)
                run.round(number, asked.seconds if number >= 0 else 1)
        finally:
            run.stop()
    results = report.summarised(run.rounds)
    print(f"{described['cpu']}, {described['cores']} cores; {asked.rounds} rounds of {asked.seconds} s; client {described['client']}")
    print("\n".join(report.table(results, NAMES)))
    for name, found in run.checks.items():
        print(f"{name}: {found['architectures']} predictions, at most {found['largest_relative_difference']:.2g} from lglp's")
    for name, error in run.errors.items():
        print(f"{name} failed: {error}")
    if asked.out:
        settings = {name: getattr(asked, name) for name in ("seconds", "rounds", "longest", "only")}
        whole = {
            "machine": described, "settings": settings, "contenders": NAMES, "checks": run.checks, "results": results, "errors": run.errors,
        }
        asked.out.write_text(json.dumps(whole, indent=1) + "\n")
    sys.exit(bool(run.errors))


main()
