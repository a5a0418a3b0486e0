#!/usr/bin/env bash
# build.sh [PLUGIN]...: builds the server and every plugin but those named; plugins end up in one folder beside the program.
set -euo pipefail
without=()
for plugin in "$@"; do without+=(--exclude "lglp-plugin-$plugin*"); done
# Without what tests alone are made of.
cargo build --release --locked --workspace "${without[@]}" --exclude lglp-tests --exclude lglp-registry-conformance \
    --exclude lglp-example-encoder --exclude lglp-plugin-hanging --exclude lglp-plugin-panicking --exclude lglp-plugin-stand-in-gpu
mkdir -p target/release/plugins
for crate in plugins/*/; do
    plugin=$(basename "$crate")
    [[ " $* " == *" $plugin "* ]] && continue
    files=("liblglp_plugin_$plugin.so")
    # The plugin's helper, which it looks for beside itself.
    [[ -d $crate/helper ]] && files+=("lglp-$plugin")
    for file in "${files[@]}"; do
        # Renamed into place: a running server keeps the file that it opened.
        cp "target/release/$file" "target/release/plugins/.$file"
        mv "target/release/plugins/.$file" "target/release/plugins/$file"
    done
done
# What ships with lglp: these run in the server's process, and others in processes of their own.
(cd target/release/plugins && sha256sum -- *.so >.SHA256SUMS && mv .SHA256SUMS SHA256SUMS)
