#!/usr/bin/env bash
# Time from starting a server to its first prediction, and its memory then: benches/start.sh REGISTRY HARDWARE [MODEL]
# REGISTRY has a version of HARDWARE in the space mobilenetv3; MODEL is its number or alias, `production` otherwise. Five starts, with the program in the page cache.
set -euo pipefail
registry=$1 hardware=$2 model=${3:-production}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lglp=target/release/lglp
body="{\"model\": \"$model\", \"architectures\": [\"$($lglp sample --space mobilenetv3 --seed 7)\"]}"
for _ in 1 2 3 4 5; do
    began=$(date +%s%N)
    $lglp serve --registry "$registry" --bind 127.0.0.1:8089 >/dev/null 2>&1 &
    until curl -sf -o /dev/null -d "$body" "http://127.0.0.1:8089/v1/$hardware/predict"; do sleep 0.005; done
    took=$((($(date +%s%N) - began) / 1000000))
    memory=$(awk '/^VmRSS/ {print int($2 / 1024)}' /proc/$!/status)
    kill $! && wait $! || true
    echo "$took ms to the first prediction, $memory MiB resident"
done
