#!/bin/sh
# What users install: the wheel is built, installed without extras beside the locked packages, and
# builds a recipe far from the checkout. A file that is not packed, or an extra that is needed
# without being asked for, shows here and nowhere else. It takes a quarter of a minute.
set -eu
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

sh tools/uv.sh build --quiet --wheel --out-dir "$place"
sh tools/uv.sh export --quiet --locked --no-emit-project --no-hashes --output-file "$place/locked.txt"
sh tools/uv.sh venv --quiet "$place/env"
sh tools/uv.sh pip install --quiet --python "$place/env" --constraint "$place/locked.txt" "$place"/*.whl

git ls-files flows pipelines schemas | sort >"$place/tracked.txt"
"$place/env/bin/python" -m zipfile -l "$place"/*.whl | awk '{print $1}' | sort >"$place/packed.txt"
if missing=$(comm -23 "$place/tracked.txt" "$place/packed.txt" | grep .); then
    echo "not in the wheel: $missing" >&2
    exit 1
fi
cd "$place"
env/bin/pairwright build quickstart --store store
env/bin/pairwright sql --store store --dataset quickstart 'SELECT count(*) AS pairs FROM pairs'
