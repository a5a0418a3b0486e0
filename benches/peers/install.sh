#!/usr/bin/env bash
# Lays out .venv-peers beside this file: the Python packages of the programs that benches/peers.py measures beside lglp.
#   benches/peers/install.sh
# A second run with the same requirements returns at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$here/.venv-peers
want=$(cat "$here/requirements.txt" "$here/install.sh" | sha256sum)
[[ -f $venv/stamp && $(<"$venv/stamp") == "$want" ]] && exit 0

# The wheels that the hashes name are for CPython 3.11, whatever else `python3` may be.
python=$(command -v python3.11 || command -v python3)
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "the peers need Python 3.11, this is " + sys.version)'
echo "peers: installing FastAPI, PyTorch and LightGBM (3 GB to download, 6 GB on disk)"
rm -f "$venv/stamp"
"$python" -m venv --clear "$venv"
printf '*\n' >"$venv/.gitignore"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --requirement "$here/requirements.txt"
"$venv/bin/python" -m pip check --disable-pip-version-check
"$venv/bin/python" -c 'import fastapi, lightgbm, orjson, safetensors, torch, uvicorn, uvloop'
printf '%s\n' "$want" >"$venv/stamp"
echo "peers: ready in $SECONDS s ($(du -sh "$venv" | cut -f1))"
