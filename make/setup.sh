#!/usr/bin/env bash
# Installs by name what the build needs and the machine lacks: a C++ compiler, Python with pip, curl.
set -euo pipefail
missing=()
for package in g++ python3 python3-pip python3-venv curl; do
    case $package in
        g++) command -v g++ >/dev/null || missing+=("$package") ;;
        python3-pip) python3 -m pip --version >/dev/null 2>&1 || missing+=("$package") ;;
        python3-venv) python3 -c 'import ensurepip' >/dev/null 2>&1 || missing+=("$package") ;;
        *) command -v "$package" >/dev/null || missing+=("$package") ;;
    esac
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "  apt-get install ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
