#!/usr/bin/env bash
# Installs by name what only the tests need: cargo-nextest, cargo-deny, and PyTorch, of which PyPI has only the CUDA build,
# 3 GB.
set -euo pipefail
make/nextest.sh
cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny --version 0.20.2
/usr/bin/python3 -c 'import torch' 2>/dev/null || {
    echo "  apt-get install python3-torch (150 MB)"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-torch >/dev/null
}
