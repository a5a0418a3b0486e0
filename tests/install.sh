#!/usr/bin/env bash
# Lays out .venv: Python packages that tests compare lglp with. A second run with the same requirements returns at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$(dirname "$here")/.venv
want=$(cat "$here/requirements.txt" "$here/install.sh" | sha256sum)
[[ -f $venv/stamp && $(<"$venv/stamp") == "$want" ]] && exit 0

# The wheels that the hashes name are for CPython 3.11, whatever else `python3` may be.
python=$(command -v python3.11 || command -v python3)
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "the test references need Python 3.11, this is " + sys.version)'
echo "venv: installing the test references (260 MB, less when pip has them cached)"
rm -f "$venv/stamp"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --requirement "$here/requirements.txt"
"$venv/bin/python" -m pip check --disable-pip-version-check
"$venv/bin/python" -c 'import onnx, onnxruntime, lightgbm, sklearn'
printf '%s\n' "$want" >"$venv/stamp"
echo "venv: ready in $SECONDS s ($(du -sh "$venv" | cut -f1))"
