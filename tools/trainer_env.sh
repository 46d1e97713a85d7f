#!/bin/sh
# The trainers' own environment, .venv-trainers, of tools/trainer_env.txt: the real TRL on the CPU,
# for tests/trainers. It takes about a minute and 1.5 GB, once; then this ends at once.
# Where pip would bring a CUDA build of several GB, name the index of the CPU builds:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu sh tools/trainer_env.sh
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
wanted="$here/tools/trainer_env.txt"
env="$here/.venv-trainers"
made="$env/made-of.txt"
if [ -x "$env/bin/python" ] && cmp -s "$wanted" "$made"; then
    exit 0
fi
echo "making .venv-trainers of tools/trainer_env.txt" >&2
. "$here/tools/venv.sh"
new_venv "$env"
pip() { "$env/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
pip install "$(grep '^torch==' "$wanted")"  # first and alone: the build that is found stays
pip install --requirement "$wanted"
cp "$wanted" "$made"  # last: what was interrupted is made again
