#!/usr/bin/env bash
# Fuzzes every reader of what comes from outside, each for some seconds (60 unless said otherwise), from the seeds in fuzz/seeds.
# Needs cargo-fuzz (`cargo install cargo-fuzz`) and no nightly compiler. What crashes is kept in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
for target in fuzz/targets/*.rs; do
    target=$(basename "$target" .rs)
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run --sanitizer none --release "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="${1:-60}" -rss_limit_mb=1024 -timeout=10 -max_len=65536
done
