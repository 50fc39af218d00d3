#!/bin/sh
# Removes what set-up, checks and tests made. Runs are measurements: they stay, and it says so.
set -eu
cd -- "$(CDPATH='' dirname -- "$0")/.."

if [ -x .venv/bin/palier ] && ! .venv/bin/palier down; then
    echo 'clean: palier down failed (its words are above); going on' >&2
fi
rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
find . -name __pycache__ -type d -not -path './.git/*' -not -path './runs/*' -prune -exec rm -rf {} +

count=0
for run in runs/*/; do
    if [ -d "$run" ]; then count=$((count + 1)); fi
done
if [ "$count" -gt 0 ]; then
    echo "clean: kept $count runs in runs/ ($(du -sh runs | cut -f1)); remove them with: rm -r runs"
fi
