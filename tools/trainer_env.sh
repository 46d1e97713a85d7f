#!/bin/sh
# The trainers' own environment, .venv-trainers: the real TRL on the CPU, for tests/trainers.
# It never shares one with pairwright, and makes itself once: about a minute and 1.5 GB.
# Where pip would bring a CUDA build of several GB, name the index of the CPU builds:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu sh tools/trainer_env.sh
set -eu
torch="torch==2.13.0"
rest="trl==1.16.0 transformers==5.23.0 datasets==5.2.0 accelerate==1.15.0 tokenizers==0.23.3 jinja2==3.1.6"
here=$(cd "$(dirname "$0")/.." && pwd)
env="$here/.venv-trainers"
made="$env/made-of"
if [ -f "$made" ] && [ "$(cat "$made")" = "$torch $rest" ] && [ -x "$env/bin/python" ]; then
    exit 0
fi
base=""
for python in "$here/.venv/bin/python" python3 python3.13 python3.12 python3.11 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        base=$python
        break
    fi
done
if [ -z "$base" ]; then
    echo "error: Python 3.11 or newer is needed, and none of python3, python3.11... is" >&2
    exit 1
fi
echo "making .venv-trainers: $torch $rest" >&2
rm -rf "$env"
"$base" -m venv "$env"
pip() { "$env/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip "$torch"                # alone and first: an extra index then decides which build it is
pip "$torch" $rest          # shellcheck disable=SC2086 - a list of words
printf '%s\n' "$torch $rest" > "$made"
