#!/usr/bin/env bash
# Throughput and latency of a running server (`make serve`) on loopback, by wrk (apt-get install wrk).
#   benches/load.sh [HARDWARE] [URL]
set -euo pipefail
hardware=${1:-xeon-1t}
url=${2:-http://127.0.0.1:8080}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
architectures=$(mktemp)
trap 'rm -f "$architectures"' EXIT
target/release/lglp sample --space mobilenetv3 --count 5000 --seed 1 >"$architectures"

for load in "1 1" "1 8" "1000 1" "1000 4"; do
    read -r batch connections <<<"$load"
    printf '%s connections, ' "$connections"
    BATCH=$batch wrk --threads 1 --connections "$connections" --duration "${SECONDS_EACH:-15}s" --timeout 60s \
        --script benches/predict.lua "$url" -- "$hardware" "$batch" "$architectures" | tail -n 1
done
