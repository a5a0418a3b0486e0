"""The machine that a run was on, and the versions of what ran. Imported by benches/peers.py."""

import json
import os
import pathlib
import platform
import shutil
import subprocess

PACKAGES = ("torch", "lightgbm", "fastapi", "uvicorn", "pydantic", "numpy", "orjson", "pysimdjson")


def versions(python):
    """Of the peers' interpreter and of its packages."""
    if not python.exists():
        return {"error": f"no {python.parents[1].name}: run benches/peers/install.sh"}
    program = (
        "import importlib.metadata, json, platform, sys\n"
        "own = {name: importlib.metadata.version(name) for name in sys.argv[1:]}\n"
        "print(json.dumps({'python': platform.python_version()} | own))"
    )
    done = subprocess.run([python, "-c", program, *PACKAGES], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr[-500:]}


def described(python):
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {
        "cpu": fields.get("model name", platform.machine()),
        "cpu_family_model_stepping": [fields.get(name) for name in ("cpu family", "model", "stepping")],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        # Of what ran before this.
        "load_average": os.getloadavg(),
        "client": "wrk" if shutil.which("wrk") else "asyncio",
        "versions": versions(python),
    }
