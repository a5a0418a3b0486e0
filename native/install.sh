#!/usr/bin/env bash
# Lays out .native/lib and .native/include: the native ML libraries that the plugins open, and the headers that tch
# compiles against (LIBTORCH=.native). A second run with the same requirements returns at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
native=$(dirname "$here")/.native
want=$(cat "$here/requirements.txt" "$here/SHA256SUMS" "$here/install.sh" | sha256sum)
installed() { [[ -f $native/stamp && $(<"$native/stamp") == "$want" ]]; }
installed && exit 0

mkdir -p "$native"
# Two makes at once: the second waits, and then finds the work done.
exec 9>"$native/lock"
flock 9
installed && exit 0
# Temporary folders of a run that was killed; ours lies on the same disk, so that the last step is a rename.
rm -rf "$native"/tmp.*
tmp=$(mktemp -d "$native/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

at=$SECONDS
say() { printf 'native: %s\n' "$*"; }
done_in() { printf 'native:   %d s\n' $((SECONDS - at)); at=$SECONDS; }

[[ $(uname -sm) == 'Linux x86_64' ]] || { say "the pinned wheels are for Linux on x86_64, this is $(uname -sm)" >&2; exit 1; }

say 'downloading libtorch, LightGBM and ONNX Runtime (545 MB, less when pip has them cached)'
# The wheels serve as archives: naming their tags makes this work under any Python 3, not only under 3.11.
platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux2014 manylinux_2_17; do
    platforms+=(--platform "${tag}_x86_64")
done
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --python-version 3.11 --implementation cp --abi cp311 --abi none "${platforms[@]}" \
    --dest "$tmp/wheels" --requirement "$here/requirements.txt"
done_in

say 'unpacking the CPU libraries and the torch headers (550 MB)'
python3 - "$tmp" "$here/SHA256SUMS" <<'PYTHON'
import pathlib, shutil, sys, zipfile

target, sums = map(pathlib.Path, sys.argv[1:])
wanted = {line.split()[1] for line in sums.read_text().splitlines()}
for wheel in sorted((target / "wheels").glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = pathlib.PurePosixPath(member.filename)
            if path.name in wanted:
                to = target / "lib" / path.name
            elif path.parts[:2] == ("torch", "include") and not member.is_dir():
                to = target.joinpath(*path.parts[1:])
            else:
                continue
            to.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, to.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    wheel.unlink()
PYTHON
chmod 755 "$tmp"/lib/*
# tch links -ltorch; torch's own is linked with the CUDA half, so an empty one stands in and brings the CPU half.
"${CC:-cc}" -shared -nostdlib -x c /dev/null -o "$tmp/lib/libtorch.so" -Wl,-soname,libtorch.so \
    "-Wl,-rpath,\$ORIGIN" -Wl,--no-as-needed -L"$tmp/lib" -l:libtorch_cpu.so -Wl,--allow-shlib-undefined
done_in

say 'checking digests'
(cd "$tmp/lib" && sha256sum --check --strict --quiet "$here/SHA256SUMS")
done_in

say 'opening each library'
for library in "$tmp"/lib/*.so*; do
    # One process each, so that none finds its neighbours only because another was opened before. LightGBM names no
    # folder for its OpenMP: libgomp goes first, as in the server.
    python3 -c 'import ctypes, sys
for path in sys.argv[1:]: ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)' "$tmp/lib/libgomp.so.1" "$library"
done
done_in

# From the first rename to the stamp the layout is not whole, so there is no stamp in between.
rm -f "$native/stamp"
mkdir "$tmp/old"
for part in lib include; do
    [[ ! -e $native/$part ]] || mv "$native/$part" "$tmp/old/$part"
    mv "$tmp/$part" "$native/$part"
done
printf '%s\n' "$want" >"$tmp/stamp"
mv "$tmp/stamp" "$native/stamp"
say "ready: $native ($(du -sh "$native/lib" | cut -f1) of libraries, $(du -sh "$native/include" | cut -f1) of headers) in $SECONDS s"
