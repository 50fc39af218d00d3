#!/bin/sh
# Finds a Python that can hold the project's environment and lets tools/environment.py make it.
#
#   tools/setup.sh run|dev      run: what `make run` needs; dev: tests and checks as well
#
# Environment: PYTHON=...             use this interpreter, no other
#              PALIER_INSTALLER=pip   do not use uv although it is on PATH
set -eu
cd -- "$(CDPATH='' dirname -- "$0")/.."

is_new_enough() {
    # -I: neither PYTHONPATH nor a module in this directory may decide what "sys" says.
    "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    candidates=$PYTHON
else
    candidates='python3 python3.13 python3.12 python3.11 python3.14 python'
fi

for python in $candidates; do
    if is_new_enough "$python"; then
        exec "$python" -I tools/environment.py "$@"
    fi
done
if [ -z "${PYTHON:-}" ] && python=$(uv python find '>=3.11' 2>/dev/null) && [ -n "$python" ]; then
    exec "$python" -I tools/environment.py "$@"
fi

cat >&2 <<MESSAGE
error: no Python 3.11 or newer found
  where: tried $candidates on PATH=$PATH
  fix:   install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python;
         anywhere: uv python install 3.13), or name it: make setup PYTHON=/path/to/python3
MESSAGE
exit 5
