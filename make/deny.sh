#!/usr/bin/env bash
# Licences, bans and sources always; known vulnerabilities where their database can be had, which lies on a git host.
set -euo pipefail
cargo deny --locked --log-level error check bans licenses sources

database=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs
if problem=$(timeout 120 cargo deny --locked --log-level error fetch db 2>&1); then
    cargo deny --locked --offline --log-level error check advisories
elif compgen -G "$database/*/.git" >/dev/null; then
    echo "advisories: the database cannot be fetched; checking against the copy of an earlier run"
    cargo deny --locked --offline --log-level error check advisories
else
    echo "advisories: NOT CHECKED, the database cannot be fetched ($(tail -n 1 <<<"$problem"))"
fi
