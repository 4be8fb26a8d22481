#!/bin/sh
# The virtual environment with some requirements files, and Phoenix itself in it. Usage: venv.sh REQUIREMENTS...
set -e
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
echo "installing $* into .venv"
for file in "$@"; do set -- "$@" -r "$file"; shift; done
.venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
