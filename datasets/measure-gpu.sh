#!/usr/bin/env bash
# Measures a dataset on a GPU, resumably; see --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'TEXT'
Measures architectures on this machine's GPU, some of them again for the noise floor, and exports them with a README.
Kill it anywhere and start it again: it goes on with what is missing, also on a fresh machine that has only the exported
folders.

Usage: datasets/measure-gpu.sh --name NAME [OPTIONS] [-- OPTIONS OF plugins/command/time_onnx.py]

  --name NAME         what the hardware targets are called before -b1 and -b32, e.g. h100
  --batches "1 32"    batch sizes, each of them a target
  --count 1000        architectures to measure
  --again 100         of them, to measure a second time
  --repetitions 10    runs of one call; half as many from batch size 8 on, where each of them is long
  --budget 0.5        seconds for the runs of one attempt at one architecture, see lglp measure --help
  --energy 0          seconds that each architecture runs once more to tell its energy; 0.5 doubles the time
  --minutes N         end after so many minutes and export what there is; start it again to go on
  --space SPACE       the search space (mobilenetv3)
  --output DIR        where the datasets go (datasets)
  --registry DIR      registry that it measures into (data/gpu)
  --python PYTHON     a Python with torch, or with onnxruntime-gpu (python3)

It needs target/release/lglp with plugins/ beside it, catalog/ and plugins/command/, and no network. By default
time_onnx.py gets --device cuda, so that a machine without a usable GPU is an error.

  datasets/measure-gpu.sh --name h100 --minutes 9
  datasets/measure-gpu.sh --name h100-fp16 -- --device cuda --precision float16 --channels-last
  datasets/measure-gpu.sh --name try --count 4 --again 2 --batches 1 --output /tmp/try -- --device cpu   # without a GPU
TEXT
}

name='' batches='1 32' count=1000 again=100 repetitions=10 budget=0.5 energy=0 minutes='' space=mobilenetv3
output=datasets registry=data/gpu python=python3 script_options=(--device cuda)
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage && exit ;;
        --name | --batches | --count | --again | --repetitions | --budget | --energy | --minutes | --space | --output | --registry | \
            --python)
            [ $# -ge 2 ] || { echo "$1 needs a value; see --help" >&2 && exit 2; }
            printf -v "${1#--}" %s "$2"
            shift 2
            ;;
        --) shift && script_options=("$@") && break ;;
        *) echo "unknown option $1; see --help" >&2 && exit 2 ;;
    esac
done
[ -n "$name" ] || { echo "--name is missing; see --help" >&2 && exit 2; }
export LGLP_REGISTRY=$registry
lglp=target/release/lglp

left() { # seconds until the time is up; 0 stands for no limit
    [ -z "$minutes" ] && echo 0 && return
    local rest=$((minutes * 60 - SECONDS))
    echo $((rest > 0 ? rest : -1))
}

# Fails before anything else where the GPU cannot be used.
told=$("$python" plugins/command/time_onnx.py --describe "${script_options[@]}")
echo "networks run by $told"
arguments=$("$python" -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "${script_options[@]}")

# Measures one replicate of one target. Status 1: the time is up; every other failure ends the script.
measure() {
    local hardware=$1 batch=$2 rest status=0
    shift 2
    rest=$(left)
    [ "$rest" -ge 0 ] || return 1
    local runs=$((batch < 8 ? repetitions : (repetitions + 1) / 2))
    # A new target gets the settings, one that is there has them.
    command=("$lglp" measure --hardware "$hardware" --space "$space" --runtime command --batch-size "$batch"
        --budget "$budget" --energy-window "$energy" --set preset=python --set "program=$python" --set "arguments=$arguments" --set "repetitions=$runs" "$@")
    said=$(timeout --signal=KILL "$rest" "${command[@]}") || status=$?
    [ $status -ne 124 ] && [ $status -ne 137 ] || return 1
    [ $status -eq 0 ] || exit $status
    echo "$said"
}

export_dataset() {
    local hardware=$1 noise=$2 folder=$output/$1
    "$lglp" dataset export --hardware "$hardware" "$folder"
    {
        printf '# %s\n\nLatencies of networks of the space `%s`, measured by `datasets/measure-gpu.sh`' "$hardware" "$space"
        printf ' with\n\n```sh\n'
        printf '%q ' "${command[@]}"
        printf '\n```\n\nNoise floor: %s\n\nThe machine and what ran the networks:\n\n```json\n' "$noise"
        "$python" -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["fingerprint"], indent=2))' \
            "$folder/hardware.json"
        printf '```\n'
    } >"$folder/README.md"
}

for batch in $batches; do
    hardware=$name-b$batch
    # A fresh machine goes on with what an earlier one exported.
    [ ! -f "$output/$hardware/hardware.json" ] || "$lglp" dataset import "$output/$hardware"
    done=yes noise='not measured yet'
    measure "$hardware" "$batch" --count "$count" || done=no
    first=("${command[@]}")
    if [ $done = yes ] && [ "$again" -gt 0 ]; then
        if measure "$hardware" "$batch" --count "$again" --replicate 1; then
            noise=$(grep -i -A 3 repeatability <<<"$said" || true)
        else
            done=no
        fi
    fi
    command=("${first[@]}")
    # Cut off during calibration, there is nothing to export.
    targets=$("$lglp" hardware --json)
    [[ $targets != *"\"name\": \"$hardware\""* ]] || export_dataset "$hardware" "$noise"
    [ $done = yes ] || { echo "the time is up; start it again with the same options to go on" && exit 0; }
done
echo "done; next: $lglp reproduce --hardware ${name}-b${batches%% *}"
