#!/bin/sh
# Makes the virtual environment and installs one lock file into it: install.sh FOLDER LOCK
# Every wheel is held against its hash; where wheels come from is this machine's own pip configuration.
set -eu
folder=$1
lock=$2

for python in python3.13 python3.12 python3.11 python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        break
    fi
    python=
done
if [ -z "$python" ]; then
    echo "Scriptorium needs Python 3.11 or newer; none of python3.13, python3.12, python3.11 and python3 is." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

if ! "$folder/bin/python" -c '' 2>/dev/null; then
    echo "Making $folder with $("$python" --version) ..."
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
echo "Installing $lock ..."
pip="$folder/bin/python -m pip --disable-pip-version-check --quiet --no-input"
$pip install --require-hashes --no-deps --requirement "$lock"
# The project itself, from this folder; its build tools are locked with everything else.
$pip install --no-deps --no-build-isolation --no-index --editable .
