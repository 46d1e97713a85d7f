#!/bin/sh
# uv, wherever it is: the one on the PATH, or one installed beside the checkout on first use.
# Needs only Python 3.11+ and a POSIX shell.  sh tools/uv.sh run pairwright build quickstart
set -eu
if command -v uv >/dev/null 2>&1; then
    exec uv "$@"
fi
here=$(cd "$(dirname "$0")/.." && pwd)
own="$here/.uv-bootstrap"
if [ ! -x "$own/bin/uv" ]; then
    for python in python3 python3.13 python3.12 python3.11 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "uv is missing: installing it into .uv-bootstrap" >&2
            "$python" -m venv "$own"
            "$own/bin/python" -m pip install --quiet --disable-pip-version-check uv >&2
            break
        fi
    done
fi
if [ ! -x "$own/bin/uv" ]; then
    echo "error: Python 3.11 or newer is needed, and none of python3, python3.11... is" >&2
    exit 1
fi
exec "$own/bin/uv" "$@"
