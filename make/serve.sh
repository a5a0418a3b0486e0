#!/usr/bin/env bash
# From measurements to a first prediction: imports datasets/, trains and promotes where nothing is in production yet, serves.
set -euo pipefail
lglp=target/release/lglp
hardware=xeon-1t
recipe=additive
bind=${BIND:-127.0.0.1:8080}
registry=${LGLP_REGISTRY:-data/registry}
step=make/step.sh

# A failing command says why itself and ends the script; its output is not read then.
has_production() {
    local targets models
    # Commands that only ask make no registry: in a fresh clone there is none yet.
    [ -e "$registry/format.json" ] || return 1
    targets=$($lglp hardware --json) || exit 1
    python3 -c 'import json, sys; sys.exit(all(t["name"] != sys.argv[1] for t in json.loads(sys.argv[2])))' $hardware "$targets" ||
        return 1
    models=$($lglp models --hardware $hardware --json) || exit 1
    python3 -c 'import json, sys; sys.exit(all(a["name"] != "production" for a in json.loads(sys.argv[1])["aliases"]))' "$models"
}

if ! has_production; then
    for folder in datasets/*/; do
        $step "import $folder" $lglp dataset import "$folder"
    done
    $step "train $recipe on $hardware" $lglp train --hardware $hardware --recipe $recipe
    version=$($lglp models --hardware $hardware --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["versions"][-1]["version"])')
    $step "promote version $version" $lglp promote --hardware $hardware "$version" --reason "first version"
fi

# Before the server is there: from then on commands ask it, which may want a token.
architecture=$($lglp sample --space mobilenetv3 --seed 7)
$lglp serve --bind "$bind" &
server=$!
# Stopping it is how this ends, not a failure of `make`.
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; exit 0' INT TERM
trap 'kill $server 2>/dev/null || true' EXIT
# Another server may answer there: it is ours that is waited for, which says itself why it ends.
runs() { kill -0 $server 2>/dev/null || exit 1; }
until grep -qs "\"pid\":$server," "$registry/holder.json" && curl -sf "http://$bind/readyz" >/dev/null; do
    runs
    sleep 0.1
done
runs
token=()
[ -z "${LGLP_TOKEN:-}" ] || token=(-H "Authorization: Bearer $LGLP_TOKEN")
echo
echo "\$ curl -s http://$bind/v1/$hardware/predict -d '{\"architectures\": [\"$architecture\"]}'"
# Without -f: where the registry has tokens and LGLP_TOKEN is not set, the answer says so.
curl -s "${token[@]}" "http://$bind/v1/$hardware/predict" -d "{\"architectures\": [\"$architecture\"]}"
echo
echo
echo "Serving on http://$bind, the API's pages on http://$bind/docs. Ctrl-C stops it."
wait $server
