#!/usr/bin/env bash
# Installs by name what only the tests need: cargo-nextest and cargo-deny.
set -euo pipefail
cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest --version 0.9.143
cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny --version 0.20.2
