# Shared by trainer_env.sh and vllm_env.sh, which source it: makes a virtual environment anew.

# new_venv FOLDER: with our own Python, or one of this machine
new_venv() {
    for python in "$here/.venv/bin/python" python3 python3.13 python3.12 python3.11 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            rm -rf "$1"
            "$python" -m venv "$1"
            return
        fi
    done
    echo "error: Python 3.11 or newer is needed, and none of python3, python3.11... is" >&2
    exit 1
}
