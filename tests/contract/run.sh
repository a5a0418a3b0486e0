#!/usr/bin/env bash
# Schemathesis over the whole contract, all phases, once with each role: a server with real content of its own for each, so that no
# role finds what another has revoked or deleted.
#
#   make contract                  what `make test` runs: a fixed seed, few examples
#   EXAMPLES=500 make contract     deeper
#   SEED=$RANDOM make contract     elsewhere
#   ROLES=admin make contract      with one role alone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
lglp=$root/target/release/lglp
python=${PYTHON:-$root/.venv/bin/python}
examples=${EXAMPLES:-5}
seed=${SEED:-20260101}
hardware=xeon-1t

work=$(mktemp -d)
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT

# Without a runtime, measuring jobs end at once: what runs for hours is no part of the contract.
mkdir -p "$work/plugins" "$work/dataset"
for plugin in encoders classical lightgbm; do
    ln -s "$root/target/release/plugins/liblglp_plugin_$plugin.so" "$work/plugins/"
done
run() { "$lglp" "$@" --registry "$work/registry" --plugins "$work/plugins"; }

cp "datasets/$hardware/hardware.json" "$work/dataset/"
head -120 "datasets/$hardware/mobilenetv3.jsonl" >"$work/dataset/mobilenetv3.jsonl"
run dataset import "$work/dataset" >/dev/null
for _ in 1 2; do run train --hardware "$hardware" --recipe linear >/dev/null; done
for version in 1 2; do run promote --hardware "$hardware" "$version" --reason "a first one" >/dev/null; done
for role in viewer worker operator admin; do run token create --name "$role" --role "$role" 2>/dev/null >"$work/$role"; done
# Another admin, so that this one may revoke itself as the contract says, and go on.
run token create --name owner --role admin 2>/dev/null >"$work/owner"

# What only a running server makes: a worker, a job that waits for it, a webhook.
content() {
    call() { curl --silent --show-error --fail --output /dev/null --header "Authorization: Bearer $(<"$work/owner")" "$@"; }
    local now
    now=$(date --utc +%FT%TZ)
    call --request PUT "$1/v1/workers/bench-1" --data '{"hardware": "far", "instance": "0123456789abcdef", "fingerprint": {},
        "version": "0.1.0", "sent_at": "'"$now"'", "setup": {"runtime": "onnxruntime", "batch_size": 1}}'
    call "$1/v1/far/jobs" --data '{"kind": "measure", "parameters": {"space": "mobilenetv3", "count": 3}}'
    call "$1/v1/$hardware/jobs" --data '{"kind": "train", "parameters": {"recipe": "linear"}}'
    call "$1/v1/webhooks" --data '{"id": "ci", "url": "http://127.0.0.1:9/hook"}'
}

check() {
    local role=$1 folder=$work/$1.d address=""
    mkdir "$folder"
    cp -r "$work/registry" "$folder/registry"
    "$lglp" serve --bind 127.0.0.1:0 --registry "$folder/registry" --plugins "$work/plugins" 2>"$folder/log" &
    local server=$!
    for _ in $(seq 300); do
        # The address stands beside the registry once it is held.
        address=$(python3 -c 'import json, sys; h = json.load(open(sys.argv[1])); print(h["address"] if h["pid"] == int(sys.argv[2]) else "")' \
            "$folder/registry/holder.json" "$server" 2>/dev/null) || true
        [ -n "$address" ] && curl --silent --fail --output /dev/null "$address/readyz" && break
        kill -0 "$server" || { cat "$folder/log"; return 1; }
        sleep 0.1
    done
    content "$address"
    local token=()
    [ "$role" = nobody ] || token=(--header "Authorization: Bearer $(<"$work/$role")")
    local status=0
    (
        cd "$folder"
        export PYTHONPATH=$root/tests/contract SCHEMATHESIS_HOOKS=hooks
        "$python" -m schemathesis.cli --config-file "$root/tests/contract/schemathesis.toml" run "$address/openapi.json" \
            --url "$address" "${token[@]}" --seed "$seed" --max-examples "$examples" --no-color
    ) >"$folder/report" 2>&1 || status=$?
    kill "$server"
    if [ $status -ne 0 ]; then cat "$folder/report"; fi
    grep -E "ERROR|panicked" "$folder/log" | head -20 || true
    echo "    $role: $(grep -E "^ *[0-9]+ (cases|generated)|generated" "$folder/report" | tail -1 | xargs)$([ $status -eq 0 ] || echo " FAILED")"
    return $status
}

failed=0
for role in ${ROLES:-nobody viewer worker operator admin}; do check "$role" || failed=1; done
exit $failed
