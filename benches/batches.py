"""Time of one large request, client included, of this build beside another one, in alternation.

    git worktree add ../before COMMIT && make -C ../before build
    python3 benches/batches.py ../before/target/release/lglp [--recipe additive] [--other-recipe linear] [--rows 10000]

Each build trains its recipe in a registry of its own, by its own plugins, on the shipped measurements of epyc-1t, and serves it. The same
body goes to both in turns, on one connection each: architectures in readable JSON (as Python writes it, with spaces, and without), and as
canonical text. What is printed is the median of the rounds and the middle half of them.
"""

import argparse
import http.client
import json
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches/peers"))

from architectures import readable

HARDWARE = "epyc-1t"


class Build:
    """A build that serves a recipe."""

    def __init__(self, name, program, recipe, folder):
        self.name, self.recipe = f"{name}, {recipe}", recipe
        self.command = [program, "--registry", f"{folder}/registry"]
        self.run("dataset", "import", f"datasets/{HARDWARE}")
        self.run("train", "--hardware", HARDWARE, "--recipe", recipe)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        serve = [program, "serve", "--registry", f"{folder}/registry", "--bind", f"127.0.0.1:{self.port}"]
        self.server = subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)

    def connect(self):
        """Anew: a server closes a connection on which nothing is asked for long, such as while another build trains."""
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        self.connection.connect()

    def run(self, *words):
        program, *registry = self.command
        subprocess.run([program, *words, *registry], cwd=ROOT, check=True, capture_output=True)

    def ask(self, body):
        """Milliseconds from the first byte sent to the last one read."""
        began = time.perf_counter()
        self.connection.request("POST", f"/v1/{HARDWARE}/predict", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        took = 1e3 * (time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"{self.name}: {answer.status} {text[:500]}")
        return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", help="the program lglp of the other build")
    parser.add_argument("--recipe", default="additive")
    parser.add_argument("--other-recipe", default="linear")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    own = ROOT / "target/release/lglp"
    drawn = [own, "sample", "--space", "mobilenetv3", "--count", str(asked.rows), "--seed", "1"]
    texts = subprocess.run(drawn, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    architectures = [readable(text) for text in texts]
    whole = lambda items: f'{{"model": "1", "architectures": [{items}]}}'
    bodies = {
        "readable, with spaces": whole(", ".join(map(json.dumps, architectures))),
        "readable, without": whole(",".join(json.dumps(one, separators=(",", ":")) for one in architectures)),
        "canonical text": whole(",".join(map(json.dumps, texts))),
    }
    print(f"{asked.rows} architectures a request, {asked.rounds} rounds; {platform.processor() or platform.machine()}")
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as now:
        builds = [
            Build("other", pathlib.Path(asked.other).resolve(), asked.other_recipe, before),
            Build("this", own, asked.recipe, now),
        ]
        try:
            for build in builds:
                build.connect()
            for form, body in bodies.items():
                times = {build.name: [] for build in builds}
                for round in range(asked.rounds + 2):
                    for build in builds:
                        took = build.ask(body)
                        # The first warm up caches and connections.
                        if round >= 2:
                            times[build.name].append(took)
                medians = []
                for build in builds:
                    low, middle, high = statistics.quantiles(times[build.name], n=4)
                    medians.append(middle)
                    print(f"{form:22} {len(body) / 1e6:5.1f} MB  {build.name:18} {middle:6.1f} ms ({low:.1f} to {high:.1f})")
                print(f"{form:22} {'':8} other / this {medians[0] / medians[1]:.2f}")
        finally:
            for build in builds:
                build.server.terminate()
                build.server.wait()


main()
