#!/usr/bin/env bash
# Builds and packs what a machine needs to measure for a server: target/lglp-worker-x86_64.tar.gz. Unpacked anywhere it runs from
# there. The worker's program is built by itself, so that no part of the server comes along.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
name=lglp-worker-x86_64
onnxruntime=libonnxruntime.so.1.32.0
runtimes=(onnxruntime command tensorrt)

# Beside the system's own libraries a worker brings everything along.
system='linux-vdso.so.1|libc.so.6|libm.so.6|libgcc_s.so.1|/lib64/ld-linux-x86-64.so.2'
needs() { ldd "$1" | awk '{print $1}' | grep -Evx "$system" || true; }

built=target/worker
cargo build --release --locked --target-dir "$built" --package lglp-worker "${runtimes[@]/#/--package=lglp-plugin-}"
built=$built/release

tmp=$(mktemp -d target/worker.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
folder=$tmp/$name
mkdir -p "$folder/plugins" "$folder/native"
strip -o "$folder/lglp-worker" "$built/lglp-worker"
files=("$folder/lglp-worker")
for runtime in "${runtimes[@]}"; do
    plugin=liblglp_plugin_$runtime.so
    strip --strip-unneeded -o "$folder/plugins/$plugin" "$built/$plugin"
    files+=("$folder/plugins/$plugin")
    # The plugin's helper, which it looks for beside itself.
    helper=lglp-$runtime
    [ -f "$built/$helper" ] || continue
    strip -o "$folder/plugins/$helper" "$built/$helper"
    files+=("$folder/plugins/$helper")
done
# What ships runs in the worker's process, and its runtimes have their device.
(cd "$folder/plugins" && sha256sum -- *.so >SHA256SUMS)
for file in "${files[@]}"; do
    foreign=$(needs "$file")
    [ -z "$foreign" ] || { echo "$file needs $foreign, which a machine may not have" >&2; exit 1; }
done
cp ".native/lib/$onnxruntime" "$folder/native/"
files+=("$folder/native/$onnxruntime")

# ONNX Runtime's licence wants to go where its library goes; the wheel that it was taken from has it.
grep -A1 '^onnxruntime==' native/requirements.txt >"$tmp/requirements.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_27_x86_64 --platform manylinux_2_28_x86_64 \
    --dest "$tmp" --requirement "$tmp/requirements.txt"
python3 - "$tmp" "$folder/native" <<'PYTHON'
import pathlib, sys, zipfile

wheels, target = map(pathlib.Path, sys.argv[1:])
[wheel] = wheels.glob("onnxruntime-*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        (target / f"onnxruntime-{name}").write_bytes(archive.read(f"onnxruntime/{name}"))
PYTHON
cp LICENSE-APACHE LICENSE-MIT "$folder/"

glibc=$(objdump -T "${files[@]}" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
cat >"$folder/README" <<README
lglp-worker $("$built/lglp-worker" --version | awk '{print $2}'): measures neural networks on this machine for an lglp server.

Needs Linux on x86_64 with glibc ${glibc#GLIBC_} or newer, and libstdc++ for ONNX Runtime. Unpack it anywhere and run it from there:

  ./lglp-worker doctor                                            what this machine can measure
  export LGLP_SERVER=https://server:8443 LGLP_TOKEN=lglp_...      from whoever runs the server
  ./lglp-worker --hardware NAME --runtime onnxruntime             the first worker of a target
  ./lglp-worker --hardware NAME                                   the next ones

SIGTERM ends it after the architecture in hand. docs/workers.md of lglp tells the rest.
README
tar --create --gzip --file "$tmp/archive" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --directory "$tmp" "$name"
mv "$tmp/archive" "target/$name.tar.gz"
echo "  target/$name.tar.gz: $(du -h "target/$name.tar.gz" | cut -f1), glibc ${glibc#GLIBC_} or newer, $(tar --list --file "target/$name.tar.gz" | grep -c '\.so$') runtimes"
