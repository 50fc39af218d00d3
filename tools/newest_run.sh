#!/bin/sh
# Prints the newest run directory; their names begin with the UTC time, so the last name is it.
# A run under another name (OUT=...) is not looked for.
set -eu
cd -- "$(CDPATH='' dirname -- "$0")/.."

newest=
for plan in runs/[0-9]*T*Z-*/plan.json; do
    if [ -f "$plan" ]; then newest=${plan%/plan.json}; fi
done
if [ -z "$newest" ]; then
    echo 'error: there is no run yet' >&2
    echo '  where: runs/' >&2
    echo '  fix:   make run, or name one: RUN=path/of/a/run' >&2
    exit 2
fi
printf '%s\n' "$newest"
