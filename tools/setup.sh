#!/bin/sh
# Finds a Python that can hold the project's environment and lets tools/environment.py make it.
#
#   tools/setup.sh run|dev      run: what `make run` needs; dev: tests and checks as well
#
# Environment: PYTHON=...             use this interpreter, no other
#              PALIER_INSTALLER=pip   do not use uv although it is on PATH
#              PALIER_SOURCE_BUILDS=1 allow packages that have no wheel for this machine
set -eu
cd -- "$(CDPATH='' dirname -- "$0")/.."

group=${1:?usage: tools/setup.sh run|dev}

prepare_with() { # goes on with the next candidate by returning
    # -I: neither PYTHONPATH nor a module in this directory may decide what "sys" says.
    if "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$1" -I tools/environment.py "$group"
    fi
}

if [ -n "${PYTHON:-}" ]; then
    tried=$PYTHON
    prepare_with "$PYTHON"
else
    tried='python3 python3.13 python3.12 python3.11 python3.14 python'
    for python in $tried; do
        prepare_with "$python"
    done
    if python=$(uv python find '>=3.11' 2>/dev/null); then
        prepare_with "$python"
    fi
fi

cat >&2 <<MESSAGE
error: no Python 3.11 or newer found
  where: tried $tried on PATH=$PATH
  fix:   install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python;
         anywhere: uv python install 3.13), or name it: make setup PYTHON=/path/to/python3
MESSAGE
exit 5
