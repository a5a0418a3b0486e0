"""The loads on a server over HTTP, the client being on the same machine. Imported by benches/peers.py."""

import http.client
import json
import pathlib
import shutil
import subprocess
import time

import client

SCRIPT = pathlib.Path(__file__).resolve().parent / "post.lua"


class Failed(Exception):
    """What a contender did wrong."""


def stream(port, path, bodies, connections, seconds):
    """Requests one after another on each of some connections: the median latency of one, and how many there are a second."""
    if shutil.which("wrk"):
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "60s"]
        command += ["--script", SCRIPT, f"http://127.0.0.1:{port}", "--", path, *([bodies] if bodies else [])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"wrk: {done.stdout[-500:]} {done.stderr[-500:]}")
        told = json.loads(done.stdout.splitlines()[-1])
    else:
        told = client.stream(port, path, bodies, connections, seconds)
    if told["errors"] or not told["requests"]:
        if bodies:
            # Says what is wrong, where it is wrong of a single one, too.
            with open(bodies, "rb") as file:
                ask(port, path, file.readline())
        raise Failed(f"{told['errors']} errors in {told['requests']} requests to {path} on {connections} connections")
    return {"p50_ms": told["p50_ms"], "per_s": told["requests"] / told["seconds"]}


def ask(port, path, body, kind="application/json"):
    """One request: milliseconds from the first byte sent to the last one read, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.connect()
    try:
        began = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        took = 1e3 * (time.perf_counter() - began)
    finally:
        connection.close()
    if answer.status != 200:
        raise Failed(f"{path} answers {answer.status}: {text[:500].decode(errors='replace')}")
    return took, text
