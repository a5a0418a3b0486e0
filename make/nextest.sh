#!/usr/bin/env bash
# Installs cargo-nextest, which runs the tests.
set -euo pipefail
cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest --version 0.9.143
