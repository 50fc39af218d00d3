#!/bin/sh
# Writes requirements/run.txt and requirements/dev.txt from pyproject.toml, with hashes.
#
#   tools/lock.sh              keep every pin that still fits
#   tools/lock.sh --upgrade    take the newest of everything
set -eu
cd -- "$(CDPATH='' dirname -- "$0")/.."

if ! command -v uv >/dev/null 2>&1; then
    echo 'error: uv is not on PATH' >&2
    echo '  where: tools/lock.sh' >&2
    echo '  fix:   install uv; only writing lock files needs it, set-up does not' >&2
    exit 5
fi

case "${1:-}" in
'' | --upgrade) upgrade=${1:-} ;;
*)
    echo "error: unknown argument '$1'" >&2
    echo '  where: tools/lock.sh' >&2
    echo '  fix:   use no argument, or --upgrade' >&2
    exit 2
    ;;
esac

compile() {
    # No header, no index address: the files must not depend on whose machine wrote them.
    # shellcheck disable=SC2086  # empty must vanish
    uv pip compile $upgrade --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate "$@" >/dev/null
}

compile pyproject.toml --group build --output-file requirements/run.txt
# The constraint makes dev a superset of run at the same versions; set-up relies on that.
compile pyproject.toml --group dev --constraint requirements/run.txt \
    --output-file requirements/dev.txt
echo 'wrote requirements/run.txt and requirements/dev.txt' >&2
