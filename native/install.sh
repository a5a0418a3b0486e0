#!/usr/bin/env bash
# Lays the native libraries out under .native/: lib/ (all shared libraries, flat) and include/ (torch's headers), which
# is what LIBTORCH=.native expects. Does nothing where that was done already; an interrupted run leaves no stamp.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(dirname "$here")/.native
stamp=$(cat "$here/requirements.txt" "$here/install.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$target/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
rm -rf "$target"
mkdir -p "$target/wheels" "$target/lib"
echo "  downloading libtorch, LightGBM and ONNX Runtime (570 MB; SHA-256 checked)"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux2014_x86_64 --dest "$target/wheels" --requirement "$here/requirements.txt"
echo "  unpacking"
python3 - "$target" <<'PY'
import pathlib, sys, zipfile

target = pathlib.Path(sys.argv[1])
libraries = {
    "libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13",
    "lib_lightgbm.so", "libonnxruntime.so.1.32.0",
}
found = set()
for wheel in sorted((target / "wheels").glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = pathlib.PurePosixPath(entry.filename)
            if name.name in libraries and not entry.is_dir():
                with archive.open(entry) as source, open(target / "lib" / name.name, "wb") as out:
                    while chunk := source.read(1 << 24):
                        out.write(chunk)
                (target / "lib" / name.name).chmod(0o755)
                found.add(name.name)
            elif name.parts[:2] == ("torch", "include") and not entry.is_dir():
                out = target / "include" / pathlib.PurePosixPath(*name.parts[2:])
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_bytes(archive.read(entry))
missing = libraries - found
sys.exit(f"the wheels lack {sorted(missing)}" if missing else 0)
PY
# tch links with -ltorch, which in the wheel leads to the CUDA part: an empty library that needs the CPU part instead.
echo | cc -shared -x c - -o "$target/lib/libtorch.so" -Wl,--no-as-needed -L"$target/lib" -l:libtorch_cpu.so \
    -Wl,--unresolved-symbols=ignore-all
rm -rf "$target/wheels"
echo "$stamp" > "$target/stamp"
