#!/usr/bin/env bash
# How long it takes from nothing to the first prediction that a server makes through a new encoder, in Rust, C and Python: begun, tested, built, checked,
# installed, trained on shipped measurements, promoted, served. Crates that the SDK needs are compiled anew; they are downloaded before.
#   benches/plugin_to_prediction.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
export PATH=$root/target/release:$PATH LGLP_REGISTRY=$folder/registry LGLP_PLUGINS=$folder/plugins LGLP_RECIPES=$folder/recipes
export LGLP_SPACES=$root/catalog/spaces LGLP_NATIVE=$root/.native/lib CARGO_NET_OFFLINE=true
cp -r target/release/plugins "$folder/plugins"
cp -r catalog/recipes "$folder/recipes"
lglp dataset import datasets/xeon-1t >/dev/null

version=0
export LGLP_PYTHON=$root/.venv/bin/python
for language in rust c python; do
    began=$(date +%s.%N)
    step=$began
    told=
    note() {
        local now
        now=$(date +%s.%N)
        told+=$(printf ', %s %.1f s' "$1" "$(bc <<<"$now - $step")")
        step=$now
    }
    cd "$folder"
    lglp plugin new "in-$language" --kind encoder --language "$language" >/dev/null
    cd "in-$language"
    if [ "$language" = rust ]; then
        cargo test --release --quiet >/dev/null 2>&1
        cargo build --release --quiet
        built=target/release/libin_rust.so
    elif [ "$language" = python ]; then
        "$LGLP_PYTHON" -m unittest --quiet 2>/dev/null
        built=in_python.py
    else
        cc -std=c11 -O2 -shared -fPIC -I. plugin.c -o in-c.so
        built=in-c.so
    fi
    note "tested and built"
    lglp plugin install "$built" >/dev/null
    note "checked and installed"
    cp recipe.toml "$LGLP_RECIPES/in-$language.toml"
    lglp train --hardware xeon-1t --recipe "in-$language" >/dev/null
    version=$((version + 1))
    lglp promote --hardware xeon-1t "$version" --force --reason "a bench" >/dev/null
    note "trained and promoted"
    lglp serve --bind 127.0.0.1:8093 >/dev/null 2>&1 &
    server=$!
    architecture=$(lglp sample --space mobilenetv3)
    until curl -sf http://127.0.0.1:8093/v1/xeon-1t/predict -d "{\"architectures\": [\"$architecture\"]}" | grep -q "in-$language"; do
        sleep 0.05
    done
    note "served"
    kill "$server"
    wait "$server" 2>/dev/null || true
    printf '%-5s %.1f s%s\n' "$language" "$(bc <<<"$step - $began")" "$told"
done
